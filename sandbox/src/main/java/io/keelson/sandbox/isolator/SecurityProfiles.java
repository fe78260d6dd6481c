package io.keelson.sandbox.isolator;

import io.keelson.proto.cri.v1.SecurityProfile;
import io.keelson.proto.cri.v1.SecurityProfile.ProfileType;
import io.keelson.sandbox.error.InvalidRequestException;

/** The old way to name a profile, as one string. */
final class SecurityProfiles {

  private static final String PREFIX = "localhost/";

  private SecurityProfiles() {}

  /**
   * Reads {@code runtime/default}, {@code unconfined} or {@code localhost/NAME}; empty is
   * unconfined.
   */
  static SecurityProfile ofPath(String kind, String path) {
    SecurityProfile.Builder profile = SecurityProfile.newBuilder();
    switch (path) {
      case "", "unconfined" -> profile.setProfileType(ProfileType.Unconfined);
      case "runtime/default", "docker/default" ->
          profile.setProfileType(ProfileType.RuntimeDefault);
      default -> {
        if (!path.startsWith(PREFIX)) {
          throw new InvalidRequestException("invalid %s profile '%s'".formatted(kind, path));
        }
        profile.setProfileType(ProfileType.Localhost).setLocalhostRef(path);
      }
    }
    return profile.build();
  }

  static String withoutPrefix(String localhostRef) {
    return localhostRef.startsWith(PREFIX) ? localhostRef.substring(PREFIX.length()) : localhostRef;
  }
}
