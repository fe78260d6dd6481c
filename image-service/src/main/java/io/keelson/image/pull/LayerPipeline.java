package io.keelson.image.pull;

import io.keelson.image.archive.ByteFeed;
import io.keelson.image.archive.Decompression;
import io.keelson.image.archive.FileLayer;
import io.keelson.image.archive.LayerExtractor;
import io.keelson.image.archive.TarReader;
import io.keelson.image.archive.UnpackLimits;
import io.keelson.image.archive.UnpackedLayer;
import io.keelson.image.reference.Digest;
import io.keelson.image.request.Cancellation;
import io.keelson.image.source.CorruptContentException;
import io.keelson.image.source.LayerBlob;
import io.keelson.image.source.LayerForm;
import io.keelson.image.source.LayerSource;
import io.keelson.image.source.SpareBuffers;
import io.keelson.linux.tree.Folder;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * One layer from its source to its files, in one pass and without a copy on disk. Two threads share
 * it: one fetches, checks the blob's digest and decompresses, the other checks the tar's digest and
 * unpacks. What is made is only good if the call returns. Safe for use by many threads.
 */
final class LayerPipeline {

  private final UnpackLimits limits;
  private final SpareBuffers<BlockPipe> pipes = new SpareBuffers<>();

  LayerPipeline(UnpackLimits limits) {
    this.limits = limits;
  }

  /**
   * Runs on platform threads and ends with them.
   *
   * @param target an empty folder
   * @param keptBlob a file to be made with the blob as it comes; null if it is not kept
   * @param progress hears how many bytes of the blob have come
   * @throws CorruptContentException if a size or digest is another than said
   */
  UnpackedLayer unpack(
      LayerSource source,
      LayerBlob blob,
      Path target,
      @Nullable Path keptBlob,
      LongConsumer progress,
      Cancellation cancellation)
      throws IOException, InterruptedException {
    Cancellation mine = cancellation.child();
    BlockPipe kept = pipes.take();
    BlockPipe pipe = kept == null ? new BlockPipe() : kept;
    PlatformTask<Boolean> fetcher =
        PlatformTask.start(
            "image-fetch", () -> fetch(source, blob, pipe, keptBlob, progress, mine));
    PlatformTask<UnpackedLayer> unpacker =
        PlatformTask.start("image-unpack", () -> unpack(blob, pipe, target));
    try {
      return unpacker.await();
    } finally {
      // After a success both have ended; else they are to end now.
      mine.cancel();
      fetcher.interrupt();
      unpacker.interrupt();
      unpacker.join();
      fetcher.join();
      if (pipe.isWhole()) {
        pipes.give(pipe);
      }
    }
  }

  private static boolean fetch(
      LayerSource source,
      LayerBlob blob,
      BlockPipe pipe,
      @Nullable Path keptBlob,
      LongConsumer progress,
      Cancellation cancellation) {
    Throwable failure = null;
    boolean plain = blob.form() instanceof LayerForm.SingleFile;
    try (OutputStream copy =
            keptBlob == null ? OutputStream.nullOutputStream() : Files.newOutputStream(keptBlob);
        VerifiedStream verified =
            new VerifiedStream(source.open(blob, cancellation), blob, copy, progress);
        InputStream content = plain ? verified : Decompression.of(verified)) {
      pipe.pour(content);
      verified.verify();
    } catch (IOException | RuntimeException | Error e) {
      failure = e;
    } catch (InterruptedException e) {
      failure = new IOException("interrupted", e);
    }
    pipe.end(failure);
    return failure == null;
  }

  private UnpackedLayer unpack(LayerBlob blob, BlockPipe pipe, Path target) throws IOException {
    MessageDigest computation = blob.diffId().algorithm().start();
    try (Folder root = Folder.open(target)) {
      ByteFeed feed = pipe.reader(computation);
      UnpackedLayer layer =
          blob.form() instanceof LayerForm.SingleFile file
              ? new FileLayer(root, limits).write(file.path(), blob.size(), feed)
              : extract(root, blob, feed);
      feed.drain();
      verify(blob, blob.diffId().algorithm().finish(computation));
      return layer;
    }
  }

  private static void verify(LayerBlob blob, Digest actual) throws CorruptContentException {
    switch (blob.form()) {
      case LayerForm.Tar _ -> {
        if (!actual.equals(blob.diffId())) {
          throw new CorruptContentException(
              "layer %s unpacks to %s and not to %s, as the config says"
                  .formatted(blob.label(), actual, blob.diffId()));
        }
      }
      case LayerForm.PartOfTar(String _, Digest tar) -> {
        if (!actual.equals(tar)) {
          throw new CorruptContentException("the archive changed while it was read");
        }
      }
      case LayerForm.UncheckedTar _, LayerForm.SingleFile _, LayerForm.HostFolder _ -> {}
    }
  }

  private UnpackedLayer extract(Folder root, LayerBlob blob, ByteFeed feed) throws IOException {
    try (LayerExtractor extractor = new LayerExtractor(root, limits, blob.size())) {
      return extractor.extract(
          new TarReader(feed),
          blob.form() instanceof LayerForm.PartOfTar part ? part.folder() : "");
    }
  }
}
