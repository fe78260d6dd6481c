package io.keelson.linux;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;

/**
 * Work that must not run on the carrier of a virtual thread, on a platform thread made for it.
 *
 * <p>Such a thread may change its namespaces, its root or the user that it is for files. Threads
 * that it starts have all that from it; and a thread that wakes a virtual one may be the one that
 * starts a carrier, which goes on to carry others. So nobody is woken by the work but by the
 * thread's end, which the virtual machine tells by a thread of its own.
 */
final class PlatformThread {

  private PlatformThread() {}

  /**
   * Runs the work here if this is a platform thread, else on a fresh one, and waits for its end.
   */
  static <T> T call(String name, Callable<T> work) throws IOException {
    if (!Thread.currentThread().isVirtual()) {
      try {
        return work.call();
      } catch (Exception e) {
        throw asIoException(e);
      }
    }
    return callOnFresh(name, work);
  }

  /**
   * Runs the work on a fresh platform thread that ends with it, and waits for its end. An interrupt
   * of the caller goes on to that thread; the caller still waits, since half-done work could not be
   * undone.
   */
  static <T> T callOnFresh(String name, Callable<T> work) throws IOException {
    FutureTask<T> task = new FutureTask<>(work);
    Thread thread = Thread.ofPlatform().daemon().name(name).start(task);
    awaitEnd(thread);
    return switch (task.state()) {
      case SUCCESS -> task.resultNow();
      case FAILED -> throw asIoException(task.exceptionNow());
      case RUNNING, CANCELLED -> throw new IllegalStateException(name + " ended without a result");
    };
  }

  private static void awaitEnd(Thread thread) {
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
        thread.interrupt();
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /**
   * An error of work done elsewhere as what the waiting thread throws; unchecked ones are thrown
   * here.
   */
  static IOException asIoException(Throwable cause) {
    return switch (cause) {
      case Error e -> throw e;
      case RuntimeException e -> throw e;
      case IOException e -> e;
      case InterruptedException e -> interrupted(e);
      default -> new IOException(cause.getMessage(), cause);
    };
  }

  private static InterruptedIOException interrupted(InterruptedException cause) {
    InterruptedIOException result = new InterruptedIOException(cause.getMessage());
    result.initCause(cause);
    return result;
  }
}
