package io.keelson.sandbox.isolator;

import io.keelson.sandbox.port.ContainerContext;
import io.keelson.sandbox.port.Isolator;
import io.keelson.sandbox.spec.SpecBuilder;
import io.keelson.sandbox.spec.SpecRlimit;
import java.util.List;

/**
 * Resource limits of the process, the same for all containers: the CRI has no word for them.
 * Without any a container inherits those of the daemon.
 */
public final class RlimitsIsolator implements Isolator {

  private final List<SpecRlimit> limits;

  public RlimitsIsolator(List<SpecRlimit> limits) {
    this.limits = List.copyOf(limits);
  }

  @Override
  public void prepare(ContainerContext container, SpecBuilder spec) {
    limits.forEach(spec::rlimit);
  }
}
