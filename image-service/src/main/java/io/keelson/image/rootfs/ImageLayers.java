package io.keelson.image.rootfs;

import io.keelson.image.store.LayerStore;
import io.keelson.image.store.StoredImage;
import io.keelson.linux.Errno;
import io.keelson.linux.ErrnoException;
import io.keelson.sandbox.error.ResourceExhaustedException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The folders of an image's layers. Safe for use by many threads. */
final class ImageLayers {

  private final LayerStore layers;

  ImageLayers(LayerStore layers) {
    this.layers = layers;
  }

  /** The topmost first; empty for an image without layers. */
  List<Path> of(StoredImage image) throws IOException {
    List<Path> folders = new ArrayList<>();
    for (var chainId : image.chainIds()) {
      folders.addFirst(
          layers
              .find(chainId)
              .orElseThrow(() -> new IOException("layer " + chainId + " has gone"))
              .content());
    }
    return folders;
  }

  static void throwIfFull(String what, Exception failure) {
    if (failure instanceof ErrnoException errno
        && (errno.is(Errno.ENOSPC) || errno.is(Errno.EDQUOT))) {
      throw new ResourceExhaustedException("no space for " + what, failure);
    }
  }
}
