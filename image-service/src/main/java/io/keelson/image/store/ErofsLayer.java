package io.keelson.image.store;

import io.keelson.image.reference.Digest;
import io.keelson.linux.Commands;
import io.keelson.linux.Errno;
import io.keelson.linux.ErrnoException;
import io.keelson.linux.Mounts;
import io.keelson.linux.tree.Folder;
import io.keelson.linux.tree.Trees;
import io.keelson.sandbox.error.UnsupportedException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/**
 * A layer as one erofs image (kernel documentation, erofs), mounted once where its files would be:
 * whoever reads a layer sees no difference, and nobody can change it. Whiteouts and attributes of
 * overlayfs are in the image as they are in a folder. Files that are mounted without a loop device
 * want Linux 6.12.
 */
final class ErofsLayer {

  /** The image, beside the folder where it is mounted. */
  static final String FILE = "erofs";

  /** What a packed layer takes besides its file: two folders, the record, the file. */
  private static final int INODES = 4;

  private static final String PROGRAM = "mkfs.erofs";
  private static final Duration PATIENCE = Duration.ofMinutes(30);
  private static final int MAX_OUTPUT = 64 * 1024;

  private ErofsLayer() {}

  /**
   * Makes an image of nothing and mounts it.
   *
   * @param scratch an empty folder; stays with what was made in it
   * @throws UnsupportedException if this host can't; the message says what it lacks
   */
  static void check(Path scratch) throws IOException {
    Path content = Files.createDirectory(scratch.resolve(LayersOnDisk.CONTENT));
    try {
      pack(scratch, Digest.of(new byte[0]));
      mount(scratch);
    } catch (ErrnoException e) {
      throw new UnsupportedException(
          switch (e.errno()) {
            case Errno.ENOENT ->
                "images.backend is \"erofs\", and %s is not installed (package erofs-utils)"
                    .formatted(PROGRAM);
            case Errno.ENODEV ->
                "images.backend is \"erofs\", and this kernel has no erofs (modprobe erofs)";
            case Errno.ENOTBLK ->
                "images.backend is \"erofs\", and this kernel can't mount a file of %s without a"
                        .formatted(scratch)
                    + " device: that wants Linux 6.12 (CONFIG_EROFS_FS_BACKED_BY_FILE) and a disk's"
                    + " file system, not tmpfs";
            default -> "images.backend is \"erofs\", which does not work here: " + e.getMessage();
          },
          e);
    } finally {
      unmount(content);
    }
  }

  /**
   * Makes the image of a layer's files, which are deleted then.
   *
   * @param layer the layer's folder
   * @param name becomes the image's UUID, so that the same layer is the same image
   * @return what it takes on disk
   */
  static Trees.Usage pack(Path layer, Digest name) throws IOException {
    Path file = layer.resolve(FILE);
    Commands.Output made =
        Commands.run(
            List.of(
                PROGRAM,
                "--quiet",
                // Times with nanoseconds, and large numbers of owners.
                "-Eforce-inode-extended",
                "-U" + UUID.nameUUIDFromBytes(name.toString().getBytes(StandardCharsets.UTF_8)),
                file.toString(),
                layer.resolve(LayersOnDisk.CONTENT).toString()),
            Map.of("PATH", "/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL", "C"),
            new byte[0],
            PATIENCE,
            MAX_OUTPUT);
    if (!made.isSuccess()) {
      String said = (made.stdoutText() + made.stderrText()).strip();
      // Its words for a full disk are the C library's, by which callers know it.
      throw new IOException("%s ended with %d: %s".formatted(PROGRAM, made.exitCode(), said));
    }
    try (Folder folder = Folder.open(layer)) {
      Trees.delete(folder, LayersOnDisk.CONTENT);
    }
    Files.createDirectory(layer.resolve(LayersOnDisk.CONTENT));
    return new Trees.Usage(Files.size(file), INODES);
  }

  /** Mounts the image of a layer, unless it is mounted already. */
  static void mount(Path layer) throws IOException {
    Path content = layer.resolve(LayersOnDisk.CONTENT);
    if (!Mounts.isMountPoint(content)) {
      Mounts.mount(layer.resolve(FILE).toString(), content, "erofs", Mounts.MS_RDONLY, null);
    }
  }

  /** Takes the mount away, if there is one. Overlays over it have mounts of their own. */
  static void unmount(Path content) throws IOException {
    while (Mounts.detach(content)) {
      // Two may lie on each other after an unlucky restart.
    }
  }
}
