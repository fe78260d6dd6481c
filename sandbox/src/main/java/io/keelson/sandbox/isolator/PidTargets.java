package io.keelson.sandbox.isolator;

import java.util.OptionalInt;

/**
 * Finds the process whose PID namespace another container of the same pod may join (CRI, TARGET).
 */
@FunctionalInterface
public interface PidTargets {

  /**
   * The init process of a running container.
   *
   * @param containerId as the caller named it
   * @return empty if the sandbox has no such container, or if it does not run
   */
  OptionalInt init(String sandboxId, String containerId);
}
