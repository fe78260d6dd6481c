package io.keelson.linux;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/** Work that must not run on the carrier of a virtual thread, on a platform thread made for it. */
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
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return task.get();
        } catch (InterruptedException e) {
          interrupted = true;
          thread.interrupt();
        } catch (ExecutionException e) {
          throw asIoException(Objects.requireNonNullElse(e.getCause(), e));
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
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
