package io.keelson.image.archive;

import com.github.luben.zstd.ZstdIOException;
import com.github.luben.zstd.ZstdInputStreamNoFinalizer;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;

/** Decompresses zstd (RFC 8878), and calls damage by the name that it has here. For one thread. */
final class ZstdStream extends FilterInputStream {

  ZstdStream(InputStream source) throws IOException {
    super(new ZstdInputStreamNoFinalizer(source));
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
      throw new MalformedArchiveException("damaged zstd data: " + e.getMessage(), e);
    }
  }
}
