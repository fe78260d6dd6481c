package io.keelson.image.pull;

import io.keelson.linux.Threads;
import java.io.IOException;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/**
 * Work on a platform thread of its own: it computes and writes without a pause, and on the carrier
 * of a virtual thread it would keep all calls of the daemon waiting.
 */
final class PlatformTask<T> {

  private final FutureTask<T> task;
  private final Thread thread;

  private PlatformTask(String name, Callable<T> work) {
    this.task = new FutureTask<>(work);
    this.thread = Thread.ofPlatform().daemon().name(name).start(task);
  }

  static <T> PlatformTask<T> start(String name, Callable<T> work) {
    return new PlatformTask<>(name, work);
  }

  /** Waits for the end; an interrupt ends the waiting only. */
  T await() throws IOException, InterruptedException {
    try {
      return task.get();
    } catch (ExecutionException e) {
      throw Thrown.asIoException(e.getCause());
    }
  }

  void interrupt() {
    thread.interrupt();
  }

  /** Waits for the end whatever comes; the interrupt is kept for later. */
  void join() {
    Threads.join(thread);
  }
}
