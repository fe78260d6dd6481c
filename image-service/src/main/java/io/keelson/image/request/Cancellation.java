package io.keelson.image.request;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;

/** Tells long work that its caller has gone. Safe for use by many threads. */
public final class Cancellation {

  private final List<Runnable> listeners = new ArrayList<>();
  private boolean cancelled;

  /** One that nobody will use. */
  public static Cancellation never() {
    return new Cancellation();
  }

  /** One that is cancelled with this one, and can be alone. */
  public Cancellation child() {
    Cancellation child = new Cancellation();
    onCancel(child::cancel);
    return child;
  }

  /**
   * @throws CancellationException if it was cancelled
   */
  public void check() {
    if (isCancelled()) {
      throw new CancellationException("the caller has gone");
    }
  }

  /** Cancels; doing it twice is harmless. Runs what waits for it on the calling thread. */
  public void cancel() {
    List<Runnable> toRun;
    synchronized (this) {
      if (cancelled) {
        return;
      }
      cancelled = true;
      toRun = List.copyOf(listeners);
      listeners.clear();
    }
    toRun.forEach(Runnable::run);
  }

  public synchronized boolean isCancelled() {
    return cancelled;
  }

  /**
   * Runs {@code listener} once at cancellation; now, if that has been. It must be quick and must
   * not throw.
   */
  public void onCancel(Runnable listener) {
    synchronized (this) {
      if (!cancelled) {
        listeners.add(listener);
        return;
      }
    }
    listener.run();
  }
}
