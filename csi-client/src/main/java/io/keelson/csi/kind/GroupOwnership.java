package io.keelson.csi.kind;

import io.keelson.linux.KernelThreads;
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Gives the files of a volume to a group, for drivers that can't: all of them belong to it and may
 * be read and written by it, and what is made in a folder later belongs to it too (set-group-id). A
 * volume whose top folder is so already is left as it is: walking millions of files at each start
 * of a pod is what makes pods slow. Safe for use by many threads.
 */
public final class GroupOwnership {

  private static final int SET_GROUP_ID = 02000;
  private static final int GROUP_READ_WRITE = 0060;
  private static final int GROUP_EXECUTE = 0010;
  private static final int PERMISSIONS = 07777;

  private final KernelThreads kernelThreads;

  public GroupOwnership(KernelThreads kernelThreads) {
    this.kernelThreads = kernelThreads;
  }

  void apply(Path top, long group) throws IOException {
    kernelThreads.run(
        () -> {
          if (!isDone(top, group)) {
            walk(top, group);
          }
        });
  }

  private static boolean isDone(Path top, long group) throws IOException {
    Map<String, Object> attributes = Files.readAttributes(top, "unix:mode,gid");
    return attributes.get("gid") instanceof Integer gid
        && Integer.toUnsignedLong(gid) == group
        && attributes.get("mode") instanceof Integer mode
        && (mode & (SET_GROUP_ID | GROUP_READ_WRITE)) == (SET_GROUP_ID | GROUP_READ_WRITE);
  }

  /** The top folder comes last: as long as it is not done, a start after a crash begins anew. */
  private static void walk(Path top, long group) throws IOException {
    Files.walkFileTree(
        top,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            give(file, group, attributes);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFileFailed(Path file, IOException failure)
              throws IOException {
            if (failure instanceof NoSuchFileException) {
              return FileVisitResult.CONTINUE;
            }
            throw failure;
          }

          @Override
          public FileVisitResult postVisitDirectory(Path folder, @Nullable IOException failure)
              throws IOException {
            if (failure != null) {
              throw failure;
            }
            give(
                folder,
                group,
                Files.readAttributes(folder, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS));
            return FileVisitResult.CONTINUE;
          }
        });
  }

  private static void give(Path path, long group, BasicFileAttributes attributes)
      throws IOException {
    Files.setAttribute(path, "unix:gid", (int) group, LinkOption.NOFOLLOW_LINKS);
    if (attributes.isSymbolicLink()) {
      return;
    }
    Object mode = Files.getAttribute(path, "unix:mode", LinkOption.NOFOLLOW_LINKS);
    int permissions = ((Integer) mode & PERMISSIONS) | GROUP_READ_WRITE;
    if (attributes.isDirectory()) {
      permissions |= SET_GROUP_ID | GROUP_EXECUTE;
    }
    Files.setAttribute(path, "unix:mode", permissions);
  }
}
