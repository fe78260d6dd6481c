package io.keelson.csi.driver;

import io.grpc.Context;
import io.keelson.sandbox.error.OperationFailedException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * One operation on a volume: how much time it has left, and who is told of its steps. Used by one
 * thread at a time.
 */
public final class Operation {

  /** Is told of each try of each step. */
  @FunctionalInterface
  public interface Listener {

    Listener NONE = (step, attempt, failure) -> {};

    /**
     * @param step as the driver's contract names it
     * @param attempt from 1
     * @param failure why the try before failed, {@code ""} at the first
     */
    void step(String step, int attempt, String failure);
  }

  private final long end;
  private final boolean patient;
  private final Listener listener;
  private boolean inDoubt;

  private Operation(long end, boolean patient, Listener listener) {
    this.end = end;
    this.patient = patient;
    this.listener = listener;
  }

  /** Calls that fail for a while are made again until the time is over. */
  public static Operation of(Duration timeout, Listener listener) {
    return new Operation(System.nanoTime() + timeout.toNanos(), true, listener);
  }

  /** Each call is made once. */
  public static Operation once(Duration timeout) {
    return new Operation(System.nanoTime() + timeout.toNanos(), false, Listener.NONE);
  }

  /** Is to be told of each try. */
  public Listener listener() {
    return listener;
  }

  /**
   * A call got no answer that tells what was done: a refusal of the same call later on says nothing
   * of it.
   */
  public boolean isInDoubt() {
    return inDoubt;
  }

  void doubt() {
    inDoubt = true;
  }

  /** Waits for a driver that is at work; false if the time is over. */
  public boolean waitASecond() {
    return pause(Duration.ofSeconds(1));
  }

  /** Never negative. */
  Duration left() {
    return Duration.ofNanos(Math.max(0, end - System.nanoTime()));
  }

  /**
   * False if there is to be no other try: the time would be over, or what the calls are for has
   * been given up, as gRPC's context says.
   */
  public boolean pause(Duration pause) {
    if (!patient || pause.compareTo(left()) >= 0) {
      return false;
    }
    Context context = Context.current();
    CountDownLatch givenUp = new CountDownLatch(1);
    Context.CancellationListener listener = _ -> givenUp.countDown();
    context.addListener(listener, Runnable::run);
    try {
      return !givenUp.await(pause.toNanos(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new OperationFailedException("interrupted while waiting for a driver", e);
    } finally {
      context.removeListener(listener);
    }
  }
}
