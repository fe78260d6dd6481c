package io.keelson.sandbox.isolator;

import io.keelson.sandbox.error.FailedPreconditionException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * Touches paths of the host that a caller has named, which may lie on a network file system whose
 * server is gone: the work runs on a thread of its own and is left behind when it does not end in
 * time. A stuck thread ends when the file system answers or is forcibly unmounted; no more than a
 * fixed number may be stuck. Safe for use by many threads.
 */
public final class HostPaths {

  private static final int MAX_STUCK = 64;
  private static final Duration IDLE = Duration.ofSeconds(30);

  private final Duration deadline;
  private final ExecutorService threads;

  /**
   * Starts no thread before it is needed.
   *
   * @param deadline for all the paths of one container together
   */
  public HostPaths(Duration deadline) {
    this.deadline = deadline;
    this.threads =
        new ThreadPoolExecutor(
            0,
            MAX_STUCK,
            IDLE.toMillis(),
            TimeUnit.MILLISECONDS,
            new SynchronousQueue<>(),
            Thread.ofPlatform().daemon().name("host-path-", 0).factory(),
            this::awaitThread);
  }

  /** All threads are taken: by many callers at once, which passes, or by paths that hang. */
  private void awaitThread(Runnable work, ThreadPoolExecutor pool) {
    try {
      if (pool.getQueue().offer(work, deadline.toNanos(), TimeUnit.NANOSECONDS)) {
        return;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    throw new RejectedExecutionException("no thread became free");
  }

  /** Work on host paths. */
  @FunctionalInterface
  public interface Work<T> {
    T run(Progress progress) throws IOException;
  }

  /** Where the work says what it is about to touch. */
  public static final class Progress {
    private volatile @Nullable Path current;

    public void touches(Path path) {
      current = path;
    }
  }

  /**
   * Runs the work and waits for it until the deadline.
   *
   * @throws FailedPreconditionException that names the path which did not answer
   */
  public <T> T call(Work<T> work) throws IOException {
    Progress progress = new Progress();
    Future<T> result;
    try {
      result = threads.submit(() -> work.run(progress));
    } catch (RejectedExecutionException e) {
      throw new FailedPreconditionException(
          "%d host paths do not answer; no more are tried until one does".formatted(MAX_STUCK), e);
    }
    try {
      return result.get(deadline.toNanos(), TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      result.cancel(true);
      throw new FailedPreconditionException(
          "host path %s did not answer within %d ms (a network file system whose server is gone?)"
              .formatted(progress.current, deadline.toMillis()),
          e);
    } catch (InterruptedException e) {
      result.cancel(true);
      Thread.currentThread().interrupt();
      throw new FailedPreconditionException(
          "interrupted while host path %s was looked at".formatted(progress.current), e);
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case RuntimeException cause -> throw cause;
        case IOException cause -> throw cause;
        case null, default -> throw new IllegalStateException(e);
      }
    }
  }
}
