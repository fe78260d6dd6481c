package io.keelson.runtime.nri;

import io.keelson.runtime.nri.PluginMeter.Outcome;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.atomic.LongAdder;

/** What a plugin was asked since it connected. Safe for use by many threads. */
final class PluginStatistics {

  private final Instant connected = Instant.now();
  private final LongAdder calls = new LongAdder();
  private final LongAdder failures = new LongAdder();
  private final LongAdder nanos = new LongAdder();
  private volatile String lastCall = "";

  void called(String call, Duration time, Outcome outcome) {
    lastCall = call;
    calls.increment();
    nanos.add(time.toNanos());
    if (outcome != Outcome.ANSWERED) {
      failures.increment();
    }
  }

  Instant connected() {
    return connected;
  }

  long calls() {
    return calls.sum();
  }

  /** Calls that were not answered, or with an error. */
  long failures() {
    return failures.sum();
  }

  /** Spent waiting for answers. */
  Duration time() {
    return Duration.ofNanos(nanos.sum());
  }

  String lastCall() {
    return lastCall;
  }
}
