package io.keelson.image.archive;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * The regular files in a tar on disk, found by their paths without unpacking it. Links to files in
 * the same tar count as these. Safe for use by many threads.
 */
public final class TarFiles implements AutoCloseable {

  private static final int MAX_FILES = 100_000;
  private static final int MAX_LINKS = 8;

  private final FileChannel channel;
  private final Map<String, Extent> files = new HashMap<>();
  private final Map<String, String> links = new HashMap<>();

  private record Extent(long offset, long length) {}

  private TarFiles(FileChannel channel) {
    this.channel = channel;
  }

  /**
   * Reads the headers.
   *
   * @throws MalformedArchiveException if that is no tar
   */
  public static TarFiles open(Path tar) throws IOException {
    FileChannel channel = FileChannel.open(tar);
    TarFiles files = new TarFiles(channel);
    try {
      files.index();
      return files;
    } catch (IOException | RuntimeException e) {
      files.close();
      throw e;
    }
  }

  private void index() throws IOException {
    FileFeed feed = new FileFeed(channel);
    TarReader tar = new TarReader(feed);
    for (TarEntry entry = tar.next(); entry != null; entry = tar.next()) {
      if (files.size() + links.size() >= MAX_FILES) {
        throw new MalformedArchiveException("an archive of more than " + MAX_FILES + " files");
      }
      String path = utf8(EntryPath.of(entry.name()).path());
      switch (entry.type()) {
        case FILE -> {
          if (entry.extents().size() > 1) {
            throw new MalformedArchiveException(path + " is a sparse file in an image archive");
          }
          files.put(path, new Extent(feed.position(), entry.size()));
        }
        case HARD_LINK -> links.put(path, utf8(EntryPath.of(entry.linkName()).path()));
        case SYMBOLIC_LINK -> {
          EntryPath folder = EntryPath.of(entry.name()).parent();
          links.put(path, utf8(EntryPath.clamped(folder.path() + "/" + entry.linkName()).path()));
        }
        default -> {}
      }
    }
  }

  /** The size of a file in bytes, if there is one of that path. */
  public Optional<Long> size(String path) {
    return find(path).map(Extent::length);
  }

  /** Opens a file, if there is one of that path. */
  public Optional<InputStream> open(String path) {
    return find(path).map(extent -> new FileStream(channel, extent));
  }

  private Optional<Extent> find(String path) {
    String target = path;
    for (int i = 0; i < MAX_LINKS; i++) {
      Extent extent = files.get(target);
      if (extent != null) {
        return Optional.of(extent);
      }
      String link = links.get(target);
      if (link == null) {
        return Optional.empty();
      }
      target = link;
    }
    return Optional.empty();
  }

  private static String utf8(String raw) {
    return new String(raw.getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8);
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }

  private static final class FileStream extends InputStream {

    private final FileChannel channel;
    private final long end;
    private long position;

    FileStream(FileChannel channel, Extent extent) {
      this.channel = channel;
      this.position = extent.offset();
      this.end = extent.offset() + extent.length();
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] target, int offset, int length) throws IOException {
      if (length == 0) {
        return 0;
      }
      int wanted = (int) Math.min(length, end - position);
      if (wanted <= 0) {
        return -1;
      }
      int count = channel.read(ByteBuffer.wrap(target, offset, wanted), position);
      if (count > 0) {
        position += count;
      }
      return count;
    }
  }
}
