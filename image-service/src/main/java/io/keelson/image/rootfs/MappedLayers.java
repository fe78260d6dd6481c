package io.keelson.image.rootfs;

import io.keelson.linux.Errno;
import io.keelson.linux.ErrnoException;
import io.keelson.linux.MountAttributes;
import io.keelson.linux.Mounts;
import io.keelson.sandbox.error.UnsupportedException;
import io.keelson.sandbox.port.PodUserNamespace;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The layers of an image with the owners that a user namespace gives their files (idmapped mounts,
 * which overlayfs takes as lower layers from Linux 5.19 on). An overlay keeps mounts of its own, so
 * these are there only while it is made.
 */
final class MappedLayers implements AutoCloseable {

  private final Path folder;
  private final List<Path> paths;

  private MappedLayers(Path folder, List<Path> paths) {
    this.folder = folder;
    this.paths = paths;
  }

  /**
   * Mounts the layers.
   *
   * @param folder a folder to be made for the mounts
   * @param layers in any order
   * @throws UnsupportedException if the file system of the layers can't map owners
   */
  static MappedLayers mount(Path folder, List<Path> layers, PodUserNamespace owners)
      throws IOException {
    Files.createDirectory(folder);
    List<Path> paths = new ArrayList<>();
    try {
      for (Path layer : layers) {
        Path target = Files.createDirectory(folder.resolve(Integer.toString(paths.size())));
        MountAttributes.bindLayer(layer, target, owners.file());
        paths.add(target);
      }
      return new MappedLayers(folder, paths);
    } catch (IOException | RuntimeException e) {
      try {
        remove(folder);
      } catch (IOException second) {
        e.addSuppressed(second);
      }
      if (e instanceof ErrnoException errno && (errno.is(Errno.EINVAL) || errno.is(Errno.ENOSYS))) {
        throw new UnsupportedException(
            "pods with a user namespace can't have images on the file system of %s, which maps no owners (ext4, xfs, btrfs and tmpfs do): %s"
                .formatted(layers.getFirst(), e.getMessage()),
            e);
      }
      throw e;
    }
  }

  /** Where the layers are, in the order in which they were given. */
  List<Path> paths() {
    return List.copyOf(paths);
  }

  /** Takes away what a daemon that was killed while it made an overlay has left. */
  static void remove(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      return;
    }
    try (DirectoryStream<Path> targets = Files.newDirectoryStream(folder)) {
      for (Path target : targets) {
        while (Mounts.detach(target)) {
          // until nothing of the image can be reached through it
        }
        Files.delete(target);
      }
    }
    Files.delete(folder);
  }

  @Override
  public void close() throws IOException {
    remove(folder);
  }
}
