package io.keelson.linux;

import static java.nio.file.StandardOpenOption.CREATE_NEW;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Files that are always whole: a reader, or the next start after a crash, sees the old or the new.
 */
public final class AtomicFile {

  /**
   * How the names of unfinished files end; they begin with a dot. What is left of them may be
   * deleted.
   */
  public static final String UNFINISHED_SUFFIX = ".tmp";

  private static final Set<OpenOption> NEW = Set.of(CREATE_NEW, WRITE);
  private static final FileAttribute<?> OWNER_ONLY =
      PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));

  private AtomicFile() {}

  /**
   * Replaces or makes a file that its owner alone may read (mode 0600): what is kept of containers
   * holds their secrets. If many write at once, the last one wins.
   *
   * @param sync true if the content must survive a crash of the machine: costs an fsync of the file
   *     and one of its folder. Without it, a crash of the daemon alone loses nothing either.
   */
  public static void write(Path file, byte[] content, boolean sync) throws IOException {
    Path folder = folderOf(file);
    String suffix = Long.toHexString(ThreadLocalRandom.current().nextLong()) + UNFINISHED_SUFFIX;
    Path unfinished = folder.resolve("." + file.getFileName() + "." + suffix);
    try {
      try (FileChannel channel = FileChannel.open(unfinished, NEW, OWNER_ONLY)) {
        ByteBuffer buffer = ByteBuffer.wrap(content);
        while (buffer.hasRemaining()) {
          channel.write(buffer);
        }
        if (sync) {
          channel.force(false);
        }
      }
      Files.move(unfinished, file, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      try {
        Files.deleteIfExists(unfinished);
      } catch (IOException second) {
        e.addSuppressed(second);
      }
      throw e;
    }
    if (sync) {
      syncFolder(folder);
    }
  }

  /**
   * Makes a file that was written without {@code sync} survive a crash of the machine.
   *
   * @throws java.nio.file.NoSuchFileException if it is gone
   */
  public static void sync(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file, WRITE)) {
      channel.force(false);
    }
    syncFolder(folderOf(file));
  }

  private static Path folderOf(Path file) {
    return Objects.requireNonNull(file.toAbsolutePath().getParent(), "file without a folder");
  }

  private static void syncFolder(Path folder) throws IOException {
    try (FileChannel channel = FileChannel.open(folder, READ)) {
      channel.force(true);
    }
  }
}
