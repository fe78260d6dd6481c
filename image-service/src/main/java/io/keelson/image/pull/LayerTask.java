package io.keelson.image.pull;

import io.keelson.image.archive.MalformedArchiveException;
import io.keelson.image.archive.UnpackedLayer;
import io.keelson.image.pull.ImageMetrics.Stage;
import io.keelson.image.reference.Digest;
import io.keelson.image.request.Cancellation;
import io.keelson.image.request.PullProgress;
import io.keelson.image.source.CorruptContentException;
import io.keelson.image.source.LayerBlob;
import io.keelson.image.source.LayerForm;
import io.keelson.image.source.LayerSource;
import io.keelson.image.store.KeptBlobs;
import io.keelson.image.store.Layer;
import io.keelson.image.store.LayerStore;
import io.keelson.image.store.NewLayer;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One layer of one image: finds it in the store, waits for another who makes it, or makes it. */
final class LayerTask {

  private static final Logger LOG = LoggerFactory.getLogger(LayerTask.class);

  private final Shared shared;
  private final Digest chainId;
  private final LayerBlob blob;
  private final LayerSource source;
  private final PullProgress progress;
  private final Cancellation cancellation;
  private final AtomicReference<@Nullable Throwable> firstFailure;

  /**
   * What the tasks of all images have in common.
   *
   * @param permits for those that fetch and unpack
   * @param keepBlobs keeps them as they came, besides
   * @param pack keeps them as erofs images
   * @param underWay the layers that a task is making; done when that has ended, well or not
   */
  record Shared(
      LayerStore layers,
      LayerPipeline pipeline,
      Semaphore permits,
      boolean keepBlobs,
      boolean pack,
      ImageMetrics metrics,
      ConcurrentMap<Digest, CompletableFuture<Boolean>> underWay) {}

  /**
   * @param cancellation of the image's tasks
   * @param firstFailure of the image's tasks
   */
  LayerTask(
      Shared shared,
      Digest chainId,
      LayerBlob blob,
      LayerSource source,
      PullProgress progress,
      Cancellation cancellation,
      AtomicReference<@Nullable Throwable> firstFailure) {
    this.shared = shared;
    this.chainId = chainId;
    this.blob = blob;
    this.source = source;
    this.progress = progress;
    this.cancellation = cancellation;
    this.firstFailure = firstFailure;
  }

  /**
   * Runs to the end; a failure cancels the image's other tasks.
   *
   * @param below the image's lower layers, the nearest first
   * @param result becomes what is returned
   * @return the layer, retained for the image
   */
  Layer run(List<CompletableFuture<Layer>> below, CompletableFuture<Layer> result)
      throws IOException {
    try {
      Layer layer = retain(below);
      result.complete(layer);
      return layer;
    } catch (InterruptedException e) {
      throw fail(result, new CancellationException("interrupted"));
    } catch (ExecutionException e) {
      throw fail(result, new CancellationException("a lower layer failed"));
    } catch (RuntimeException e) {
      throw fail(result, e);
    } catch (IOException e) {
      throw fail(result, e);
    } catch (Error e) {
      throw fail(result, e);
    }
  }

  private <E extends Throwable> E fail(CompletableFuture<Layer> result, E failure) {
    // Before the others hear of it: what they say then is only that they were stopped.
    firstFailure.compareAndSet(null, failure);
    result.completeExceptionally(failure);
    cancellation.cancel();
    return failure;
  }

  private Layer retain(List<CompletableFuture<Layer>> below)
      throws IOException, InterruptedException, ExecutionException {
    while (true) {
      cancellation.check();
      Optional<Layer> present = shared.layers().retain(chainId);
      if (present.isPresent()) {
        return tellPresent(present.get());
      }
      CompletableFuture<Boolean> mine = new CompletableFuture<>();
      CompletableFuture<Boolean> other = shared.underWay().putIfAbsent(chainId, mine);
      if (other != null) {
        other.get();
        continue;
      }
      try {
        // It may have come between the two looks.
        Optional<Layer> late = shared.layers().retain(chainId);
        return late.isPresent() ? tellPresent(late.get()) : make(below);
      } finally {
        shared.underWay().remove(chainId);
        mine.complete(true);
      }
    }
  }

