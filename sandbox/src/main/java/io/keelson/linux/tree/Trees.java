package io.keelson.linux.tree;

import io.keelson.linux.Errno;
import io.keelson.linux.ErrnoException;
import io.keelson.linux.Fd;
import io.keelson.linux.ProjectQuota;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.Set;

/** Work on whole trees. Never leaves the tree; mounts in it must be gone. */
public final class Trees {

  /**
   * Folders deeper than this are moved up first, so that no more descriptors than this are open.
   */
  private static final int MAX_DEPTH = 200;

  private Trees() {}

  /**
   * Deletes {@code name} in {@code parent} with all below it. Harmless if there is none, or if
   * another thread deletes the same. If it is cut short by a crash, parts may be left in {@code
   * parent} under names that begin with a dot.
   */
  public static void delete(Folder parent, String name) throws ErrnoException {
    new Deletion(parent).run(name);
  }

  /** What a folder and all below it take; inodes with many names count once. */
  public static Usage usage(Folder folder) throws ErrnoException {
    Measurement measurement = new Measurement();
    folder.status(".").ifPresent(measurement::add);
    measurement.addAll(folder, 0);
    return new Usage(measurement.bytes, measurement.inodes);
  }

  /**
   * Puts a folder and all below it under a project quota, the folder itself last: it tells that all
   * is done. Links, devices and the like can't belong to one.
   */
  public static void assign(Folder folder, int project) throws ErrnoException {
    for (String name : folder.list()) {
      FileStatus status = folder.status(name).orElse(null);
      if (status != null && status.isDirectory()) {
        try (Folder below = folder.openFolder(name)) {
          assign(below, project);
        }
      } else if (status != null && status.isRegularFile()) {
        try (Fd file = folder.openDescriptor(name)) {
          ProjectQuota.assignFile(file.number(), project);
        }
      }
    }
    ProjectQuota.assignFolder(folder.number(), project);
  }

  /**
   * @param bytes as allocated on disk
   * @param inodes of all types
   */
  public record Usage(long bytes, long inodes) {}

  private static final class Deletion {

    private final Folder top;
    private final Deque<String> movedUp = new ArrayDeque<>();
    private int moved;

    Deletion(Folder top) {
      this.top = top;
    }

    void run(String name) throws ErrnoException {
      delete(top, name, 0);
      while (!movedUp.isEmpty()) {
        delete(top, movedUp.removeFirst(), 0);
      }
    }

    private void delete(Folder parent, String name, int depth) throws ErrnoException {
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
      try {
        if (depth == MAX_DEPTH) {
          String free = freeName(name);
          parent.move(name, top, free);
          movedUp.add(free);
          return;
        }
        try (Folder folder = parent.openFolder(name)) {
          for (String child : folder.list()) {
            delete(folder, child, depth + 1);
          }
        }
        parent.removeFolder(name);
      } catch (ErrnoException e) {
        if (!e.is(Errno.ENOENT)) {
          throw e;
        }
      }
    }

    private String freeName(String name) throws ErrnoException {
      String free;
      do {
        free = ".deleted-" + moved++ + "-" + Integer.toHexString(name.hashCode());
      } while (top.status(free).isPresent());
      return free;
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
