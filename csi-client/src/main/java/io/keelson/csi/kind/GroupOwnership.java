package io.keelson.csi.kind;

import io.keelson.linux.Errno;
import io.keelson.linux.ErrnoException;
import io.keelson.linux.KernelThreads;
import io.keelson.linux.tree.FileStatus;
import io.keelson.linux.tree.Folder;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Gives the files of a volume to a group, for drivers that can't: all of them belong to it and may
 * be read and written by it, and what is made in a folder later belongs to it too (set-group-id). A
 * volume whose top folder is so already is left as it is: walking millions of files at each start
 * of a pod is what makes pods slow. Containers of other pods may change the volume meanwhile; no
 * symbolic link of theirs leads out of it. Safe for use by many threads.
 */
final class GroupOwnership {

  private static final int SET_GROUP_ID = 02000;
  private static final int GROUP_READ_WRITE = 0060;
  private static final int GROUP_EXECUTE = 0010;
  private static final int SAME = -1;
  private static final String SELF = ".";

  /** Each level holds a descriptor. */
  private static final int MAX_DEPTH = 200;

  private final KernelThreads kernelThreads;

  GroupOwnership(KernelThreads kernelThreads) {
    this.kernelThreads = kernelThreads;
  }

  void apply(Path top, long group) throws IOException {
    kernelThreads.run(
        () -> {
          try (Folder folder = Folder.open(top)) {
            if (folder.status(SELF).filter(status -> isDone(status, group)).isEmpty()) {
              walk(folder, (int) group, 0);
            }
          }
        });
  }

  private static boolean isDone(FileStatus status, long group) {
    int wanted = SET_GROUP_ID | GROUP_READ_WRITE;
    return Integer.toUnsignedLong(status.gid()) == group
        && (status.permissions() & wanted) == wanted;
  }

  /** The folder itself comes last: as long as it is not done, a start after a crash begins anew. */
  private static void walk(Folder folder, int group, int depth) throws IOException {
    if (depth > MAX_DEPTH) {
      throw new IOException("the volume has folders in more than " + MAX_DEPTH + " levels");
    }
    for (String name : folder.list()) {
      try {
        Optional<FileStatus> status = folder.status(name);
        if (status.isPresent() && status.get().isDirectory()) {
          try (Folder below = folder.openFolder(name)) {
            walk(below, group, depth + 1);
          }
        } else {
          give(folder, name, group);
        }
      } catch (ErrnoException e) {
        if (!e.is(Errno.ENOENT)) {
          throw e;
        }
        // Deleted meanwhile.
      }
    }
    give(folder, SELF, group);
  }

  private static void give(Folder folder, String name, int group) throws ErrnoException {
    folder.inode(name).setOwner(SAME, group);
    FileStatus status = folder.status(name).orElse(null);
    if (status == null || status.type() == FileStatus.S_IFLNK) {
      return;
    }
    int permissions = status.permissions() | GROUP_READ_WRITE;
    if (status.isDirectory()) {
      permissions |= SET_GROUP_ID | GROUP_EXECUTE;
    }
    folder.inode(name).setPermissionsNoFollow(permissions);
  }
}