  private Layer tellPresent(Layer layer) {
    shared.metrics().layerPresent();
    progress.layerPresent(blob.label());
    return layer;
  }

  private Layer make(List<CompletableFuture<Layer>> below)
      throws IOException, InterruptedException, ExecutionException {
    if (blob.form() instanceof LayerForm.HostFolder(Path path)) {
      return shared.layers().link(path, chainId, blob.diffId());
    }
    Optional<Layer> again = makeOfKeptBlob(below);
    if (again.isPresent()) {
      return again.get();
    }
    while (true) {
      try {
        Layer made = unpack(source, below);
        shared.metrics().layerFetched(blob.size());
        return made;
      } catch (CorruptContentException | MalformedArchiveException | EOFException e) {
        // Nothing of it is kept. Another host may have what the digest says.
        if (!source.distrust(blob, e)) {
          throw e;
        }
      }
    }
  }

  /** The source is not asked for what is here, beside another layer perhaps. */
  private Optional<Layer> makeOfKeptBlob(List<CompletableFuture<Layer>> below)
      throws IOException, InterruptedException, ExecutionException {
    KeptBlobs blobs = shared.layers().blobs();
    Digest digest = blob.digest();
    if (digest == null) {
      return Optional.empty();
    }
    Optional<InputStream> kept = blobs.open(digest);
    if (kept.isEmpty()) {
      return Optional.empty();
    }
    try (InputStream stream = kept.get()) {
      Layer made = unpack((_, _) -> stream, below);
      shared.metrics().layerKept();
      return Optional.of(made);
    } catch (CorruptContentException | MalformedArchiveException | EOFException e) {
      LOG.atWarn()
          .addKeyValue("blob", digest)
          .addKeyValue("why", e.getMessage())
          .log("a kept blob is damaged: it is fetched again");
      blobs.distrust(digest);
      return Optional.empty();
    }
  }

  private Layer unpack(LayerSource from, List<CompletableFuture<Layer>> below)
      throws IOException, InterruptedException, ExecutionException {
    try (NewLayer layer = shared.layers().begin()) {
      UnpackedLayer unpacked;
      long asked = System.nanoTime();
      shared.permits().acquire();
      long begun = System.nanoTime();
      shared.metrics().took(Stage.WAIT, begun - asked);
      // Who has a permit waits for nobody but the source and the disk.
      try {
        unpacked =
            shared
                .pipeline()
                .unpack(
                    from,
                    blob,
                    layer.content(),
                    shared.keepBlobs() && blob.digest() != null ? layer.blob() : null,
                    received -> progress.layerReceived(blob.label(), received, blob.size()),
                    cancellation);
        if (unpacked.implied().isEmpty()) {
          pack(layer);
        }
      } finally {
        shared.permits().release();
      }
      shared.metrics().took(Stage.UNPACK, System.nanoTime() - begun);
      List<Path> contents = new ArrayList<>();
      for (CompletableFuture<Layer> lower : below) {
        contents.add(lower.get().content());
      }
      if (!contents.isEmpty() && !unpacked.implied().isEmpty()) {
        ImpliedFolders.inherit(layer.content(), unpacked.implied(), contents);
      }
      if (!unpacked.implied().isEmpty()) {
        pack(layer);
      }
      long publishing = System.nanoTime();
      Layer made =
          shared
              .layers()
              .publish(
                  layer,
                  chainId,
                  blob.diffId(),
                  blob.digest(),
                  unpacked.bytes(),
                  unpacked.inodes());
      shared.metrics().took(Stage.PUBLISH, System.nanoTime() - publishing);
      progress.layerDone(blob.label());
      return made;
    }
  }

  private void pack(NewLayer layer) throws IOException {
    if (shared.pack()) {
      layer.pack(blob.diffId());
    }
  }
}
