package io.keelson.sandbox;

import io.keelson.sandbox.error.OperationFailedException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;

/** The same work on many things at the same time. */
public final class InParallel {

  private InParallel() {}

  /**
   * Work on one of them.
   *
   * @param <T> what is worked on
   */
  @FunctionalInterface
  public interface Work<T> {
    void run(T one) throws IOException;
  }

  /**
   * Does the work on each, on a virtual thread of its own; on a single one on the caller's. Ends
   * when all have ended, whether they failed or not.
   *
   * @throws IOException or an unchecked exception, the first one in the order of the things; those
   *     of the others are its suppressed ones
   */
  public static <T> void forEach(Collection<T> all, Work<T> work) throws IOException {
    if (all.size() <= 1) {
      for (T one : all) {
        work.run(one);
      }
      return;
    }
    List<Future<?>> running = new ArrayList<>();
    try (ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
      for (T one : all) {
        running.add(
            executor.submit(
                () -> {
                  work.run(one);
                  return null;
                }));
      }
    }
    Throwable first = null;
    for (Future<?> one : running) {
      Throwable failure = failure(one);
      if (first == null) {
        first = failure;
      } else if (failure != null) {
        first.addSuppressed(failure);
      }
    }
    switch (first) {
      case null -> {}
      case IOException e -> throw e;
      case RuntimeException e -> throw e;
      default -> throw new OperationFailedException(first.toString(), first);
    }
  }

  private static @Nullable Throwable failure(Future<?> ended) {
    return ended.state() == Future.State.FAILED ? ended.exceptionNow() : null;
  }
}
