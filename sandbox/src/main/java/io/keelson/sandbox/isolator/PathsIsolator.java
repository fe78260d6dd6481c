package io.keelson.sandbox.isolator;

import io.keelson.proto.cri.v1.LinuxContainerSecurityContext;
import io.keelson.sandbox.port.ContainerContext;
import io.keelson.sandbox.port.Isolator;
import io.keelson.sandbox.spec.SpecBuilder;
import java.util.List;

/**
 * Paths that the container sees empty or read-only: exactly those that the caller names (it is the
 * kubelet that knows the defaults and what procMount makes of them), and none when privileged.
 */
public final class PathsIsolator implements Isolator {

  @Override
  public void prepare(ContainerContext container, SpecBuilder spec) {
    LinuxContainerSecurityContext security = container.config().getLinux().getSecurityContext();
    boolean privileged = security.getPrivileged();
    spec.maskedPaths(privileged ? List.of() : security.getMaskedPathsList());
    spec.readonlyPaths(privileged ? List.of() : security.getReadonlyPathsList());
  }
}
