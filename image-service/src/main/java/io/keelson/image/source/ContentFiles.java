package io.keelson.image.source;

import io.keelson.image.archive.TarFiles;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Optional;

/** The files of an image archive, in a folder or in a tar. Safe for use by many threads. */
interface ContentFiles extends AutoCloseable {

  /** Opens a file, if there is one of that path. */
  Optional<InputStream> open(String path) throws IOException;

  /** The size of a file in bytes, if there is one of that path. */
  Optional<Long> size(String path) throws IOException;

  @Override
  default void close() throws IOException {}

  /** A whole file that must be there and be small. */
  default byte[] read(String path, int max) throws IOException {
    try (InputStream file = open(path).orElseThrow(() -> missing(path))) {
      byte[] content = file.readNBytes(max + 1);
      if (content.length > max) {
        throw new CorruptContentException(path + " has more than " + max + " bytes");
      }
      return content;
    }
  }

  static CorruptContentException missing(String path) {
    return new CorruptContentException("the archive lacks " + path);
  }

  static ContentFiles of(TarFiles tar) {
    return new ContentFiles() {
      @Override
      public Optional<InputStream> open(String path) {
        return tar.open(path);
      }

      @Override
      public Optional<Long> size(String path) {
        return tar.size(path);
      }

      @Override
      public void close() throws IOException {
        tar.close();
      }
    };
  }

  /** Only regular files: whoever made the folder can't make the daemon wait at a FIFO. */
  static ContentFiles of(Path folder) {
    return new ContentFiles() {
      @Override
      public Optional<InputStream> open(String path) throws IOException {
        Optional<Path> file = find(path);
        return file.isPresent()
            ? Optional.of(Files.newInputStream(file.get(), LinkOption.NOFOLLOW_LINKS))
            : Optional.empty();
      }

      @Override
      public Optional<Long> size(String path) throws IOException {
        Optional<Path> file = find(path);
        return file.isPresent() ? Optional.of(Files.size(file.get())) : Optional.empty();
      }

      private Optional<Path> find(String path) {
        Path file = folder.resolve(path).normalize();
        return file.startsWith(folder.normalize())
                && Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)
            ? Optional.of(file)
            : Optional.empty();
      }
    };
  }
}
