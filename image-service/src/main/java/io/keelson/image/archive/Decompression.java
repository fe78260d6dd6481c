package io.keelson.image.archive;

import io.keelson.linux.inflate.Inflation;
import java.io.IOException;
import java.io.InputStream;
import java.io.PushbackInputStream;

/**
 * Tells by the first bytes how a stream is compressed; media types of images are too often wrong.
 */
public final class Decompression {

  private static final int MAGIC = 4;

  private Decompression() {}

  /**
   * The stream without its compression: gzip, zstd or none. Closing it closes {@code compressed}.
   */
  public static InputStream of(InputStream compressed) throws IOException {
    PushbackInputStream stream = new PushbackInputStream(compressed, MAGIC);
    byte[] magic = stream.readNBytes(MAGIC);
    stream.unread(magic);
    if (startsWith(magic, 0x1f, 0x8b)) {
      return new GzipStream(stream, Inflation.best());
    }
    // A zstd stream may begin with a frame to be skipped (zstd:chunked does not, but may).
    if (startsWith(magic, 0x28, 0xb5, 0x2f, 0xfd)
        || (magic.length == MAGIC
            && (magic[0] & 0xf0) == 0x50
            && startsWith(new byte[] {magic[1], magic[2], magic[3]}, 0x2a, 0x4d, 0x18))) {
      return new ZstdStream(stream);
    }
    return stream;
  }

  /** True if {@link #of} found a compression. */
  public static boolean isCompressed(InputStream stream) {
    return !(stream instanceof PushbackInputStream);
  }

  private static boolean startsWith(byte[] data, int... start) {
    if (data.length < start.length) {
      return false;
    }
    for (int i = 0; i < start.length; i++) {
      if ((data[i] & 0xff) != start[i]) {
        return false;
      }
    }
    return true;
  }
}
