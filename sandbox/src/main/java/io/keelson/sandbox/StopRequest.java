package io.keelson.sandbox;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The one stop that a container goes through, however often it is asked for: the stop signal is
 * sent once, and the shortest grace period of all requests counts. Safe for use by many threads.
 */
final class StopRequest {

  /** How soon a waiting caller sees that another has shortened the grace period. */
  private static final long LOOK_AGAIN_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

  private static final Duration LONGEST = Duration.ofDays(365);

  private final long origin = System.nanoTime();
  private final AtomicBoolean signalled = new AtomicBoolean();
  private final AtomicLong graceEnds = new AtomicLong(Long.MAX_VALUE);
  private volatile boolean killed;

  /** True for the first caller alone, who sends the stop signal. */
  boolean claimSignal() {
    return signalled.compareAndSet(false, true);
  }

  /** Ends the grace period {@code grace} from now, unless it ends sooner already. */
  void shorten(Duration grace) {
    Duration bounded = grace.compareTo(LONGEST) > 0 ? LONGEST : grace;
    long ends = elapsed() + Math.max(0, bounded.toNanos());
    graceEnds.accumulateAndGet(ends, Math::min);
  }

  /** Waits until {@code ended} opens or the grace period is over; true if it opened. */
  boolean awaitGrace(CountDownLatch ended) throws InterruptedException {
    while (true) {
      long left = graceEnds.get() - elapsed();
      if (left <= 0) {
        return ended.getCount() == 0;
      }
      if (ended.await(Math.min(left, LOOK_AGAIN_NANOS), TimeUnit.NANOSECONDS)) {
        return true;
      }
    }
  }

  /** Remembers that it is the daemon who kills the container. */
  void setKilled() {
    killed = true;
  }

  boolean killed() {
    return killed;
  }

  private long elapsed() {
    return System.nanoTime() - origin;
  }
}
