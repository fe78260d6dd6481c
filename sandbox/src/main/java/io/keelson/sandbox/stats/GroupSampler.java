package io.keelson.sandbox.stats;

import io.keelson.linux.cgroup.CgroupUsage;
import io.keelson.linux.cgroup.Cgroups;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Reads control groups, each at most once a second however many ask, and tells from two readings
 * how fast processor time was used. Nothing is read while nobody asks. Safe for use by many
 * threads.
 */
final class GroupSampler {

  /** Callers that come together get the same figures. */
  static final long FRESH_NANOS = TimeUnit.SECONDS.toNanos(1);

  /** A rate over more than this says nothing about now. */
  private static final long LONGEST_NANOS = TimeUnit.MINUTES.toNanos(5);

  private final Cgroups cgroups;
  private final ConcurrentMap<String, Sample> samples = new ConcurrentHashMap<>();

  GroupSampler(Cgroups cgroups) {
    this.cgroups = cgroups;
  }

  /**
   * The group's usage, no older than a second; empty if the group is not there.
   *
   * @param bornAt when it had used nothing yet, nanoseconds since the epoch: the first rate of a
   *     young group counts from there
   */
  Optional<Sample> sample(String group, long bornAt) throws IOException {
    Sample known = samples.get(group);
    if (known != null && System.nanoTime() - known.clock() < FRESH_NANOS) {
      return Optional.of(known);
    }
    try {
      return Optional.ofNullable(
          samples.compute(group, (_, before) -> readUnlessFresh(group, bornAt, before)));
    } catch (UncheckedIOException e) {
      throw new IOException("usage of control group " + group + ": " + e.getMessage(), e);
    }
  }

  /** Forgets all groups but these. */
  void retain(Set<String> groups) {
    samples.keySet().retainAll(groups);
  }

  int size() {
    return samples.size();
  }

  private @Nullable Sample readUnlessFresh(String group, long bornAt, @Nullable Sample before) {
    long clock = System.nanoTime();
    if (before != null && clock - before.clock() < FRESH_NANOS) {
      return before;
    }
    long time = now();
    try {
      Optional<CgroupUsage> usage = cgroups.usage(group);
      if (usage.isEmpty()) {
        return null;
      }
      OptionalLong rate =
          before == null
              ? rate(usage.get().cpu().usage(), time - bornAt)
              : rate(
                  usage.get().cpu().usage() - before.usage().cpu().usage(), clock - before.clock());
      return new Sample(usage.get(), time, clock, rate);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static OptionalLong rate(long used, long nanos) {
    if (nanos <= 0 || nanos > LONGEST_NANOS || used < 0) {
      return OptionalLong.empty();
    }
    return OptionalLong.of((long) (used * (double) TimeUnit.SECONDS.toNanos(1) / nanos));
  }

  static long now() {
    Instant now = Instant.now();
    return TimeUnit.SECONDS.toNanos(now.getEpochSecond()) + now.getNano();
  }
}
