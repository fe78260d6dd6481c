package io.keelson.sandbox.launch;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * What the configuration says of launching.
 *
 * @param conmon the monitor's program
 * @param bundles the folder in which each container has its bundle, by id
 * @param criu finds the program that writes processes to files and makes them again, which is on
 *     few nodes
 * @param timeout how long one step of a runtime may take before it is given up and killed
 */
public record LauncherSettings(
    Path conmon, Path bundles, Supplier<Optional<Path>> criu, Duration timeout) {

  public LauncherSettings {
    if (timeout.isZero() || timeout.isNegative()) {
      throw new IllegalArgumentException("timeout must be positive: " + timeout);
    }
  }

  Bundle bundle(String containerId) {
    return new Bundle(bundles.resolve(containerId));
  }
}
