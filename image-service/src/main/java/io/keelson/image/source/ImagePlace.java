package io.keelson.image.source;

import io.keelson.image.archive.Decompression;
import io.keelson.image.archive.MalformedArchiveException;
import io.keelson.image.archive.TarFiles;
import io.keelson.image.request.Cancellation;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.error.NotFoundException;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A file or folder on this host that is looked at for images. What is opened is kept until the
 * close. The opening is for one thread, all else for many.
 */
final class ImagePlace implements AutoCloseable {

  private final Path path;
  private final Path scratch;
  private final ManifestResolver resolver;
  private final Cancellation cancellation;
  private @Nullable ContentFiles files;

  /**
   * @param scratch an empty folder where a compressed archive may be laid out
   * @throws NotFoundException if there is nothing at that path
   */
  ImagePlace(Path path, Path scratch, ManifestResolver resolver, Cancellation cancellation) {
    this.path = path;
    this.scratch = scratch;
    this.resolver = resolver;
    this.cancellation = cancellation;
    if (!Files.isDirectory(path) && !Files.isRegularFile(path)) {
      throw new NotFoundException(
          Files.exists(path) ? path + " is neither file nor folder" : "no file " + path);
    }
  }

  Path path() {
    return path;
  }

  /** Knows what manifests are here, and for which machines. */
  ManifestResolver resolver() {
    return resolver;
  }

  Cancellation cancellation() {
    return cancellation;
  }

  boolean isFolder() {
    return Files.isDirectory(path);
  }

  /**
   * The path of a folder.
   *
   * @throws InvalidRequestException if it is a file
   */
  Path folder() {
    if (!isFolder()) {
      throw new InvalidRequestException(path + " is no folder");
    }
    return path;
  }

  byte[] start(int count) throws IOException {
    try (InputStream in = Files.newInputStream(path)) {
      return in.readNBytes(count);
    }
  }

  /**
   * The files in the folder or in the tar.
   *
   * @throws InvalidRequestException if it is no folder and no tar
   */
  ContentFiles files() throws IOException {
    ContentFiles opened = files;
    if (opened == null) {
      opened = isFolder() ? ContentFiles.of(path) : tar();
      files = opened;
    }
    return opened;
  }

  private ContentFiles tar() throws IOException {
    try {
      return ContentFiles.of(TarFiles.open(uncompressed()));
    } catch (MalformedArchiveException | EOFException e) {
      throw new InvalidRequestException(path + " is no tar: " + e.getMessage(), e);
    }
  }

  // Layers are read side by side and not in their order, which a compressed file does not allow.
  private Path uncompressed() throws IOException {
    try (InputStream raw = Files.newInputStream(path);
        InputStream tar = Decompression.of(raw)) {
      if (!Decompression.isCompressed(tar)) {
        return path;
      }
      Path file = scratch.resolve("archive.tar");
      try (OutputStream out = Files.newOutputStream(file)) {
        TarStream.copy(tar, out, cancellation::check);
      }
      return file;
    }
  }

  /** Opens a layer that is one of the {@link #files}. */
  InputStream openFile(String key) throws IOException {
    Optional<InputStream> opened = files().open(key);
    return opened.orElseThrow(() -> ContentFiles.missing(key));
  }

  @Override
  public void close() throws IOException {
    if (files != null) {
      files.close();
    }
  }
}
