package io.keelson.linux;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * The platform threads on which native calls that may wait are made (umount, mount of a network
 * file system, flock, fsync by number), so that no such call holds the carrier of a virtual thread.
 * Threads are made as needed and end after half a minute without work. Safe for use by many
 * threads.
 */
public final class KernelThreads implements AutoCloseable {

  private final Semaphore permits;
  private final ThreadPoolExecutor executor;

  /**
   * Makes no thread yet.
   *
   * @param max how many calls run at once; more wait in the order in which they came
   */
  public KernelThreads(int max) {
    permits = new Semaphore(max, true);
    // Hands each task to an idle thread if there is one; how many there are is bounded by the
    // permits.
    executor =
        new ThreadPoolExecutor(
            0, Integer.MAX_VALUE, 30, TimeUnit.SECONDS, new SynchronousQueue<>(), Worker::new);
  }

  /**
   * Runs the work on one of the threads and waits for its end; work that itself comes from one of
   * them runs at once on the same thread.
   *
   * @throws InterruptedIOException if the caller is interrupted; the work is interrupted too, but a
   *     native call goes on to its end
   * @throws IOException of the work; another checked exception of it comes wrapped
   * @throws RejectedExecutionException after {@link #close}
   */
  public <T> T call(Callable<T> work) throws IOException {
    if (Thread.currentThread() instanceof Worker worker && worker.owner().equals(this)) {
      try {
        return work.call();
      } catch (Exception e) {
        throw PlatformThread.asIoException(e);
      }
    }
    FutureTask<T> task = new FutureTask<>(work);
    try {
      permits.acquire();
      start(task);
      return task.get();
    } catch (InterruptedException e) {
      task.cancel(true);
      Thread.currentThread().interrupt();
      throw PlatformThread.asIoException(e);
    } catch (ExecutionException e) {
      throw PlatformThread.asIoException(Objects.requireNonNullElse(e.getCause(), e));
    }
  }

  private void start(FutureTask<?> task) {
    try {
      executor.execute(
          () -> {
            try {
              task.run();
            } finally {
              permits.release();
            }
          });
    } catch (RejectedExecutionException e) {
      permits.release();
      throw e;
    }
  }

  /** As {@link #call}, for work without a result. */
  public void run(Work work) throws IOException {
    call(
        () -> {
          work.run();
          return Boolean.TRUE;
        });
  }

  /** How many calls wait for a thread. */
  public int waiting() {
    return permits.getQueueLength();
  }

  /** Takes no more work; what has come already goes on to its end. */
  @Override
  public void close() {
    executor.shutdown();
  }

  /** Work without a result. */
  @FunctionalInterface
  public interface Work {
    void run() throws IOException;
  }

  private final class Worker extends Thread {

    Worker(Runnable work) {
      super(work, "kernel");
      setDaemon(true);
    }

    KernelThreads owner() {
      return KernelThreads.this;
    }
  }
}
