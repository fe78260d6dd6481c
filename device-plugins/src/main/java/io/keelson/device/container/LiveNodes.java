package io.keelson.device.container;

import io.keelson.linux.Errno;
import io.keelson.linux.ErrnoException;
import io.keelson.linux.ProcessId;
import io.keelson.linux.tree.Folder;
import io.keelson.linux.tree.Inode;
import io.keelson.sandbox.port.PodUserNamespace;
import io.keelson.sandbox.spec.SpecDevice;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Device nodes in the file system of a container that runs. Its root is the root of all paths:
 * whatever links the container makes, nothing outside of it is touched.
 */
final class LiveNodes {

  private static final int S_IFCHR = 0020000;
  private static final int S_IFBLK = 0060000;
  private static final int FOLDER = 0755;

  private final ProcessId init;
  private final Optional<MountedNodes> mounted;

  /**
   * The nodes of a container.
   *
   * @param init its first process
   * @param users its user namespace: file systems that are made in one open no device, so there
   *     each node is a mount of its own
   */
  LiveNodes(ProcessId init, Optional<PodUserNamespace> users) {
    this.init = init;
    this.mounted = users.map(namespace -> new MountedNodes(init, namespace));
  }

  /** Makes the node; one that is there at its path is replaced. */
  void make(SpecDevice node) throws IOException {
    remove(node.path());
    Path path = relative(node.path());
    String name = String.valueOf(path.getFileName());
    try (Folder root = root()) {
      if (mounted.isPresent()) {
        try (Folder parent = mounted.get().placeFor(root, path)) {
          mounted.get().mount(parent, name, node);
        }
      } else {
        try (Folder parent = parent(root, path)) {
          create(parent, name, node, (int) node.uid(), (int) node.gid());
        }
      }
    }
  }

  /** Removes the node. Harmless if there is none. */
  void remove(String containerPath) throws IOException {
    Path path = relative(containerPath);
    String name = String.valueOf(path.getFileName());
    Path folder = path.getParent();
    try (Folder root = root();
        Folder parent = root.resolve(folder == null ? "." : folder.toString())) {
      if (mounted.isPresent()) {
        mounted.get().unmount(parent, name);
      }
      parent.unlink(name);
    } catch (ErrnoException e) {
      if (!e.is(Errno.ENOENT) && !e.is(Errno.ENOTDIR)) {
        throw e;
      }
    }
  }

  private static Path relative(String containerPath) {
    return Path.of("/").relativize(Path.of(containerPath).normalize());
  }

  private Folder root() throws IOException {
    Folder root = Folder.open(Path.of("/proc", String.valueOf(init.pid()), "root"));
    if (!init.isAlive()) { // the number is another process's by now
      root.close();
      throw new IOException("the container has ended");
    }
    return root;
  }

  static void create(Folder parent, String name, SpecDevice node, int uid, int gid)
      throws ErrnoException {
    int type = node.kind() == SpecDevice.Kind.BLOCK ? S_IFBLK : S_IFCHR;
    parent.createNode(name, type | node.fileMode(), (int) node.major(), (int) node.minor());
    Inode made = parent.inode(name);
    made.setOwner(uid, gid);
    made.setPermissions(node.fileMode());
  }

  /** The folder of a path, made if it is not there. */
  static Folder parent(Folder root, Path path) throws ErrnoException {
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
}
