package io.keelson.linux.tree;

import io.keelson.linux.Errno;
import io.keelson.linux.ErrnoException;
import java.util.HashSet;
import java.util.Set;

/** Work on whole trees. Never leaves the tree; mounts in it must be gone. */
public final class Trees {

  /**
   * Folders deeper than this below a folder are first moved up, so that no depth needs a descriptor
   * each.
   */
  private static final int MAX_DEPTH = 200;

  private Trees() {}

  /** Deletes {@code name} in {@code parent} with all below it. Harmless if there is none. */
  public static void delete(Folder parent, String name) throws ErrnoException {
    try {
      parent.unlink(name);
      return;
    } catch (ErrnoException e) {
      if (e.is(Errno.ENOENT)) {
        return;
      }
      if (!e.is(Errno.EISDIR)) {
        throw e;
      }
    }
    try (Folder folder = parent.openFolder(name)) {
      new Deletion(folder).empty(folder, 0);
    }
    parent.removeFolder(name);
  }

  /** What a folder and all below it take; inodes with many names count once. */
  public static Usage usage(Folder folder) throws ErrnoException {
    Measurement measurement = new Measurement();
    folder.status(".").ifPresent(measurement::add);
    measurement.addAll(folder, 0);
    return new Usage(measurement.bytes, measurement.inodes);
  }

  /**
   * @param bytes as allocated on disk
   * @param inodes of all types
   */
  public record Usage(long bytes, long inodes) {}

  private static final class Deletion {

    private final Folder top;
    private int moved;

    Deletion(Folder top) {
      this.top = top;
    }

    void empty(Folder folder, int depth) throws ErrnoException {
      boolean again;
      do {
        again = false;
        for (String name : folder.list()) {
          try {
            folder.unlink(name);
            continue;
          } catch (ErrnoException e) {
            if (e.is(Errno.ENOENT)) {
              continue;
            }
            if (!e.is(Errno.EISDIR)) {
              throw e;
            }
          }
          if (depth == MAX_DEPTH) {
            folder.move(name, top, freeName());
            continue;
          }
          try (Folder below = folder.openFolder(name)) {
            empty(below, depth + 1);
          }
          folder.removeFolder(name);
        }
        // What was moved up came after the listing was made.
        again = depth == 0 && !folder.list().isEmpty();
      } while (again);
    }

    private String freeName() throws ErrnoException {
      String name;
      do {
        name = ".moved-" + moved++;
      } while (top.status(name).isPresent());
      return name;
    }
  }

  private static final class Measurement {

    private final Set<Long> linked = new HashSet<>();
    private long bytes;
    private long inodes;

    void add(FileStatus status) {
      if (!status.isDirectory() && status.links() > 1 && !linked.add(status.inode())) {
        return;
      }
      bytes += status.allocated();
      inodes++;
    }

    void addAll(Folder folder, int depth) throws ErrnoException {
      for (String name : folder.list()) {
        FileStatus status = folder.status(name).orElse(null);
        if (status == null) {
          continue;
        }
        add(status);
        if (status.isDirectory() && depth < MAX_DEPTH) {
          try (Folder below = folder.openFolder(name)) {
            addAll(below, depth + 1);
          } catch (ErrnoException e) {
            if (!e.is(Errno.ENOENT) && !e.is(Errno.ENOTDIR)) {
              throw e;
            }
          }
        }
      }
    }
  }
}
