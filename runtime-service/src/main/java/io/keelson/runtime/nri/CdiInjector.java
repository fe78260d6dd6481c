package io.keelson.runtime.nri;

import io.keelson.sandbox.port.ContainerContext;
import io.keelson.sandbox.spec.SpecBuilder;
import java.io.IOException;
import java.util.List;

/** Gives a container CDI devices (Container Device Interface) that a plugin names. */
@FunctionalInterface
public interface CdiInjector {

  /**
   * Adds what the devices need to the spec.
   *
   * @param devices qualified names, {@code vendor/class=device}; never empty
   * @throws io.keelson.sandbox.error.KeelsonException if one of them is not known
   */
  void inject(ContainerContext container, List<String> devices, SpecBuilder spec)
      throws IOException;
}
