package io.keelson.image.archive;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdIOException;
import com.github.luben.zstd.ZstdInputStreamNoFinalizer;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;

/** Decompresses zstd (RFC 8878), and calls damage by the name that it has here. For one thread. */
final class ZstdStream extends FilterInputStream {

  /**
   * Of the largest window that is taken, 128 MiB: what {@code zstd} itself decompresses unless it
   * is told otherwise, and more than any level of compression makes without {@code --long}. The
   * whole window is memory, and the image says how large it is: up to 2 GiB, before a single byte
   * is there.
   */
  private static final int LARGEST_WINDOW_LOG = 27;

  ZstdStream(InputStream source) throws IOException {
    super(new ZstdInputStreamNoFinalizer(source).setLongMax(LARGEST_WINDOW_LOG));
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] target, int offset, int length) throws IOException {
    try {
      return super.read(target, offset, length);
    } catch (ZstdIOException e) {
      throw e.getErrorCode() == Zstd.errFrameParameterWindowTooLarge()
          ? new MalformedArchiveException(
              "the zstd data wants a window of more than %d MiB of memory"
                  .formatted(1 << (LARGEST_WINDOW_LOG - 20)),
              e)
          : new MalformedArchiveException("damaged zstd data: " + e.getMessage(), e);
    }
  }
}
