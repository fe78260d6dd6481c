package io.keelson.image.archive;

import static io.keelson.image.archive.TarEntry.Type.BLOCK_DEVICE;
import static io.keelson.image.archive.TarEntry.Type.CHARACTER_DEVICE;
import static io.keelson.image.archive.TarEntry.Type.FIFO;
import static io.keelson.image.archive.TarEntry.Type.FILE;
import static io.keelson.image.archive.TarEntry.Type.FOLDER;
import static io.keelson.image.archive.TarEntry.Type.HARD_LINK;
import static io.keelson.image.archive.TarEntry.Type.SYMBOLIC_LINK;

import io.keelson.linux.tree.FileStatus;
import io.keelson.linux.tree.Folder;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * A folder of this host as a tar, in the order of its names, so that the same folder gives the same
 * bytes. Symbolic links are taken as they are; other file systems that are mounted in it are left
 * out, and so are sockets. For one thread.
 */
public final class FolderTar {

  private final TarWriter tar;
  private final Map<Long, String> linked = new HashMap<>();
  private final Predicate<String> wanted;
  private final Predicate<String> chosen;
  private final Runnable check;

  private FolderTar(
      TarWriter tar, Predicate<String> wanted, Predicate<String> chosen, Runnable check) {
    this.tar = tar;
    this.wanted = wanted;
    this.chosen = chosen;
    this.check = check;
  }

  /**
   * Writes the whole tar.
   *
   * @param check comes before each file, and ends the work by what it throws
   */
  public static void write(Path folder, OutputStream out, Runnable check) throws IOException {
    write(folder, out, LayerAttributes::isWanted, _ -> true, check);
  }

  /**
   * As {@link #write}, without what lies at other paths.
   *
   * @param chosen is asked for each path below the folder, without a slash at either end; names are
   *     bytes, one {@code char} each. What is below a path that is not chosen is not looked at
   */
  static void writeSome(Path folder, OutputStream out, Predicate<String> chosen)
      throws IOException {
    write(folder, out, LayerAttributes::isWanted, chosen, () -> {});
  }

  /** As {@link #write}, with the attributes by which a layer hides what is below it. */
  public static void writeLayer(Path folder, OutputStream out, Runnable check) throws IOException {
    write(folder, out, attribute -> !attribute.equals("security.selinux"), _ -> true, check);
  }

  private static void write(
      Path folder,
      OutputStream out,
      Predicate<String> wanted,
      Predicate<String> chosen,
      Runnable check)
      throws IOException {
    TarWriter tar = new TarWriter(out);
    try (Folder root = Folder.open(folder)) {
      new FolderTar(tar, wanted, chosen, check).folder(root, "", root.device());
    }
    tar.finish();
  }

  private void folder(Folder folder, String path, long device) throws IOException {
    FileStatus own = folder.status(".").orElseThrow();
    tar.write(
        header(FOLDER, path.isEmpty() ? "./" : path + "/", "", own, 0, attributes(folder, ".")));
    List<String> names = folder.list().stream().sorted().toList();
    for (String name : names) {
      check.run();
      String below = path.isEmpty() ? name : path + "/" + name;
      Optional<FileStatus> status = chosen.test(below) ? folder.status(name) : Optional.empty();
      if (status.isPresent()) {
        entry(folder, name, below, status.get(), device);
      }
    }
  }

  private void entry(Folder parent, String name, String path, FileStatus status, long device)
      throws IOException {
    if (status.isDirectory()) {
      try (Folder folder = parent.openFolder(name)) {
        if (folder.device() == device) {
          folder(folder, path, device);
        }
      }
      return;
    }
    String first = status.links() > 1 ? linked.putIfAbsent(status.inode(), path) : null;
    if (first != null) {
      tar.write(header(HARD_LINK, path, first, status, 0, Map.of()));
      return;
    }
    Map<String, byte[]> attributes = attributes(parent, name);
    switch (status.type()) {
      case FileStatus.S_IFREG -> {
        try (InputStream content = parent.openFile(name)) {
          tar.write(header(FILE, path, "", status, status.size(), attributes), content);
        }
      }
      case FileStatus.S_IFLNK ->
          tar.write(header(SYMBOLIC_LINK, path, parent.symbolicLink(name), status, 0, attributes));
      case FileStatus.S_IFCHR ->
          tar.write(header(CHARACTER_DEVICE, path, "", status, 0, attributes));
      case FileStatus.S_IFBLK -> tar.write(header(BLOCK_DEVICE, path, "", status, 0, attributes));
      case FileStatus.S_IFIFO -> tar.write(header(FIFO, path, "", status, 0, attributes));
      default -> {}
    }
  }

  private static TarWriter.Header header(
      TarEntry.Type type,
      String path,
      String link,
      FileStatus status,
      long size,
      Map<String, byte[]> attributes) {
    return new TarWriter.Header(
        type,
        path,
        link,
        status.permissions(),
        status.uid(),
        status.gid(),
        size,
        status.modified(),
        type.isDevice() ? status.major() : 0,
        type.isDevice() ? status.minor() : 0,
        attributes);
  }

  private Map<String, byte[]> attributes(Folder folder, String name) throws IOException {
    Map<String, byte[]> attributes = new LinkedHashMap<>();
    for (String attribute : folder.inode(name).attributes()) {
      if (wanted.test(attribute)) {
        folder
            .inode(name)
            .attribute(attribute)
            .ifPresent(value -> attributes.put(attribute, value));
      }
    }
    return attributes;
  }
}
