package io.keelson.sandbox.isolator;

import io.keelson.proto.cri.v1.LinuxContainerSecurityContext;
import io.keelson.proto.cri.v1.SecurityProfile;
import io.keelson.sandbox.error.FailedPreconditionException;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.port.ContainerContext;
import io.keelson.sandbox.port.Isolator;
import io.keelson.sandbox.spec.SpecBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/**
 * The AppArmor profile: one that is loaded on this host and that the caller names. There is no
 * default profile of our own yet, so RuntimeDefault is no profile.
 */
public final class AppArmorIsolator implements Isolator {

  private static final Path LOADED = Path.of("/sys/kernel/security/apparmor/profiles");

  private final HostFeatures host;

  public AppArmorIsolator(HostFeatures host) {
    this.host = host;
  }

  @Override
  public void prepare(ContainerContext container, SpecBuilder spec) throws IOException {
    SecurityProfile wanted = wanted(container.config().getLinux().getSecurityContext());
    if (wanted.getProfileType() != SecurityProfile.ProfileType.Localhost) {
      return;
    }
    String name = SecurityProfiles.withoutPrefix(wanted.getLocalhostRef());
    if (name.isEmpty()) {
      throw new InvalidRequestException("the AppArmor profile of type Localhost has no name");
    }
    if (!host.appArmor()) {
      throw new FailedPreconditionException(
          "AppArmor profile %s can't be applied: AppArmor is not enabled on this host"
              .formatted(name));
    }
    if (!isLoaded(name)) {
      throw new FailedPreconditionException("AppArmor profile %s is not loaded".formatted(name));
    }
    spec.apparmorProfile(name);
  }

  @SuppressWarnings("deprecation") // older kubelets know nothing else
  private static SecurityProfile wanted(LinuxContainerSecurityContext security) {
    return security.hasApparmor()
        ? security.getApparmor()
        : SecurityProfiles.ofPath("AppArmor", security.getApparmorProfile());
  }

  private static boolean isLoaded(String name) throws IOException {
    try (Stream<String> profiles = Files.lines(LOADED)) {
      return profiles.anyMatch(line -> line.startsWith(name + " ("));
    }
  }
}
