package io.keelson.image.archive;

import io.keelson.linux.Errno;
import io.keelson.linux.ErrnoException;
import io.keelson.linux.tree.FileStatus;
import io.keelson.linux.tree.Folder;
import io.keelson.linux.tree.Inode;
import io.keelson.linux.tree.NewFile;
import io.keelson.linux.tree.TransferBuffer;
import io.keelson.linux.tree.Trees;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Unpacks one layer into an empty folder, as an overlay file system is to read it: whiteouts become
 * character devices 0:0, opaque folders get their attribute (OCI image spec, "Whiteouts"; kernel
 * documentation, overlayfs). Whatever an archive says, nothing outside of the folder is made,
 * changed, read or linked to: parents are resolved with the folder as root, last parts are never
 * followed. For one thread; a layer is unpacked once.
 */
public final class LayerExtractor implements AutoCloseable {

  private final LayerFolders folders;
  private final UnpackBudget budget;
  private final TransferBuffer buffer = new TransferBuffer();
  private EntryPath base = EntryPath.ROOT;

  /** Folders are finished at the end: every entry made in them changes their times. */
  private final Map<EntryPath, TarEntry> folderTimes = new LinkedHashMap<>();

  /**
   * @param root empty
   * @param blobSize what was fetched for the layer, or a negative number if that is not known
   */
  public LayerExtractor(Folder root, UnpackLimits limits, long blobSize) {
    this.folders = new LayerFolders(root);
    this.budget = new UnpackBudget(limits, blobSize);
  }

  /**
   * Unpacks all entries.
   *
   * @throws MalformedArchiveException if the archive is broken, or breaks out, or breaks a limit
   * @throws ErrnoException if the kernel refuses; ENOSPC and EDQUOT for a full disk
   */
  public UnpackedLayer extract(TarReader tar) throws IOException {
    return extract(tar, "");
  }

  /**
   * Unpacks the entries below a folder of the archive, as if that were its root.
   *
   * @param folder {@code ""} for all
   */
  public UnpackedLayer extract(TarReader tar, String folder) throws IOException {
    base = EntryPath.of(folder);
    budget.inode(true);
    for (TarEntry entry = tar.next(); entry != null; entry = tar.next()) {
      budget.entry(entry);
      EntryPath path = EntryPath.of(entry.name()).below(base);
      if (path == null) {
        continue;
      }
      try {
        extract(entry, path, tar);
      } catch (ErrnoException e) {
        throw explained(e, path);
      }
    }
    for (Map.Entry<EntryPath, TarEntry> made : folderTimes.entrySet()) {
      finishFolder(made.getKey(), made.getValue());
    }
    return new UnpackedLayer(
        budget.allocated(), budget.inodes(), new ArrayList<>(folders.implied()));
  }

  private void extract(TarEntry entry, EntryPath path, TarReader tar) throws IOException {
    if (path.isRoot()) {
      if (entry.type() == TarEntry.Type.FOLDER) {
        folders.declare(path);
        applyToFolder(folders.at(path), ".", entry, path);
      }
      return;
    }
    Folder parent = folders.at(path.parent());
    String name = path.name();
    if (name.startsWith(EntryPath.WHITEOUT_PREFIX)) {
      whiteout(parent, path);
      return;
    }
    switch (entry.type()) {
      case FOLDER -> folder(parent, name, entry, path);
      case FILE -> file(parent, name, entry, tar);
      case HARD_LINK -> hardLink(parent, name, entry);
      case SYMBOLIC_LINK -> {
        makeWay(parent, name);
        parent.createSymbolicLink(name, entry.linkName());
        applyToOther(parent, name, entry);
      }
      case CHARACTER_DEVICE -> node(parent, name, entry, FileStatus.S_IFCHR);
      case BLOCK_DEVICE -> node(parent, name, entry, FileStatus.S_IFBLK);
      case FIFO -> node(parent, name, entry, FileStatus.S_IFIFO);
    }
  }

  private void folder(Folder parent, String name, TarEntry entry, EntryPath path)
      throws IOException {
    folders.declare(path);
    try {
      parent.createFolder(name, 0700);
      budget.inode(true);
    } catch (ErrnoException e) {
      if (!e.is(Errno.EEXIST)) {
        throw e;
      }
      Optional<FileStatus> existing = parent.status(name);
      if (existing.isEmpty() || !existing.get().isDirectory()) {
        boolean deletedBelow = existing.isPresent() && existing.get().isWhiteout();
        makeWay(parent, name);
        parent.createFolder(name, 0700);
        budget.inode(true);
        if (deletedBelow) {
          LayerFolders.makeOpaque(parent, name);
        }
      }
    }
    applyToFolder(parent, name, entry, path);
  }

  private void file(Folder parent, String name, TarEntry entry, TarReader tar) throws IOException {
    try (NewFile file = create(parent, name)) {
      budget.inode(false);
      long position = 0;
      for (TarEntry.Extent extent : entry.extents()) {
        if (extent.offset() > position) {
          file.skip(extent.offset() - position);
        }
        tar.transferContent(
            extent.length(), (data, offset, length) -> file.write(data, offset, length, buffer));
        position = extent.offset() + extent.length();
      }
      if (position < entry.size()) {
        file.setSize(entry.size());
      }
      file.setOwner(entry.uid(), entry.gid());
      file.setPermissions(entry.mode());
      for (Map.Entry<String, byte[]> attribute : entry.attributes().entrySet()) {
        if (LayerAttributes.isWanted(attribute.getKey())) {
          LayerAttributes.tolerate(
              attribute.getKey(),
              () -> file.setAttribute(attribute.getKey(), attribute.getValue()));
        }
      }
      file.setTimes(entry.accessed(), entry.modified());
    }
  }

