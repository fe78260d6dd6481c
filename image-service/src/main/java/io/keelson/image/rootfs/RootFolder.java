package io.keelson.image.rootfs;

import java.nio.file.Path;

/**
 * The folder of one container's root file system.
 *
 * @param path {@code rootfs/CONTAINERID}
 */
record RootFolder(Path path) {

  /** What the container has changed. */
  Path upper() {
    return path.resolve("upper");
  }

  /** The kernel's. */
  Path work() {
    return path.resolve("work");
  }

  /** Where the root is mounted. */
  Path merged() {
    return path.resolve("merged");
  }

  /** Stands in for the layers of an image that has none. */
  Path empty() {
    return path.resolve("empty");
  }

  /** The id of the image that the root is made from. */
  Path image() {
    return path.resolve("image");
  }

  String containerId() {
    return path.getFileName().toString();
  }
}
