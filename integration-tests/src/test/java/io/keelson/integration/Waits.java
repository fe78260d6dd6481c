package io.keelson.integration;

import io.keelson.integration.harness.Patience;
import java.time.Duration;
import java.util.function.BooleanSupplier;

/** For what happens soon, and on a busy machine a little later. */
final class Waits {

  private static final Duration PATIENCE = Patience.ofSeconds(30);

  private Waits() {}

  static void until(BooleanSupplier condition, String what) {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() > end) {
        throw new AssertionError("not within " + PATIENCE + ": " + what);
      }
      sleep(Duration.ofMillis(10));
    }
  }

  static void sleep(Duration duration) {
    try {
      Thread.sleep(duration);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }
}
