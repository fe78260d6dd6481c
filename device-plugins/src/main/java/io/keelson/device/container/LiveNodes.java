package io.keelson.device.container;

import io.keelson.linux.Errno;
import io.keelson.linux.ErrnoException;
import io.keelson.linux.ProcessId;
import io.keelson.linux.tree.Folder;
import io.keelson.sandbox.spec.SpecDevice;
import java.io.IOException;
import java.nio.file.Path;

/**
 * Device nodes in the file system of a container that runs. Its root is the root of all paths:
 * whatever links the container makes, nothing outside of it is touched.
 */
final class LiveNodes {

  private static final int S_IFCHR = 0020000;
  private static final int S_IFBLK = 0060000;
  private static final int FOLDER = 0755;

  private LiveNodes() {}

  /** Makes the node; one that is there at its path is replaced. */
  static void make(ProcessId init, SpecDevice node) throws IOException {
    Path path = Path.of("/").relativize(Path.of(node.path()).normalize());
    String name = String.valueOf(path.getFileName());
    try (Folder root = root(init);
        Folder parent = parent(root, path)) {
      int type = node.kind() == SpecDevice.Kind.BLOCK ? S_IFBLK : S_IFCHR;
      unlink(parent, name);
      parent.createNode(name, type | node.fileMode(), (int) node.major(), (int) node.minor());
      parent.setOwner(name, (int) node.uid(), (int) node.gid());
      parent.setPermissions(name, node.fileMode());
    }
  }

  /** Removes the node. Harmless if there is none. */
  static void remove(ProcessId init, String containerPath) throws IOException {
    Path path = Path.of("/").relativize(Path.of(containerPath).normalize());
    Path folder = path.getParent();
    try (Folder root = root(init);
        Folder parent = root.resolve(folder == null ? "." : folder.toString())) {
      unlink(parent, String.valueOf(path.getFileName()));
    } catch (ErrnoException e) {
      if (!e.is(Errno.ENOENT) && !e.is(Errno.ENOTDIR)) {
        throw e;
      }
    }
  }

  private static Folder root(ProcessId init) throws IOException {
    Folder root = Folder.open(Path.of("/proc", String.valueOf(init.pid()), "root"));
    if (!init.isAlive()) { // the number is another process's by now
      root.close();
      throw new IOException("the container has ended");
    }
    return root;
  }

  private static Folder parent(Folder root, Path path) throws ErrnoException {
    Path folder = path.getParent();
    if (folder == null) {
      return root.resolve(".");
    }
    for (int length = 1; length <= folder.getNameCount(); length++) {
      Path part = folder.subpath(0, length);
      Path above = part.getParent();
      try (Folder at = root.resolve(above == null ? "." : above.toString())) {
        at.createFolder(String.valueOf(part.getFileName()), FOLDER);
      } catch (ErrnoException e) {
        if (!e.is(Errno.EEXIST)) {
          throw e;
        }
      }
    }
    return root.resolve(folder.toString());
  }

  private static void unlink(Folder folder, String name) throws ErrnoException {
    try {
      folder.unlink(name);
    } catch (ErrnoException e) {
      if (!e.is(Errno.ENOENT)) {
        throw e;
      }
    }
  }
}
