package io.keelson.sandbox.isolator;

import io.keelson.linux.Threads;
import io.keelson.proto.cri.v1.LinuxContainerSecurityContext;
import io.keelson.proto.cri.v1.SecurityProfile;
import io.keelson.sandbox.error.FailedPreconditionException;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.error.UnsupportedException;
import io.keelson.sandbox.port.ContainerContext;
import io.keelson.sandbox.port.Isolator;
import io.keelson.sandbox.spec.SpecBuilder;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/**
 * The system calls that the process may make. RuntimeDefault is the field's default profile (the
 * resource {@code seccomp-default.json}), Localhost a file on this node by its absolute path, in
 * the format of OCI or Docker; without a word, unconfined or privileged there is no filter. Runs
 * after the capabilities are known, because what a capability permits the profile must let through.
 */
public final class SeccompIsolator implements Isolator {

  private static final String DEFAULT_PROFILE = "seccomp-default.json";
  private static final int MAX_BYTES = 4 << 20;

  private final HostFeatures host;
  private final FutureTask<SeccompProfile> runtimeDefault;

  /**
   * Begins to read the default profile at once, and lets nobody wait for it before it is needed.
   */
  public SeccompIsolator(HostFeatures host) {
    this.host = host;
    this.runtimeDefault = new FutureTask<>(() -> readDefault(host));
    Thread.ofVirtual().name("seccomp-default").start(runtimeDefault);
  }

  @Override
  public void prepare(ContainerContext container, SpecBuilder spec) throws IOException {
    LinuxContainerSecurityContext security = container.config().getLinux().getSecurityContext();
    if (security.getPrivileged()) {
      return;
    }
    SecurityProfile wanted = wanted(security);
    switch (wanted.getProfileType()) {
      case Unconfined -> {}
      case RuntimeDefault -> apply(runtimeDefault(), spec);
      case Localhost -> apply(read(wanted.getLocalhostRef()), spec);
      case UNRECOGNIZED ->
          throw new InvalidRequestException(
              "unknown type of seccomp profile " + wanted.getProfileTypeValue());
    }
  }

  @SuppressWarnings("deprecation") // older kubelets know nothing else
  private static SecurityProfile wanted(LinuxContainerSecurityContext security) {
    if (!security.hasSeccomp()) {
      return SecurityProfiles.ofPath("seccomp", security.getSeccompProfilePath());
    }
    SecurityProfile profile = security.getSeccomp();
    if (profile.getProfileType() != SecurityProfile.ProfileType.Localhost
        && !profile.getLocalhostRef().isEmpty()) {
      throw new InvalidRequestException(
          "seccomp localhost_ref %s is given with type %s"
              .formatted(profile.getLocalhostRef(), profile.getProfileType()));
    }
    return profile;
  }

  private SeccompProfile runtimeDefault() throws IOException {
    try {
      return runtimeDefault.get();
    } catch (ExecutionException e) {
      throw new IOException("the default seccomp profile can't be read", e);
    } catch (InterruptedException e) {
      throw Threads.interrupted("while the default seccomp profile was read", e);
    }
  }

  private static SeccompProfile readDefault(HostFeatures host) throws IOException {
    try (InputStream resource = SeccompIsolator.class.getResourceAsStream(DEFAULT_PROFILE)) {
      if (resource == null) {
        throw new FileNotFoundException(DEFAULT_PROFILE);
      }
      return SeccompProfile.parse(DEFAULT_PROFILE, resource.readAllBytes(), host);
    }
  }

  private void apply(SeccompProfile profile, SpecBuilder spec) {
    if (!host.seccomp()) {
      throw new UnsupportedException(
          "this kernel has no seccomp filters, and a profile is asked for");
    }
    spec.seccomp(profile.forCapabilities(spec.capabilities().bounding()));
  }

  private SeccompProfile read(String localhostRef) throws IOException {
    Path file = Path.of(SecurityProfiles.withoutPrefix(localhostRef));
    if (!file.isAbsolute()) {
      throw new InvalidRequestException(
          "seccomp profile '%s' is no absolute path".formatted(localhostRef));
    }
    try (InputStream content = Files.newInputStream(file)) {
      byte[] json = content.readNBytes(MAX_BYTES + 1);
      if (json.length > MAX_BYTES) {
        throw new InvalidRequestException(
            "seccomp profile %s is longer than %d bytes".formatted(file, MAX_BYTES));
      }
      return SeccompProfile.parse(file.toString(), json, host);
    } catch (NoSuchFileException e) {
      throw new FailedPreconditionException("seccomp profile %s does not exist".formatted(file), e);
    }
  }
}
