package io.keelson.image.archive;

import io.keelson.linux.tree.Timestamp;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;

/**
 * A zip or a jar as a tar, in the order of its names. All belongs to root, and everybody may read
 * it; the modes that a few tools write into zips are not looked at.
 */
public final class ZipTar {

  private ZipTar() {}

  /** Whether a file begins as a zip does. */
  public static boolean isZip(byte[] start) {
    return start.length >= 4
        && start[0] == 'P'
        && start[1] == 'K'
        && (start[2] == 3 || start[2] == 5)
        && start[3] == start[2] + 1;
  }

  /**
   * Writes the whole tar.
   *
   * @param check comes before each file, and ends the work by what it throws
   * @throws MalformedArchiveException if that is no zip
   */
  public static void write(Path zip, OutputStream out, Runnable check) throws IOException {
    TarWriter tar = new TarWriter(out);
    try (ZipFile file = new ZipFile(zip.toFile())) {
      List<? extends ZipEntry> entries =
          file.stream().sorted(Comparator.comparing(ZipEntry::getName)).toList();
      for (ZipEntry entry : entries) {
        check.run();
        if (entry.isDirectory()) {
          tar.write(header(TarEntry.Type.FOLDER, 0755, entry, 0));
        } else {
          try (InputStream content = file.getInputStream(entry)) {
            tar.write(
                header(TarEntry.Type.FILE, 0644, entry, Math.max(entry.getSize(), 0)), content);
          }
        }
      }
    } catch (ZipException e) {
      throw new MalformedArchiveException(zip + " is no zip: " + e.getMessage(), e);
    }
    tar.finish();
  }

  private static TarWriter.Header header(TarEntry.Type type, int mode, ZipEntry entry, long size) {
    long seconds = entry.getTime() < 0 ? 0 : TimeUnit.MILLISECONDS.toSeconds(entry.getTime());
    String name =
        new String(entry.getName().getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
    return new TarWriter.Header(
        type, name, "", mode, 0, 0, size, new Timestamp(seconds, 0), 0, 0, Map.of());
  }
}
