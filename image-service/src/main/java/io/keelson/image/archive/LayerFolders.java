package io.keelson.image.archive;

import io.keelson.linux.Errno;
import io.keelson.linux.ErrnoException;
import io.keelson.linux.tree.FileStatus;
import io.keelson.linux.tree.Folder;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The folders of a layer that is being unpacked: opened with the layer as their root, made where
 * the archive leaves them out, and kept open for the entries that follow. For one thread.
 */
final class LayerFolders implements AutoCloseable {

  /** What overlayfs reads as "nothing below this folder shows through". */
  static final String OPAQUE_ATTRIBUTE = "trusted.overlay.opaque";

  private static final int MAX_OPEN = 64;
  private static final int MAX_LINKS = 40;
  private static final int PATH_MAX = 4096;

  private final Folder root;
  private final Map<String, Folder> open = new LinkedHashMap<>(MAX_OPEN * 2, 0.75f, true);
  private final Set<String> implied = new LinkedHashSet<>();

  LayerFolders(Folder root) {
    this.root = root;
    implied.add("");
  }

  /** The folder, which stays open until other folders are asked for. */
  Folder at(EntryPath path) throws IOException {
    return at(path, MAX_LINKS);
  }

  private Folder at(EntryPath path, int linksLeft) throws IOException {
    if (path.isRoot()) {
      return root;
    }
    Folder known = open.get(path.path());
    if (known != null) {
      return known;
    }
    return keep(path, find(path, linksLeft));
  }

  /** The folder if it is there; nothing is made. */
  @Nullable Folder existing(EntryPath path) throws IOException {
    if (path.isRoot()) {
      return root;
    }
    Folder known = open.get(path.path());
    if (known != null) {
      return known;
    }
    Folder found = resolve(path);
    return found == null ? null : keep(path, found);
  }

  private Folder keep(EntryPath path, Folder folder) {
    if (open.size() >= MAX_OPEN) {
      Iterator<Folder> oldest = open.values().iterator();
      oldest.next().close();
      oldest.remove();
    }
    open.put(path.path(), folder);
    return folder;
  }

  private @Nullable Folder resolve(EntryPath path) throws IOException {
    try {
      return path.path().length() < PATH_MAX
          ? root.resolve(path.path())
          : descendInParts(path.path());
    } catch (ErrnoException e) {
      if (e.is(Errno.ENOENT) || e.is(Errno.ENOTDIR)) {
        return null;
      }
      throw e;
    }
  }

  // A path that no call takes as a whole. Links are not followed in such ones.
  private Folder descendInParts(String path) throws ErrnoException {
    Folder folder = root;
    int from = 0;
    while (from < path.length()) {
      int to = path.length();
      if (to - from >= PATH_MAX) {
        to = path.lastIndexOf('/', from + PATH_MAX - 1);
      }
      Folder next;
      try {
        next = folder.descend(path.substring(from, to));
      } finally {
        if (folder != root) {
          folder.close();
        }
      }
      folder = next;
      from = to + 1;
    }
    return folder;
  }

  private Folder find(EntryPath path, int linksLeft) throws IOException {
    Folder found = resolve(path);
    if (found != null) {
      return found;
    }
    Folder parent = at(path.parent(), linksLeft);
    FileStatus status = parent.status(path.name()).orElse(null);
    if (status == null) {
      parent.createFolder(path.name(), 0755);
      implied.add(path.path());
    } else if (status.isWhiteout()) {
      // The archive deletes what is below and makes a folder of that name anew.
      parent.unlink(path.name());
      parent.createFolder(path.name(), 0755);
      makeOpaque(parent, path.name());
    } else if (status.type() == FileStatus.S_IFLNK) {
      return followDangling(path, parent, linksLeft);
    } else if (!status.isDirectory()) {
      throw new MalformedArchiveException(path + " is no folder, and an entry is to be in it");
    }
    return parent.openFolder(path.name());
  }

  // A link to a folder that an earlier layer has, and this one not yet: the entry belongs there.
  private Folder followDangling(EntryPath path, Folder parent, int linksLeft) throws IOException {
    if (linksLeft == 0) {
      throw new MalformedArchiveException(path + " is a symbolic link without an end");
    }
    String target = parent.symbolicLink(path.name());
    EntryPath resolved =
        EntryPath.clamped(target.startsWith("/") ? target : path.parent().path() + "/" + target);
    Folder folder = at(resolved, linksLeft - 1);
    return folder == root ? root.resolve("") : folder.openFolder(".");
  }

  /** Hides what lower layers have in that folder. */
  static void makeOpaque(Folder parent, String name) throws ErrnoException {
    parent.inode(name).setAttribute(OPAQUE_ATTRIBUTE, "y".getBytes(StandardCharsets.US_ASCII));
  }

  /** The archive has an entry for this folder, so that nothing of it needs to be guessed. */
  void declare(EntryPath path) {
    implied.remove(path.path());
  }

  /** Something that was in {@code keep} has gone: other open folders may have been below it. */
  void forgetExcept(Folder keep) {
    open.values()
        .removeIf(
            folder -> {
              if (folder == keep) {
                return false;
              }
              folder.close();
              return true;
            });
  }

  /** Folders that the archive says nothing of itself, upper ones first; the root is {@code ""}. */
  Set<String> implied() {
    return implied;
  }

  /** Closes all but the layer's root, which is the caller's. */
  @Override
  public void close() {
    open.values().forEach(Folder::close);
    open.clear();
  }
}
