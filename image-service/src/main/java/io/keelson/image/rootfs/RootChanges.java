package io.keelson.image.rootfs;

import io.keelson.image.archive.ChangesExtractor;
import io.keelson.image.archive.MalformedArchiveException;
import io.keelson.image.archive.OverlayChanges;
import io.keelson.image.archive.UnpackLimits;
import io.keelson.image.store.ImageCatalog;
import io.keelson.image.store.StoredImage;
import io.keelson.linux.KernelThreads;
import io.keelson.linux.Mounts;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.error.NotFoundException;
import io.keelson.sandbox.error.UnsupportedException;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** What containers have changed in their root file systems. Safe for use by many threads. */
final class RootChanges {

  private final ImageCatalog catalog;
  private final ImageLayers layers;
  private final UnpackLimits limits;
  private final KernelThreads slowThreads;

  RootChanges(
      ImageCatalog catalog, ImageLayers layers, UnpackLimits limits, KernelThreads slowThreads) {
    this.catalog = catalog;
    this.layers = layers;
    this.limits = limits;
    this.slowThreads = slowThreads;
  }

  List<String> write(RootFolder folder, OutputStream tar) throws IOException {
    if (!Files.isDirectory(folder.upper())) {
      if (Mounts.isMountPoint(folder.merged())) {
        return List.of(); // read-only
      }
      throw new UnsupportedException(
          "what container %s has changed can't be told: its root file system is a copy of its image"
              .formatted(folder.containerId()));
    }
    String id = Files.readString(folder.image());
    StoredImage image =
        catalog.find(id).orElseThrow(() -> new NotFoundException("image " + id + " is gone"));
    List<Path> below = layers.of(image);
    return slowThreads.call(
        () -> OverlayChanges.write(folder.upper(), below, folder.merged(), tar));
  }

  void apply(RootFolder folder, Path tar, List<String> deleted) throws IOException {
    try {
      slowThreads.run(() -> ChangesExtractor.apply(folder.merged(), tar, deleted, limits));
    } catch (MalformedArchiveException | EOFException e) {
      throw new InvalidRequestException(
          "the changes of a root file system can't be taken over: " + e.getMessage(), e);
    } catch (IOException e) {
      ImageLayers.throwIfFull("the root file system of container " + folder.containerId(), e);
      throw e;
    }
  }
}
