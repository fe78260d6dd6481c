package io.keelson.linux;

import java.io.InterruptedIOException;

/** Waiting for threads, and what becomes of waits that are interrupted. */
public final class Threads {

  private Threads() {}

  /**
   * Waits for the end of a thread that holds what must not be closed before, whatever comes; an
   * interrupt is kept for later.
   */
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

  /**
   * An interrupted wait as what work on files and streams throws; the interrupt is kept for who
   * looks for it.
   *
   * @param message what was waited for
   */
  public static InterruptedIOException interrupted(String message, InterruptedException cause) {
    Thread.currentThread().interrupt();
    InterruptedIOException result = new InterruptedIOException(message);
    result.initCause(cause);
    return result;
  }
}
