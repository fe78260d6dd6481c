package io.keelson.image.registry;

import java.io.IOException;
import java.time.Duration;

/**
 * Notices a server that keeps a connection alive by a byte now and then, which no timeout of a
 * single read does. For one thread.
 */
final class Pace {

  /** The slowest link that makes sense. */
  private static final long MIN_BYTES_A_SECOND = 512;

  private final long window;
  private long began = System.nanoTime();
  private long bytes;

  /**
   * @param window over which is measured
   */
  Pace(Duration window) {
    this.window = window.toNanos();
  }

  /** A new connection has the whole window before it. */
  void restart() {
    began = System.nanoTime();
    bytes = 0;
  }

  /**
   * Counts what has come.
   *
   * @throws IOException if it was too little in the last window
   */
  void came(long count) throws IOException {
    bytes += count;
    long elapsed = System.nanoTime() - began;
    if (elapsed < window) {
      return;
    }
    if (bytes < elapsed / 1_000_000_000.0 * MIN_BYTES_A_SECOND) {
      throw new IOException(
          "only %d bytes came in %d ms".formatted(bytes, Duration.ofNanos(elapsed).toMillis()));
    }
    restart();
  }
}
