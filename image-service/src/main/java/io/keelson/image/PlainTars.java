package io.keelson.image;

import io.keelson.image.archive.FolderTar;
import io.keelson.image.archive.PlainExtractor;
import io.keelson.image.archive.UnpackLimits;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.port.PlainArchives;
import java.io.BufferedOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;

/** Tars of plain files, within the limits of layers. Safe for use by many threads. */
final class PlainTars implements PlainArchives {

  private static final int BUFFER = 256 * 1024;

  private final UnpackLimits limits;

  PlainTars(UnpackLimits limits) {
    this.limits = limits;
  }

  @Override
  public void pack(Path folder, Path archive) throws IOException {
    try (FileChannel file =
            FileChannel.open(
                archive,
                Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
                PosixFilePermissions.asFileAttribute(
                    PosixFilePermissions.fromString("rw-------")));
        OutputStream out = new BufferedOutputStream(Channels.newOutputStream(file), BUFFER)) {
      FolderTar.write(folder, out, () -> {});
      out.flush();
      file.force(false);
    } catch (IOException e) {
      throw Failures.explained("archive " + archive, e);
    }
  }

  @Override
  public void unpack(Path archive, Path folder) throws IOException {
    try {
      PlainExtractor.extract(archive, folder, limits);
    } catch (EOFException e) {
      throw new InvalidRequestException("archive " + archive + ": " + e.getMessage(), e);
    } catch (IOException e) {
      throw Failures.explained("archive " + archive, e);
    }
  }
}
