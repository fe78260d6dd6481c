package io.keelson.csi.driver;

import java.time.Duration;

/** Is told of each try of each call to a driver. Safe for use by many threads; must not block. */
@FunctionalInterface
public interface CallMetrics {

  CallMetrics NONE = (driver, method, code, duration) -> {};

  /**
   * @param code the gRPC status code's name, {@code OK} for a success
   */
  void called(String driver, String method, String code, Duration duration);
}
