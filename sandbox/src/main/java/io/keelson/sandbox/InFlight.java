package io.keelson.sandbox;

import io.keelson.sandbox.error.KeelsonException;
import io.keelson.sandbox.error.OperationFailedException;
import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.function.BiPredicate;

/**
 * Creations under way, by name. A request that comes a second time while the first is at work joins
 * it and gets the same answer, so that a caller that gave up and tries again never hears that the
 * name is taken. Safe for use by many threads.
 *
 * @param <Q> the request
 */
final class InFlight<Q> {

  /** The work for a request that no other is at. */
  @FunctionalInterface
  interface Work {
    String run() throws IOException;
  }

  private record Attempt<Q>(Q request, CompletableFuture<String> id) {}

  private final ConcurrentMap<String, Attempt<Q>> attempts = new ConcurrentHashMap<>();
  private final BiPredicate<Q, Q> same;

  InFlight(BiPredicate<Q, Q> same) {
    this.same = same;
  }

  /**
   * Runs the work, or joins the one that runs for the same name. A request that differs from the
   * one under way waits for its end and then runs itself.
   */
  String run(String name, Q request, Work work) throws IOException {
    while (true) {
      Attempt<Q> mine = new Attempt<>(request, new CompletableFuture<>());
      Attempt<Q> other = attempts.putIfAbsent(name, mine);
      if (other == null) {
        return runReserved(name, mine, work);
      }
      if (same.test(other.request, request)) {
        return join(other.id);
      }
      other.id.handle((id, failure) -> id).join();
    }
  }

  private String runReserved(String name, Attempt<Q> mine, Work work) throws IOException {
    try {
      String id = work.run();
      mine.id.complete(id);
      return id;
    } catch (IOException | RuntimeException | Error e) {
      mine.id.completeExceptionally(e);
      throw e;
    } finally {
      attempts.remove(name, mine);
    }
  }

  private static String join(CompletableFuture<String> id) throws IOException {
    try {
      return id.join();
    } catch (CompletionException e) {
      switch (e.getCause()) {
        case IOException failure -> throw failure;
        case KeelsonException failure -> throw failure;
        case null, default -> throw new OperationFailedException(String.valueOf(e.getMessage()), e);
      }
    }
  }
}
