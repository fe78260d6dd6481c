package io.keelson.image.archive;

import io.keelson.linux.Errno;
import io.keelson.linux.ErrnoException;
import io.keelson.linux.tree.Folder;
import io.keelson.linux.tree.Trees;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Makes the changes that {@link OverlayChanges} tells of in a root file system. Whatever they say,
 * nothing outside of it is made, changed, deleted or linked to.
 */
public final class ChangesExtractor {

  private ChangesExtractor() {}

  /**
   * Deletes, then unpacks.
   *
   * @param root a root file system that no process uses
   * @param tar may be compressed
   * @param deleted paths below the root, in UTF-8; what is not there is passed over
   * @throws MalformedArchiveException if the tar is broken, or breaks out, or breaks a limit, or a
   *     path does
   */
  public static void apply(Path root, Path tar, List<String> deleted, UnpackLimits limits)
      throws IOException {
    try (Folder folder = Folder.open(root)) {
      for (String path : deleted) {
        delete(folder, EntryPath.of(raw(path)));
      }
      if (!Files.exists(tar)) {
        return;
      }
      try (InputStream content = Decompression.of(Files.newInputStream(tar));
          LayerExtractor extractor = new LayerExtractor(folder, limits, Files.size(tar))) {
        extractor.extract(new TarReader(new StreamFeed(content)));
      }
    }
  }

  private static void delete(Folder root, EntryPath path) throws IOException {
    if (path.isRoot()) {
      throw new MalformedArchiveException("the root can't be deleted");
    }
    try (Folder parent = root.resolve(path.parent().path())) {
      Trees.delete(parent, path.name());
    } catch (ErrnoException e) {
      if (!e.is(Errno.ENOENT) && !e.is(Errno.ENOTDIR)) {
        throw e;
      }
    }
  }

  private static String raw(String utf8) {
    return new String(utf8.getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
  }
}
