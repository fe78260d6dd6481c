package io.keelson.image.rootfs;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * A way to make a container's root file system of an image's layers. It is taken away without the
 * backend's help: mounts are detached, folders deleted, and layers are never changed. Safe for use
 * by many threads.
 */
interface Backend {

  /**
   * Shows the root at {@link RootFolder#merged}.
   *
   * @param folder has an empty {@code merged} and nothing else that the backend needs
   * @param layers the topmost first; never empty
   * @param label the SELinux label that the files show; {@code ""} for their own
   */
  void make(RootFolder folder, List<Path> layers, String label) throws IOException;

  /** Whether that may take minutes, as mounts don't. */
  default boolean isSlow() {
    return false;
  }
}
