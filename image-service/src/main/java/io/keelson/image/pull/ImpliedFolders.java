package io.keelson.image.pull;

import io.keelson.linux.Errno;
import io.keelson.linux.ErrnoException;
import io.keelson.linux.tree.FileStatus;
import io.keelson.linux.tree.Folder;
import io.keelson.linux.tree.Inode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * Gives folders that a layer's archive puts files in, but has no entry for, what they have in the
 * layers below: else a file in /tmp would make /tmp a folder that only root can write to.
 */
final class ImpliedFolders {

  private ImpliedFolders() {}

  /**
   * @param content of the layer
   * @param implied paths in it, upper ones first
   * @param below the contents of the layers below, the nearest first
   */
  static void inherit(Path content, List<String> implied, List<Path> below) throws IOException {
    try (Folder layer = Folder.open(content)) {
      for (String path : implied) {
        for (Path lower : below) {
          if (inherit(layer, path, lower)) {
            break;
          }
        }
      }
    }
  }

  /** True if this layer decides: it has the folder, or something else in its place. */
  private static boolean inherit(Folder layer, String path, Path lower) throws IOException {
    try (Folder root = Folder.open(lower);
        Folder model = root.descend(path);
        Folder folder = layer.descend(path)) {
      Optional<FileStatus> status = model.status(".");
      if (status.isPresent()) {
        Inode made = folder.inode(".");
        made.setOwner(status.get().uid(), status.get().gid());
        made.setPermissions(status.get().permissions());
        copyAttributes(model.inode("."), made);
        made.setTimes(status.get().accessed(), status.get().modified());
      }
      return true;
    } catch (ErrnoException e) {
      if (e.is(Errno.ENOENT)) {
        return false;
      }
      // A file, a link or a whiteout is in the place of the folder or of one above it.
      if (e.is(Errno.ENOTDIR) || e.is(Errno.ELOOP) || e.is(Errno.ENAMETOOLONG)) {
        return true;
      }
      throw e;
    }
  }

  private static void copyAttributes(Inode from, Inode to) throws ErrnoException {
    for (String attribute : from.attributes()) {
      if (!attribute.startsWith("trusted.overlay.") && !attribute.equals("security.selinux")) {
        Optional<byte[]> value = from.attribute(attribute);
        if (value.isPresent()) {
          to.setAttribute(attribute, value.get());
        }
      }
    }
  }
}
