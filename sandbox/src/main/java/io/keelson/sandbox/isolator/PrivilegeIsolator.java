package io.keelson.sandbox.isolator;

import io.keelson.proto.cri.v1.LinuxContainerSecurityContext;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.port.ContainerContext;
import io.keelson.sandbox.port.Isolator;
import io.keelson.sandbox.spec.SpecBuilder;

/**
 * Lets a container be privileged only where its sandbox is, and sets {@code no_new_privs}. What
 * privileged means for mounts, devices, capabilities and profiles is each of their isolators' own
 * matter.
 */
public final class PrivilegeIsolator implements Isolator {

  @Override
  public void prepare(ContainerContext container, SpecBuilder spec) {
    LinuxContainerSecurityContext security = container.config().getLinux().getSecurityContext();
    if (security.getPrivileged()
        && !container.pod().config().getLinux().getSecurityContext().getPrivileged()) {
      throw new InvalidRequestException(
          "container %s asks to be privileged, its sandbox %s is not"
              .formatted(container.config().getMetadata().getName(), container.pod().id()));
    }
    spec.noNewPrivileges(security.getNoNewPrivs());
  }
}
