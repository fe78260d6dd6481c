package io.keelson.image.store;

import io.keelson.image.reference.Digest;
import io.keelson.linux.tree.Trees;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** A layer that is being unpacked. Nobody sees it until it is published. For one thread. */
public final class NewLayer implements AutoCloseable {

  private final StoreFolders folders;
  private final Path folder;
  private Trees.@Nullable Usage packed;
  private boolean published;

  NewLayer(StoreFolders folders, Path folder) {
    this.folders = folders;
    this.folder = folder;
  }

  /** Where its files go; empty at first. */
  public Path content() {
    return folder.resolve(LayersOnDisk.CONTENT);
  }

  /** Where the blob goes if it is to be kept. */
  public Path blob() {
    return folder.resolve(LayersOnDisk.BLOB);
  }

  /**
   * Makes one erofs image of the files; nothing can be added any more.
   *
   * @param diffId of what was unpacked
   */
  public void pack(Digest diffId) throws IOException {
    packed = ErofsLayer.pack(folder, diffId);
  }

  /** What the image takes on disk, null if the layer is none. */
  Trees.@Nullable Usage packed() {
    return packed;
  }

  Path folder() {
    return folder;
  }

  void published() {
    published = true;
  }

  /** Deletes it, if it was not published. */
  @Override
  public void close() throws IOException {
    if (!published) {
      folders.discard(folder);
    }
  }
}
