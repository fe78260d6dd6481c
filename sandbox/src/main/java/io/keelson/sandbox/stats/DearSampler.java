package io.keelson.sandbox.stats;

import java.io.IOException;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Measures of containers that may be dear: a writable layer can be a million files. One is taken at
 * a time, and of each container again only after fifty times as long as the last one took (no
 * sooner than a second, no later than five minutes). No caller waits longer than it says; until a
 * new measure is there the last one is the answer. Safe for use by many threads.
 *
 * @param <T> what is measured
 */
final class DearSampler<T> {

  private static final Logger LOG = LoggerFactory.getLogger(DearSampler.class);

  private static final long SHARE = 50;
  private static final long LONGEST_NANOS = TimeUnit.MINUTES.toNanos(5);

  /** How much longer than it says a caller waits where no older measure can be the answer. */
  private static final long FIRST_TIME_NANOS = TimeUnit.SECONDS.toNanos(2);

  /** Takes a measure; empty if there is nothing to be measured. */
  @FunctionalInterface
  interface Measure<T> {
    Optional<T> of(StatsSource.Container container) throws IOException;
  }

  /** A measure, with the time of the end of its making, by both clocks, and what it has cost. */
  record Measured<T>(T value, long time, long clock, long costNanos) {

    boolean isFresh() {
      long valid = Math.clamp(SHARE * costNanos, GroupSampler.FRESH_NANOS, LONGEST_NANOS);
      return System.nanoTime() - clock < valid;
    }
  }

  private final String what;
  private final Measure<T> measure;
  private final ConcurrentMap<String, Measured<T>> known = new ConcurrentHashMap<>();
  private final ConcurrentMap<String, FutureTask<@Nullable Measured<T>>> underway =
      new ConcurrentHashMap<>();
  private final Semaphore turn = new Semaphore(1);

  /**
   * @param what is measured, for the log
   */
  DearSampler(String what, Measure<T> measure) {
    this.what = what;
    this.measure = measure;
  }

  /**
   * The last measure of a container; a new one if it is time for it and it comes by {@code
   * deadline}, or by two seconds later if it is the container's first.
   *
   * @param deadline by {@link System#nanoTime}
   */
  Optional<Measured<T>> sample(StatsSource.Container container, long deadline) {
    Measured<T> last = known.get(container.id());
    if (last != null && last.isFresh()) {
      return Optional.of(last);
    }
    FutureTask<@Nullable Measured<T>> task =
        underway.computeIfAbsent(container.id(), _ -> start(container));
    long end = last == null ? deadline + FIRST_TIME_NANOS : deadline;
    try {
      return Optional.ofNullable(
          task.get(Math.max(0, end - System.nanoTime()), TimeUnit.NANOSECONDS));
    } catch (TimeoutException _) {
      return Optional.ofNullable(last);
    } catch (ExecutionException e) {
      LOG.atDebug()
          .addKeyValue("container", container.id())
          .log("{} can't be measured: {}", what, String.valueOf(e.getCause()));
      return Optional.ofNullable(last);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Optional.ofNullable(last);
    }
  }

  private FutureTask<@Nullable Measured<T>> start(StatsSource.Container container) {
    FutureTask<@Nullable Measured<T>> task = new FutureTask<>(() -> take(container));
    Thread.ofVirtual()
        .name("measure")
        .start(
            () -> {
              task.run();
              underway.remove(container.id());
            });
    return task;
  }

  private @Nullable Measured<T> take(StatsSource.Container container)
      throws IOException, InterruptedException {
    turn.acquire();
    try {
      long begin = System.nanoTime();
      Optional<T> value = measure.of(container);
      if (value.isEmpty()) {
        known.remove(container.id());
        return null;
      }
      long end = System.nanoTime();
      Measured<T> measured = new Measured<>(value.get(), GroupSampler.now(), end, end - begin);
      known.put(container.id(), measured);
      return measured;
    } finally {
      turn.release();
    }
  }

  /** Forgets all containers but these. */
  void retain(Set<String> containerIds) {
    known.keySet().retainAll(containerIds);
  }
}
