package io.keelson.image.archive;

import io.keelson.linux.tree.Timestamp;
import java.io.EOFException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Reads a tar: the old format of version 7, ustar, pax and GNU, with their long names and sparse
 * files. Pax headers that are for all entries are passed over, as Go's reader, which images are
 * made for, does. For one thread.
 */
public final class TarReader {

  static final int BLOCK = 512;

  private static final int MAX_EXTENDED_HEADER = 1 << 20;

  private final ByteFeed feed;
  private final byte[] header = new byte[BLOCK];
  private long contentLeft;
  private long padding;

  public TarReader(ByteFeed feed) {
    this.feed = feed;
  }

  /**
   * Goes to the next entry, over what is left of the content of the one before.
   *
   * @return null at the end of the archive; bytes may follow it
   * @throws MalformedArchiveException if that is no tar
   * @throws EOFException if it ends too early
   */
  public @Nullable TarEntry next() throws IOException {
    PaxRecords pax = PaxRecords.NONE;
    String longName = null;
    String longLink = null;
    boolean extended = false;
    while (true) {
      feed.skip(contentLeft + padding);
      contentLeft = 0;
      padding = 0;
      if (!feed.readFully(header) || isZero(header)) {
        if (extended) {
          throw new MalformedArchiveException("the archive ends after an extended header");
        }
        return null;
      }
      TarHeader raw = new TarHeader(header);
      raw.verifyChecksum();
      switch (raw.type()) {
        case 'x', 'X' -> pax = PaxRecords.parse(extendedHeader(raw));
        case 'g' -> extendedHeader(raw);
        case 'L' -> longName = text(extendedHeader(raw));
        case 'K' -> longLink = text(extendedHeader(raw));
        case 'V' -> setContent(raw.size());
        default -> {
          return entry(raw, pax, longName, longLink);
        }
      }
      extended = raw.type() != 'V' && raw.type() != 'g';
    }
  }

  /**
   * Hands out the content of the entry: all that its extents say, one after the other, without
   * holes.
   */
  public void transferContent(ByteFeed.Sink sink) throws IOException {
    long count = contentLeft;
    contentLeft = 0;
    feed.transfer(count, sink);
  }

  /** Hands out the next {@code count} bytes of the entry's content. */
  void transferContent(long count, ByteFeed.Sink sink) throws IOException {
    if (count > contentLeft) {
      throw new MalformedArchiveException("a sparse file has less content than its map says");
    }
    contentLeft -= count;
    feed.transfer(count, sink);
  }

  private TarEntry entry(
      TarHeader raw, PaxRecords pax, @Nullable String longName, @Nullable String longLink)
      throws IOException {
    String name = firstOf(pax.name("path"), longName, raw.name());
    String linkName = firstOf(pax.name("linkpath"), longLink, raw.linkName());
    TarEntry.Type type = raw.entryType(name);
    String paxSize = pax.get("size");
    long size = paxSize == null ? raw.size() : TarNumbers.decimal(paxSize, "size");
    if (size < 0) {
      throw new MalformedArchiveException("negative size of " + name);
    }
    // Links, folders and nodes have no content, whatever the size says.
    if (type == TarEntry.Type.FILE || raw.type() == 'D') {
      setContent(size);
    }
    List<TarEntry.Extent> extents = List.of();
    if (type == TarEntry.Type.FILE) {
      SparseMap sparse = SparseMap.read(this, raw, pax, size, feed);
      String sparseName = pax.name("GNU.sparse.name");
      name = sparse.isPax() && sparseName != null ? sparseName : name;
      size = sparse.size();
      extents = sparse.extents();
    } else {
      size = 0;
    }
    Timestamp modified = time(pax, "mtime", TarNumbers.time(raw.modified(), 0));
    return new TarEntry(
        type,
        name,
        linkName,
        raw.mode(),
        id(pax, "uid", raw.uid()),
        id(pax, "gid", raw.gid()),
        size,
        modified,
        time(pax, "atime", modified),
        type.isDevice() ? raw.major() : 0,
        type.isDevice() ? raw.minor() : 0,
        pax.attributes(),
        extents);
  }

  /** How many bytes of content the entry still has. */
  long contentLeft() {
    return contentLeft;
  }

  private void setContent(long size) throws MalformedArchiveException {
    if (size < 0 || size > Long.MAX_VALUE - BLOCK) {
      throw new MalformedArchiveException("impossible size " + size);
    }
    contentLeft = size;
    padding = -size & (BLOCK - 1);
  }

  private byte[] extendedHeader(TarHeader raw) throws IOException {
    long size = raw.size();
    if (size < 0 || size > MAX_EXTENDED_HEADER) {
      throw new MalformedArchiveException("an extended header of " + size + " bytes");
    }
    byte[] data = new byte[(int) size];
    if (size > 0 && !feed.readFully(data)) {
      throw new EOFException("the archive ends in the middle of an extended header");
    }
    padding = -size & (BLOCK - 1);
    return data;
  }

  private static Timestamp time(PaxRecords pax, String key, Timestamp otherwise)
      throws MalformedArchiveException {
    String value = pax.get(key);
    return value == null ? otherwise : TarNumbers.time(value, key);
  }

  private static int id(PaxRecords pax, String key, long otherwise)
      throws MalformedArchiveException {
    String value = pax.get(key);
    return TarNumbers.id(value == null ? otherwise : TarNumbers.decimal(value, key));
  }

  private static String firstOf(@Nullable String first, @Nullable String second, String third) {
    if (first != null) {
      return first;
    }
    return second != null ? second : third;
  }

  private static String text(byte[] data) {
    int end = 0;
    while (end < data.length && data[end] != 0) {
      end++;
    }
    return new String(data, 0, end, StandardCharsets.ISO_8859_1);
  }

  private static boolean isZero(byte[] block) {
    return Arrays.equals(block, ZEROS);
  }

  private static final byte[] ZEROS = new byte[BLOCK];
}
