package io.keelson.csi.driver;

import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;

/**
 * How patient the daemon is with drivers.
 *
 * @param callTimeout for one try of a call
 * @param operationTimeout for an operation with all its calls and their tries
 * @param firstPause before the second try
 * @param longestPause between tries
 */
public record CallPolicy(
    Duration callTimeout, Duration operationTimeout, Duration firstPause, Duration longestPause) {

  public static final CallPolicy DEFAULT =
      new CallPolicy(
          Duration.ofSeconds(60),
          Duration.ofMinutes(2),
          Duration.ofMillis(100),
          Duration.ofSeconds(10));

  /** The pause after a failed try: doubled each time, with up to a quarter more at random. */
  public Duration pauseAfter(int attempt) {
    long doubled = firstPause.toMillis() << Math.min(attempt - 1, 20);
    long pause = Math.min(doubled, longestPause.toMillis());
    return Duration.ofMillis(pause + ThreadLocalRandom.current().nextLong(pause / 4 + 1));
  }
}
