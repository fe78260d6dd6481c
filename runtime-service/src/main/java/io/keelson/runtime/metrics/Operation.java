package io.keelson.runtime.metrics;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A call that is being served: what it is, and which stages it has passed. Written by the call's
 * own thread, read by any.
 */
final class Operation {

  /**
   * A stage that was passed.
   *
   * @param name {@code Operation:what-has-just-been-done}
   * @param nanos by {@link System#nanoTime}
   */
  record Stage(String name, long nanos) {}

  private final String method;
  private final Thread thread;
  private final long startNanos;
  private final Optional<TraceContext> caller;
  private final List<Stage> stages = new ArrayList<>(16);
  private volatile Map<String, String> ids = Map.of();
  private volatile Stage last;
  private String outcome = "";

  Operation(String method, Thread thread, long startNanos, Optional<TraceContext> caller) {
    this.caller = caller;
    this.method = method;
    this.thread = thread;
    this.startNanos = startNanos;
    this.last = new Stage("begun", startNanos);
  }

  String method() {
    return method;
  }

  Thread thread() {
    return thread;
  }

  long startNanos() {
    return startNanos;
  }

  /** The span that it belongs to; empty if its caller sent none. */
  Optional<TraceContext> caller() {
    return caller;
  }

  /** The pod, container or image that it is about. */
  Map<String, String> ids() {
    return ids;
  }

  void ids(Map<String, String> now) {
    ids = now;
  }

  void passed(String stage, long nanos) {
    Stage next = new Stage(stage, nanos);
    stages.add(next);
    last = next;
  }

  void outcome(String code) {
    outcome = code;
  }

  /** Whether it has ended as its caller wished; for the call's own thread, and after its end. */
  boolean succeeded() {
    return outcome.equals("OK");
  }

  /** The stage that was passed last. */
  Stage last() {
    return last;
  }

  /** All stages in order; for the call's own thread alone. */
  List<Stage> stages() {
    return stages;
  }
}
