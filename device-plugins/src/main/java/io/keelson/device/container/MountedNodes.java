package io.keelson.device.container;

import io.keelson.linux.FileIds;
import io.keelson.linux.IdMapping;
import io.keelson.linux.MountClone;
import io.keelson.linux.Mounts;
import io.keelson.linux.NamespaceType;
import io.keelson.linux.Namespaces;
import io.keelson.linux.ProcessId;
import io.keelson.linux.tree.Folder;
import io.keelson.sandbox.port.PodUserNamespace;
import io.keelson.sandbox.spec.SpecDevice;
import java.io.IOException;
import java.nio.file.Path;

/**
 * Device nodes of a container with a user namespace. Each is made on a small file system of the
 * host's, with the owner that the container's is there, and mounted over a file of the container.
 */
final class MountedNodes {

  /** Every host has it; what is mounted over it here is seen nowhere else. */
  private static final Path STAGE = Path.of("/dev");

  private final Path mountNamespace;
  private final PodUserNamespace users;

  MountedNodes(ProcessId init, PodUserNamespace users) {
    this.mountNamespace =
        Path.of("/proc", String.valueOf(init.pid()), "ns", NamespaceType.MOUNT.procName());
    this.users = users;
  }

  /** Makes the file that a node will cover, and its folder, which is answered. */
  Folder placeFor(Folder root, Path path) throws IOException {
    return FileIds.callAs(
        users.rootUid(),
        users.rootGid(),
        () -> {
          Folder parent = LiveNodes.parent(root, path);
          try {
            parent.createFile(String.valueOf(path.getFileName())).close();
            return parent;
          } catch (IOException | RuntimeException e) {
            parent.close();
            throw e;
          }
        });
  }

  void mount(Folder parent, String name, SpecDevice node) throws IOException {
    try (MountClone clone = Namespaces.callInOwnMounts(() -> stage(node))) {
      Namespaces.callIn(
          mountNamespace,
          NamespaceType.MOUNT,
          () -> {
            parent.enter();
            clone.attach(Path.of(name));
            return Boolean.TRUE;
          });
    }
  }

  private MountClone stage(SpecDevice node) throws IOException {
    Mounts.mount(
        "keelson", STAGE, "tmpfs", Mounts.MS_NOSUID | Mounts.MS_NOEXEC, "mode=0755,nr_inodes=2");
    String name = "node";
    try (Folder folder = Folder.open(STAGE)) {
      int uid = outside(users.uids(), node.uid());
      int gid = outside(users.gids(), node.gid());
      LiveNodes.create(folder, name, node, uid, gid);
    }
    return MountClone.of(STAGE.resolve(name), false);
  }

  /** Who the namespace does not know can't own anything there; root takes its place. */
  private static int outside(IdMapping ids, long id) {
    boolean known = id >= ids.inside() && id < ids.inside() + ids.length();
    return (int) ids.outside(known ? id : ids.inside());
  }

  /** Takes away what is mounted over a file, by us or by the OCI runtime. */
  void unmount(Folder parent, String name) throws IOException {
    Namespaces.callIn(
        mountNamespace,
        NamespaceType.MOUNT,
        () -> {
          parent.enter();
          while (Mounts.detach(Path.of(name))) {
            // a node laid over a node by an attempt that was killed
          }
          return Boolean.TRUE;
        });
  }
}
