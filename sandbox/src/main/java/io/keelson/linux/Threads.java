package io.keelson.linux;

/** Waiting for threads that hold what must not be closed before they end. */
public final class Threads {

  private Threads() {}

  /** Waits for the end whatever comes; the interrupt is kept for later. */
  public static void join(Thread thread) {
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
