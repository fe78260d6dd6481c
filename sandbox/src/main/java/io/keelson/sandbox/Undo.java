package io.keelson.sandbox;

import java.util.ArrayDeque;
import java.util.Deque;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What must be undone if an operation fails half way: pushed step by step, run in reverse by {@link
 * #close} unless the operation {@link #keep}s what it made. One thread uses it.
 */
final class Undo implements AutoCloseable {

  /** One step back. */
  @FunctionalInterface
  interface Step {
    void run() throws Exception;
  }

  private record Named(String what, Step step) {}

  private static final Logger LOG = LoggerFactory.getLogger(Undo.class);

  private final Deque<Named> steps = new ArrayDeque<>();
  private boolean complete = true;

  void push(String what, Step step) {
    steps.push(new Named(what, step));
  }

  /** The operation has succeeded: nothing is undone. */
  void keep() {
    steps.clear();
  }

  /** False if a step back failed, so that something is left. */
  boolean complete() {
    return complete;
  }

  /**
   * Runs every step back, newest first; one that fails is logged and does not keep the others from
   * running.
   */
  @Override
  public void close() {
    while (!steps.isEmpty()) {
      Named next = steps.pop();
      try {
        next.step.run();
      } catch (Exception e) {
        complete = false;
        LOG.atWarn()
            .setCause(e)
            .addKeyValue("step", next.what)
            .log("undoing a failed operation left something");
      }
    }
  }
}