  private NewFile create(Folder parent, String name) throws IOException {
    try {
      return parent.createFile(name);
    } catch (ErrnoException e) {
      if (!e.is(Errno.EEXIST)) {
        throw e;
      }
      makeWay(parent, name);
      return parent.createFile(name);
    }
  }

  private void hardLink(Folder parent, String name, TarEntry entry) throws IOException {
    EntryPath target = EntryPath.of(entry.linkName()).below(base);
    if (target == null || target.isRoot()) {
      throw new MalformedArchiveException(
          "a hard link to the root of the layer or out of it: " + name);
    }
    Folder targetFolder = folders.existing(target.parent());
    Optional<FileStatus> existing =
        targetFolder == null ? Optional.empty() : targetFolder.status(target.name());
    if (targetFolder == null
        || existing.isEmpty()
        || existing.get().isWhiteout()
        || existing.get().isDirectory()) {
      throw new MalformedArchiveException(
          "a hard link to %s, which is no file of this layer".formatted(target));
    }
    Optional<FileStatus> inTheWay = parent.status(name);
    if (inTheWay.isPresent()) {
      if (inTheWay.get().inode() == existing.get().inode()) {
        return;
      }
      makeWay(parent, name);
    }
    parent.createHardLink(name, targetFolder, target.name());
  }

  private void node(Folder parent, String name, TarEntry entry, int type) throws IOException {
    makeWay(parent, name);
    parent.createNode(name, type | 0600, entry.major(), entry.minor());
    applyToOther(parent, name, entry);
    parent.inode(name).setPermissions(entry.mode());
  }

  // Whiteouts hide what lower layers have, never what this one has, wherever in the archive they
  // stand.
  private void whiteout(Folder parent, EntryPath path) throws IOException {
    String name = path.name();
    if (name.equals(EntryPath.OPAQUE_NAME)) {
      LayerFolders.makeOpaque(parent, ".");
      return;
    }
    if (name.startsWith(EntryPath.AUFS_PREFIX)) {
      return;
    }
    String hidden = name.substring(EntryPath.WHITEOUT_PREFIX.length());
    if (hidden.isEmpty() || hidden.equals(".") || hidden.equals("..")) {
      throw new MalformedArchiveException("a whiteout of no file: " + path);
    }
    Optional<FileStatus> existing = parent.status(hidden);
    if (existing.isEmpty()) {
      parent.createNode(hidden, FileStatus.S_IFCHR, 0, 0);
      budget.inode(false);
    } else if (existing.get().isDirectory()) {
      LayerFolders.makeOpaque(parent, hidden);
    }
  }

  private void applyToFolder(Folder parent, String name, TarEntry entry, EntryPath path)
      throws IOException {
    Inode folder = parent.inode(name);
    folder.setOwner(entry.uid(), entry.gid());
    folder.setPermissions(entry.mode());
    LayerAttributes.apply(folder, entry);
    folderTimes.remove(path);
    folderTimes.put(path, entry);
  }

  private void applyToOther(Folder parent, String name, TarEntry entry) throws IOException {
    budget.inode(false);
    Inode inode = parent.inode(name);
    inode.setOwner(entry.uid(), entry.gid());
    LayerAttributes.apply(inode, entry);
    inode.setTimes(entry.accessed(), entry.modified());
  }

  private void finishFolder(EntryPath path, TarEntry entry) throws IOException {
    String name = path.isRoot() ? "." : path.name();
    Folder parent = folders.existing(path.parent());
    // A later entry may have put something else there.
    if (parent != null && parent.status(name).filter(FileStatus::isDirectory).isPresent()) {
      byte[] inherited = entry.attributes().get(AccessControlList.DEFAULT);
      if (inherited != null) {
        // Not before: what is made in the folder would have it too.
        LayerAttributes.tolerate(
            AccessControlList.DEFAULT,
            () -> parent.inode(name).setAttribute(AccessControlList.DEFAULT, inherited));
      }
      parent.inode(name).setTimes(entry.accessed(), entry.modified());
    }
  }

  // A later entry of the same name takes the place of an earlier one.
  private void makeWay(Folder parent, String name) throws IOException {
    Optional<FileStatus> existing = parent.status(name);
    if (existing.isEmpty()) {
      return;
    }
    Trees.delete(parent, name);
    if (existing.get().isDirectory() || existing.get().type() == FileStatus.S_IFLNK) {
      folders.forgetExcept(parent);
    }
  }

  private static IOException explained(ErrnoException e, EntryPath path) {
    return switch (e.errno()) {
      case Errno.ELOOP, Errno.ENOTDIR, Errno.EXDEV, Errno.ENAMETOOLONG, Errno.EMLINK ->
          new MalformedArchiveException(
              "entry " + path + " can't be unpacked: " + e.getMessage(), e);
      default -> e;
    };
  }

  @Override
  public void close() {
    folders.close();
    buffer.close();
  }
}
