package io.keelson.sandbox.isolator;

import io.keelson.sandbox.error.UnsupportedException;
import io.keelson.sandbox.port.ContainerContext;
import io.keelson.sandbox.port.Isolator;
import io.keelson.sandbox.spec.SpecBuilder;

/**
 * SELinux labels: where SELinux is off they mean nothing, as everywhere in the field; where it is
 * on a container that asks for them is refused, rather than run without.
 */
public final class SelinuxIsolator implements Isolator {

  private final HostFeatures host;

  public SelinuxIsolator(HostFeatures host) {
    this.host = host;
  }

  @Override
  public void prepare(ContainerContext container, SpecBuilder spec) {
    if (host.selinux() && container.config().getLinux().getSecurityContext().hasSelinuxOptions()) {
      throw new UnsupportedException("SELinux labels of containers are not supported yet");
    }
  }
}
