package io.keelson.image.store;

import java.io.IOException;
import java.nio.file.Path;

/** A layer that is being unpacked. Nobody sees it until it is published. For one thread. */
public final class NewLayer implements AutoCloseable {

  private final StoreFolders folders;
  private final Path folder;
  private boolean published;

  NewLayer(StoreFolders folders, Path folder) {
    this.folders = folders;
    this.folder = folder;
  }

  /** Where its files go; empty at first. */
  public Path content() {
    return folder.resolve(LayerStore.CONTENT);
  }

  /** Where the blob goes if it is to be kept. */
  public Path blob() {
    return folder.resolve(LayerStore.BLOB);
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
