package io.keelson.runtime.metrics;

import io.keelson.sandbox.FaultPoints;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.function.Consumer;

/**
 * The calls under way, each with the stage that it has reached. The core tells stages as it passes
 * its fault points, on the thread of the call. Safe for use by many threads; costs a call less than
 * a microsecond.
 */
public final class Operations implements FaultPoints {

  private final FaultPoints next;
  private final Consumer<Operation> onEnd;

  /** By the thread that serves the call. */
  private final ConcurrentMap<Thread, Operation> running = new ConcurrentHashMap<>();

  /**
   * @param next hears of each stage too
   * @param traces get each operation at its end
   */
  public Operations(FaultPoints next, Optional<TraceExporter> traces) {
    this(next, operation -> traces.ifPresent(exporter -> exporter.offer(operation)));
  }

  /**
   * @param onEnd gets each operation at its end, on its own thread
   */
  Operations(FaultPoints next, Consumer<Operation> onEnd) {
    this.next = next;
    this.onEnd = onEnd;
  }

  /**
   * The thread begins to serve a call; {@link #end} must follow on the same thread.
   *
   * @param traceparent the span of its caller, in the words of W3C's Trace Context
   */
  public void begin(String method, Map<String, String> ids, Optional<String> traceparent) {
    Operation operation =
        new Operation(
            method,
            Thread.currentThread(),
            System.nanoTime(),
            traceparent.flatMap(TraceContext::parse));
    operation.ids(ids);
    running.put(operation.thread(), operation);
  }

  /** What came of the call that this thread serves, by the name of its status code. */
  public void outcome(String code) {
    Operation operation = running.get(Thread.currentThread());
    if (operation != null) {
      operation.outcome(code);
    }
  }

  /** The thread has served its call, whatever came of it. */
  public void end() {
    Operation operation = running.remove(Thread.currentThread());
    if (operation != null) {
      onEnd.accept(operation);
    }
  }

  @Override
  public void reached(String step) {
    Operation operation = running.get(Thread.currentThread());
    if (operation != null) {
      operation.passed(step, System.nanoTime());
    }
    next.reached(step);
  }

  int size() {
    return running.size();
  }

  /** Those that have been running for at least so long, the oldest first. */
  List<Operation> olderThan(long nanos) {
    long now = System.nanoTime();
    return running.values().stream()
        .filter(operation -> now - operation.startNanos() >= nanos)
        .sorted(Comparator.comparingLong(Operation::startNanos))
        .toList();
  }
}
