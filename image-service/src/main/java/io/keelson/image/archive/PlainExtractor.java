package io.keelson.image.archive;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Objects;

/**
 * Unpacks the regular files and folders of a tar and leaves out all else, so that what is unpacked
 * leads nowhere. Owners, permissions and times are not taken over.
 */
public final class PlainExtractor {

  private static final byte[] ZEROS = new byte[64 * 1024];

  private PlainExtractor() {}

  /**
   * @param tar may be compressed
   * @param target empty, and nobody else's
   * @throws MalformedArchiveException if that is no tar or a broken one, or it breaks out, or
   *     breaks a limit, or has two files of one name
   */
  public static void extract(Path tar, Path target, UnpackLimits limits) throws IOException {
    UnpackBudget budget = new UnpackBudget(limits, Files.size(tar));
    try (InputStream content = Decompression.of(Files.newInputStream(tar))) {
      TarReader reader = new TarReader(new StreamFeed(content));
      for (TarEntry entry = reader.next(); entry != null; entry = reader.next()) {
        budget.entry(entry);
        Path path = below(target, EntryPath.of(entry.name()));
        try {
          if (entry.type() == TarEntry.Type.FOLDER) {
            Files.createDirectories(path);
          } else if (entry.type() == TarEntry.Type.FILE) {
            Files.createDirectories(Objects.requireNonNull(path.getParent()));
            file(path, entry, reader);
          }
        } catch (FileAlreadyExistsException e) {
          throw new MalformedArchiveException("two entries of the name " + entry.name(), e);
        }
      }
    }
  }

  private static Path below(Path target, EntryPath path) throws MalformedArchiveException {
    try {
      return target.resolve(
          new String(path.path().getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8));
    } catch (InvalidPathException e) {
      throw new MalformedArchiveException("a name that is none: " + e.getMessage(), e);
    }
  }

  private static void file(Path path, TarEntry entry, TarReader reader) throws IOException {
    try (OutputStream file = Files.newOutputStream(path, StandardOpenOption.CREATE_NEW)) {
      long position = 0;
      for (TarEntry.Extent extent : entry.extents()) {
        zeros(file, extent.offset() - position);
        reader.transferContent(extent.length(), file::write);
        position = extent.offset() + extent.length();
      }
      zeros(file, entry.size() - position);
    }
  }

  private static void zeros(OutputStream file, long count) throws IOException {
    for (long left = count; left > 0; left -= ZEROS.length) {
      file.write(left < ZEROS.length ? Arrays.copyOf(ZEROS, (int) left) : ZEROS);
    }
  }
}
