package io.keelson.image.pull;

import io.keelson.image.reference.ImageReference;
import io.keelson.image.request.Cancellation;
import io.keelson.image.request.PullProgress;
import io.keelson.image.request.PullRequest;
import io.keelson.image.request.RegistryCredentials;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.function.Consumer;

/**
 * Pulls of the same reference by the same credentials at the same time are one. It goes on as long
 * as one caller waits for it. Safe for use by many threads.
 */
public final class SharedPulls {

  private final Work work;
  private final Map<Key, Pull> running = new HashMap<>();

  /** Does one pull. */
  @FunctionalInterface
  public interface Work {
    /**
     * @return the image's id
     */
    String pull(
        ImageReference reference,
        RegistryCredentials credentials,
        PullProgress progress,
        Cancellation cancellation)
        throws IOException;
  }

  private record Key(ImageReference reference, RegistryCredentials credentials) {}

  public SharedPulls(Work work) {
    this.work = work;
  }

  /**
   * Starts or joins a pull and waits for its end.
   *
   * @throws CancellationException if this caller's cancellation or an interrupt came first
   */
  public String pull(ImageReference reference, PullRequest request) throws IOException {
    Key key = new Key(reference, request.credentials());
    Caller caller = new Caller(request.progress());
    Pull pull;
    synchronized (running) {
      Pull existing = running.get(key);
      pull = existing == null ? start(key) : existing;
      pull.callers.add(caller);
    }
    request.cancellation().onCancel(() -> caller.result.cancel(false));
    try {
      return caller.result.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw cancelled(e);
    } catch (CancellationException e) {
      throw cancelled(e);
    } catch (ExecutionException e) {
      throw Thrown.asIoException(e.getCause());
    } finally {
      leave(key, pull, caller);
    }
  }

  private static CancellationException cancelled(Exception cause) {
    CancellationException cancelled = new CancellationException("the pull was cancelled");
    cancelled.initCause(cause);
    return cancelled;
  }

  private Pull start(Key key) {
    Pull pull = new Pull();
    running.put(key, pull);
    Thread thread =
        Thread.ofVirtual()
            .name("pull")
            .unstarted(
                () -> {
                  try {
                    String id =
                        work.pull(key.reference(), key.credentials(), pull, pull.cancellation);
                    end(key, pull, caller -> caller.result.complete(id));
                  } catch (IOException | RuntimeException | Error e) {
                    end(key, pull, caller -> caller.result.completeExceptionally(e));
                  }
                });
    // An answer of a registry is waited for on this thread.
    pull.cancellation.onCancel(thread::interrupt);
    thread.start();
    return pull;
  }

  private void end(Key key, Pull pull, Consumer<Caller> tell) {
    List<Caller> callers;
    synchronized (running) {
      running.remove(key, pull);
      callers = List.copyOf(pull.callers);
    }
    callers.forEach(tell);
  }

  private void leave(Key key, Pull pull, Caller caller) {
    boolean abandoned;
    synchronized (running) {
      pull.callers.remove(caller);
      // Nobody may join a pull that is being cancelled.
      abandoned = pull.callers.isEmpty() && running.remove(key, pull);
    }
    if (abandoned) {
      pull.cancellation.cancel();
    }
  }

  /** Ends all pulls. */
  public void cancelAll() {
    List<Pull> all;
    synchronized (running) {
      all = List.copyOf(running.values());
    }
    all.forEach(pull -> pull.cancellation.cancel());
  }

  /** One who waits for a pull. */
  private static final class Caller {

    private final CompletableFuture<String> result = new CompletableFuture<>();
    private final PullProgress progress;

    Caller(PullProgress progress) {
      this.progress = new GuardedProgress(progress);
    }
  }

  /** One pull under way; tells all who wait for it how it goes on. */
  private static final class Pull implements PullProgress {

    private final Cancellation cancellation = new Cancellation();
    private final List<Caller> callers = new CopyOnWriteArrayList<>();

    @Override
    public void resolved(String imageId, int layers, long totalBytes) {
      callers.forEach(caller -> caller.progress.resolved(imageId, layers, totalBytes));
    }

    @Override
    public void layerPresent(String layerDigest) {
      callers.forEach(caller -> caller.progress.layerPresent(layerDigest));
    }

    @Override
    public void layerReceived(String layerDigest, long received, long total) {
      callers.forEach(caller -> caller.progress.layerReceived(layerDigest, received, total));
    }

    @Override
    public void layerDone(String layerDigest) {
      callers.forEach(caller -> caller.progress.layerDone(layerDigest));
    }
  }
}
