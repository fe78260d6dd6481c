package io.keelson.device.registration;

import java.io.IOException;
import java.nio.file.FileVisitOption;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.EnumSet;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/** Finds the sockets in a folder and in the folders right below it. */
final class SocketScan {

  private static final int S_IFMT = 0170000;
  private static final int S_IFSOCK = 0140000;
  private static final int DEPTH = 2;

  private SocketScan() {}

  /**
   * Which socket it is: one that was removed and made anew under its name is another.
   *
   * @param changed as stat(2) tells it, for file systems that give out an inode again at once
   */
  record Identity(Object inode, Object changed) {}

  /** The sockets by path; those with a dot before their name are hidden. */
  static Map<Path, Identity> of(Path folder) throws IOException {
    Map<Path, Identity> found = new TreeMap<>();
    Files.walkFileTree(
        folder,
        EnumSet.noneOf(FileVisitOption.class),
        DEPTH,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            if (attributes.isOther() && !file.getFileName().toString().startsWith(".")) {
              Map<String, Object> status =
                  Files.readAttributes(file, "unix:mode,ino,ctime", LinkOption.NOFOLLOW_LINKS);
              if (((Integer) get(status, "mode") & S_IFMT) == S_IFSOCK) {
                found.put(file, new Identity(get(status, "ino"), get(status, "ctime")));
              }
            }
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFileFailed(Path file, IOException e) throws IOException {
            if (file.equals(folder)) {
              throw e;
            }
            return FileVisitResult.CONTINUE; // it went while we looked, or it is not for us
          }
        });
    return found;
  }

  private static Object get(Map<String, Object> attributes, String name) {
    return Objects.requireNonNull(attributes.get(name), name);
  }
}
