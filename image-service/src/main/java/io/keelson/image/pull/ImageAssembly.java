package io.keelson.image.pull;

import io.keelson.image.archive.UnpackLimits;
import io.keelson.image.reference.Digest;
import io.keelson.image.request.Cancellation;
import io.keelson.image.request.PullProgress;
import io.keelson.image.source.LayerBlob;
import io.keelson.image.source.LayerSource;
import io.keelson.image.source.SourceImage;
import io.keelson.image.store.ImageCatalog;
import io.keelson.image.store.Layer;
import io.keelson.image.store.LayerStore;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Brings an image's layers into the store side by side, each once however many images and calls
 * want it at the same time, and then makes the image visible. Safe for use by many threads.
 */
public final class ImageAssembly {

  private final ImageCatalog catalog;
  private final LayerStore layers;
  private final LayerTask.Shared shared;

  /**
   * @param parallelLayers how many layers are fetched and unpacked at once, over all images
   * @param keepBlobs keeps layers as they came, besides
   * @param pack keeps layers as erofs images
   */
  public ImageAssembly(
      ImageCatalog catalog,
      LayerStore layers,
      UnpackLimits limits,
      int parallelLayers,
      boolean keepBlobs,
      boolean pack,
      ImageMetrics metrics) {
    this.catalog = catalog;
    this.layers = layers;
    this.shared =
        new LayerTask.Shared(
            layers,
            new LayerPipeline(limits),
            new Semaphore(parallelLayers, true),
            keepBlobs,
            pack,
            metrics,
            new ConcurrentHashMap<>());
  }

  /**
   * Assembles the image and gives it these names. After an error nothing is left of it.
   *
   * @param source of the layers
   * @param progress throws nothing
   * @throws CancellationException if the call was cancelled
   */
  public void assemble(
      SourceImage image,
      LayerSource source,
      Collection<String> tags,
      Collection<String> digests,
      PullProgress progress,
      Cancellation cancellation)
      throws IOException {
    List<LayerBlob> blobs = image.layers();
    progress.resolved(
        image.config().id().toString(),
        blobs.size(),
        blobs.stream().mapToLong(blob -> Math.max(blob.size(), 0)).sum());
    if (catalog.addNames(image.config().id(), tags, digests)) {
      for (LayerBlob blob : blobs) {
        shared.metrics().layerPresent();
        progress.layerPresent(blob.label());
      }
      return;
    }
    retainLayers(image, source, progress, cancellation);
    catalog.add(image.config(), tags, digests);
  }

  /** When it returns, all layers are in the store and retained once; when it throws, none is. */
  private void retainLayers(
      SourceImage image, LayerSource source, PullProgress progress, Cancellation cancellation)
      throws IOException {
    Cancellation mine = cancellation.child();
    AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
    List<Future<Layer>> tasks = new ArrayList<>();
    // Closing waits for the end of all tasks; if it is interrupted, it interrupts them and waits
    // on.
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<CompletableFuture<Layer>> below = List.of();
      for (LayerTask task : tasks(image, source, progress, mine, failure)) {
        CompletableFuture<Layer> result = new CompletableFuture<>();
        List<CompletableFuture<Layer>> allBelow = below;
        tasks.add(threads.submit(() -> task.run(allBelow, result)));
        below = Stream.concat(Stream.of(result), below.stream()).toList();
      }
      mine.onCancel(threads::shutdownNow);
    }
    if (failure.get() != null) {
      layers.release(
          tasks.stream()
              .filter(task -> task.state() == Future.State.SUCCESS)
              .map(task -> task.resultNow().chainId())
              .toList());
      cancellation.check();
      throw Thrown.asIoException(failure.get());
    }
  }

  private List<LayerTask> tasks(
      SourceImage image,
      LayerSource source,
      PullProgress progress,
      Cancellation cancellation,
      AtomicReference<@Nullable Throwable> failure) {
    List<Digest> chainIds = image.config().chainIds();
    return IntStream.range(0, chainIds.size())
        .mapToObj(
            i ->
                new LayerTask(
                    shared,
                    chainIds.get(i),
                    image.layers().get(i),
                    source,
                    progress,
                    cancellation,
                    failure))
        .toList();
  }
}
