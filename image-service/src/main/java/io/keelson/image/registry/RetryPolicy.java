package io.keelson.image.registry;

import io.keelson.image.request.Cancellation;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** When to ask again, and how long to wait before. */
final class RetryPolicy {

  private static final Duration MAX_PAUSE = Duration.ofSeconds(30);

  private final int attempts;
  private final Duration firstPause;

  RetryPolicy(int attempts, Duration firstPause) {
    this.attempts = attempts;
    this.firstPause = firstPause;
  }

  /** Whether another attempt may follow after {@code made} of them. */
  boolean mayRetry(int made) {
    return made < attempts;
  }

  static boolean isPassing(int status) {
    return status == 429 || status == 408 || status / 100 == 5;
  }

  /**
   * Waits before the next attempt: double as long after each, with some chance in it, or as the
   * server says.
   *
   * @param retryAfter the header's value: seconds, or a date
   * @throws CancellationException at once when the work is cancelled
   */
  void pause(int made, @Nullable String retryAfter, Cancellation cancellation) {
    long millis = firstPause.toMillis() << Math.min(made - 1, 10);
    millis = millis / 2 + ThreadLocalRandom.current().nextLong(millis / 2 + 1);
    if (retryAfter != null) {
      millis = Math.max(millis, millis(retryAfter.strip()));
    }
    CountDownLatch cancelled = new CountDownLatch(1);
    cancellation.onCancel(cancelled::countDown);
    try {
      if (cancelled.await(Math.min(millis, MAX_PAUSE.toMillis()), TimeUnit.MILLISECONDS)) {
        throw HttpTransport.cancelled();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw HttpTransport.cancelled();
    }
  }

  /** The same after a failure, which may say how long to wait. */
  void pause(int made, IOException failure, Cancellation cancellation) {
    pause(
        made,
        failure instanceof OverloadedException overloaded ? overloaded.retryAfter() : null,
        cancellation);
  }

  private static long millis(String retryAfter) {
    if (retryAfter.matches("\\d{1,9}")) {
      return Long.parseLong(retryAfter) * 1000;
    }
    try {
      Instant when =
          ZonedDateTime.parse(retryAfter, DateTimeFormatter.RFC_1123_DATE_TIME).toInstant();
      // Rounded up: never before that moment.
      return Duration.between(Instant.now(), when).toMillis() + 1;
    } catch (DateTimeParseException e) {
      return 0;
    }
  }
}
