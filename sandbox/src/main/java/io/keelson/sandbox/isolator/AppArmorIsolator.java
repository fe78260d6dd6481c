package io.keelson.sandbox.isolator;

import io.keelson.proto.cri.v1.LinuxContainerSecurityContext;
import io.keelson.proto.cri.v1.SecurityProfile;
import io.keelson.proto.cri.v1.SecurityProfile.ProfileType;
import io.keelson.sandbox.error.FailedPreconditionException;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.port.ContainerContext;
import io.keelson.sandbox.port.Isolator;
import io.keelson.sandbox.spec.SpecBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The AppArmor profile: the default one ({@link AppArmorDefault}), also for a container that says
 * nothing of AppArmor; one that is loaded on this host and that the caller names; or none. A
 * privileged container has none unless it names one. Where a profile can't be had a container that
 * asks for one is refused, and one that does not ask runs without.
 */
public final class AppArmorIsolator implements Isolator {

  private static final Logger LOG = LoggerFactory.getLogger(AppArmorIsolator.class);
  private static final Path LOADED = Path.of("/sys/kernel/security/apparmor/profiles");

  private final HostFeatures host;
  private final Optional<AppArmorDefault> runtimeDefault;
  private final AtomicBoolean absenceTold = new AtomicBoolean();

  public AppArmorIsolator(HostFeatures host) {
    this.host = host;
    this.runtimeDefault = host.appArmorParser().map(AppArmorDefault::new);
  }

  @Override
  public void prepare(ContainerContext container, SpecBuilder spec) throws IOException {
    LinuxContainerSecurityContext security = container.config().getLinux().getSecurityContext();
    Optional<SecurityProfile> wanted = wanted(security);
    ProfileType type =
        wanted.map(SecurityProfile::getProfileType).orElse(ProfileType.RuntimeDefault);
    switch (type) {
      case Unconfined -> {}
      case RuntimeDefault -> {
        if (!security.getPrivileged()) {
          applyDefault(wanted.isPresent(), spec);
        }
      }
      case Localhost -> applyNamed(wanted.orElseThrow().getLocalhostRef(), spec);
      case UNRECOGNIZED -> throw new InvalidRequestException("unknown type of AppArmor profile");
    }
  }

  @SuppressWarnings("deprecation") // older kubelets know nothing else
  private static Optional<SecurityProfile> wanted(LinuxContainerSecurityContext security) {
    if (security.hasApparmor()) {
      SecurityProfile profile = security.getApparmor();
      if (profile.getProfileType() != ProfileType.Localhost
          && !profile.getLocalhostRef().isEmpty()) {
        throw new InvalidRequestException(
            "AppArmor localhost_ref %s is given with type %s"
                .formatted(profile.getLocalhostRef(), profile.getProfileType()));
      }
      return Optional.of(profile);
    }
    String old = security.getApparmorProfile();
    return old.isEmpty() ? Optional.empty() : Optional.of(SecurityProfiles.ofPath("AppArmor", old));
  }

  private void applyDefault(boolean askedFor, SpecBuilder spec) throws IOException {
    if (!host.appArmor()) {
      if (askedFor) {
        throw disabled("the default AppArmor profile");
      }
      return;
    }
    if (runtimeDefault.isEmpty()) {
      String problem =
          "the default AppArmor profile can't be loaded: apparmor_parser is not installed (package"
              + " apparmor)";
      if (askedFor) {
        throw new FailedPreconditionException(problem);
      }
      if (absenceTold.compareAndSet(false, true)) {
        LOG.warn("{}; containers that name no profile run without", problem);
      }
      return;
    }
    runtimeDefault.get().load();
    spec.apparmorProfile(AppArmorDefault.NAME);
  }

  private void applyNamed(String localhostRef, SpecBuilder spec) throws IOException {
    String name = SecurityProfiles.withoutPrefix(localhostRef);
    if (name.isEmpty()) {
      throw new InvalidRequestException("the AppArmor profile of type Localhost has no name");
    }
    if (!host.appArmor()) {
      throw disabled("AppArmor profile " + name);
    }
    if (!isLoaded(name)) {
      throw new FailedPreconditionException("AppArmor profile %s is not loaded".formatted(name));
    }
    spec.apparmorProfile(name);
  }

  private static FailedPreconditionException disabled(String profile) {
    return new FailedPreconditionException(
        profile + " can't be applied: AppArmor is not enabled on this host");
  }

  private static boolean isLoaded(String name) throws IOException {
    try (Stream<String> profiles = Files.lines(LOADED)) {
      return profiles.anyMatch(line -> line.startsWith(name + " ("));
    }
  }
}
