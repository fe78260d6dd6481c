package io.keelson.image.rootfs;

import io.keelson.linux.tree.FileStatus;
import io.keelson.linux.tree.Folder;
import io.keelson.linux.tree.Inode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/** Owner and permissions of one folder given to another. */
final class FolderLook {

  private FolderLook() {}

  static void copy(Path from, Path to) throws IOException {
    try (Folder model = Folder.open(from);
        Folder folder = Folder.open(to)) {
      Optional<FileStatus> status = model.status(".");
      if (status.isPresent()) {
        Inode inode = folder.inode(".");
        inode.setOwner(status.get().uid(), status.get().gid());
        inode.setPermissions(status.get().permissions());
      }
    }
  }
}
