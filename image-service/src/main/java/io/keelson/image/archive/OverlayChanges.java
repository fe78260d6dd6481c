package io.keelson.image.archive;

import io.keelson.linux.Errno;
import io.keelson.linux.ErrnoException;
import io.keelson.linux.tree.FileStatus;
import io.keelson.linux.tree.Folder;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * What was changed in an overlay (kernel documentation, overlayfs). Its upper folder tells where;
 * what is there now is read through the mount, which knows of folders that were renamed and of
 * files of which only the attributes were changed. For one thread.
 */
public final class OverlayChanges {

  /** On a folder that another one of the lower layers shows through. */
  private static final String REDIRECT_ATTRIBUTE = "trusted.overlay.redirect";

  private final Folder merged;
  private final List<Folder> lower;
  private final Set<String> changed = new HashSet<>();
  private final Set<String> whole = new HashSet<>();
  private final List<String> deleted = new ArrayList<>();

  private OverlayChanges(Folder merged, List<Folder> lower) {
    this.merged = merged;
    this.lower = lower;
  }

  /**
   * Writes what was made or changed as a tar.
   *
   * @param layers the lower folders
   * @param mount where the overlay is mounted
   * @return the paths of what was deleted, below the root, in UTF-8
   */
  public static List<String> write(
      Path upperFolder, List<Path> layers, Path mount, OutputStream out) throws IOException {
    List<Folder> lower = new ArrayList<>();
    try (Folder upper = Folder.open(upperFolder);
        Folder merged = Folder.open(mount)) {
      for (Path layer : layers) {
        lower.add(Folder.open(layer));
      }
      OverlayChanges changes = new OverlayChanges(merged, lower);
      changes.look(upper, "");
      FolderTar.writeSome(mount, out, changes::isChanged);
      return changes.deleted;
    } finally {
      lower.forEach(Folder::close);
    }
  }

  private boolean isChanged(String path) {
    if (changed.contains(path)) {
      return true;
    }
    for (int slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1)) {
      if (whole.contains(path.substring(0, slash))) {
        return true;
      }
    }
    return false;
  }

  private void look(Folder upper, String path) throws IOException {
    for (String name : upper.list()) {
      FileStatus status = upper.status(name).orElse(null);
      if (status == null) {
        continue;
      }
      String below = path.isEmpty() ? name : path + "/" + name;
      if (status.isWhiteout()) {
        deleted.add(utf8(below));
        continue;
      }
      changed.add(below);
      if (status.isDirectory()) {
        if (upper.inode(name).attribute(LayerFolders.OPAQUE_ATTRIBUTE).isPresent()) {
          hide(below);
        }
        if (upper.inode(name).attribute(REDIRECT_ATTRIBUTE).isPresent()) {
          hide(below);
          whole.add(below);
        }
        try (Folder folder = upper.openFolder(name)) {
          look(folder, below);
        }
      }
    }
  }

  /** Notes what lower layers have in a folder, and the overlay has not. */
  private void hide(String path) throws IOException {
    Set<String> there = names(merged, path);
    for (Folder layer : lower) {
      for (String name : names(layer, path)) {
        if (there.add(name)) {
          deleted.add(utf8(path + "/" + name));
        }
      }
    }
  }

  private static Set<String> names(Folder root, String path) throws IOException {
    try (Folder folder = root.descend(path)) {
      return new HashSet<>(folder.list());
    } catch (ErrnoException e) {
      if (e.is(Errno.ENOENT) || e.is(Errno.ENOTDIR) || e.is(Errno.ELOOP)) {
        return Set.of();
      }
      throw e;
    }
  }

  private static String utf8(String raw) {
    return new String(raw.getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8);
  }
}
