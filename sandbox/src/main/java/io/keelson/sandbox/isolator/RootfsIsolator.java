package io.keelson.sandbox.isolator;

import io.keelson.sandbox.port.ContainerContext;
import io.keelson.sandbox.port.Isolator;
import io.keelson.sandbox.spec.SpecBuilder;

/** The root file system: where it is mounted, and whether the container may write to it. */
public final class RootfsIsolator implements Isolator {

  @Override
  public void prepare(ContainerContext container, SpecBuilder spec) {
    spec.root(
        container.rootfs(), container.config().getLinux().getSecurityContext().getReadonlyRootfs());
  }
}
