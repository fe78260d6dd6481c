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
 * @param courtesy how long a change of a volume waits for a question, which a driver answers from
 *     what it has at hand
 */
public record CallPolicy(
    Duration callTimeout,
    Duration operationTimeout,
    Duration firstPause,
    Duration longestPause,
    Duration courtesy) {

  public static final Duration COURTESY = Duration.ofMillis(250);

  public static final CallPolicy DEFAULT =
      new CallPolicy(
          Duration.ofSeconds(60),
          Duration.ofMinutes(2),
          Duration.ofMillis(100),
          Duration.ofSeconds(10),
          COURTESY);

  /** The pause after a failed try: doubled each time, with up to a quarter more at random. */
  public Duration pauseAfter(int attempt) {
    long doubled = firstPause.toMillis() << Math.min(attempt - 1, 20);
    long pause = Math.min(doubled, longestPause.toMillis());
    return Duration.ofMillis(pause + ThreadLocalRandom.current().nextLong(pause / 4 + 1));
  }
}
