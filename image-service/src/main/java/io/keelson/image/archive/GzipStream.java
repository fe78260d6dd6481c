package io.keelson.image.archive;

import io.keelson.linux.inflate.Inflation;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.util.zip.DataFormatException;

/**
 * Decompresses gzip (RFC 1952), also of many members. Checksums of members are passed over: whoever
 * uses this compares digests, which say more. For one thread.
 */
final class GzipStream extends InputStream {

  private static final int FLAG_HEADER_CHECKSUM = 2;
  private static final int FLAG_EXTRA = 4;
  private static final int FLAG_NAME = 8;
  private static final int FLAG_COMMENT = 16;
  private static final int TRAILER = 8;

  private final InputStream source;
  private final Inflation inflation;
  private final byte[] input = new byte[Inflation.MAX_INPUT];
  private int position;
  private int limit;
  private boolean inMember;
  private boolean finished;

  GzipStream(InputStream source, Inflation inflation) {
    this.source = source;
    this.inflation = inflation;
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
    while (!finished) {
      if (!inMember && !startMember()) {
        finished = true;
        break;
      }
      int count = inflate(target, offset, length);
      if (count > 0) {
        return count;
      }
    }
    return -1;
  }

  private int inflate(byte[] target, int offset, int length) throws IOException {
    try {
      boolean ended = false;
      if (inflation.needsInput()) {
        if (position < limit || fill()) {
          inflation.setInput(input, position, limit - position);
          position = limit;
        } else if (inflation.endsHere()) {
          ended = true;
        } else {
          throw new EOFException("gzip data ends too early");
        }
      }
      int count = ended ? 0 : inflation.inflate(target, offset, length);
      if (ended || inflation.finished()) {
        position = limit - inflation.remaining();
        skip(TRAILER - inflation.taken());
        inMember = false;
      }
      return count;
    } catch (DataFormatException e) {
      throw new MalformedArchiveException("damaged gzip data: " + e.getMessage(), e);
    }
  }

  // After the first member, zeros and whatever is no gzip are padding.
  private boolean startMember() throws IOException {
    int first = next();
    if (first < 0) {
      return false;
    }
    if (first != 0x1f || next() != 0x8b || next() != 8) {
      drain();
      return false;
    }
    int flags = required();
    for (int i = 0; i < 6; i++) {
      required();
    }
    if ((flags & FLAG_EXTRA) != 0) {
      int length = required() | required() << 8;
      skip(length);
    }
    if ((flags & FLAG_NAME) != 0) {
      skipText();
    }
    if ((flags & FLAG_COMMENT) != 0) {
      skipText();
    }
    if ((flags & FLAG_HEADER_CHECKSUM) != 0) {
      skip(2);
    }
    inflation.reset();
    inMember = true;
    return true;
  }

  private void drain() throws IOException {
    do {
      position = limit;
    } while (fill());
  }

  private void skipText() throws IOException {
    while (required() != 0) {
      // A name or comment, up to its zero.
    }
  }

  private void skip(int count) throws IOException {
    for (int i = 0; i < count; i++) {
      required();
    }
  }

  private int required() throws IOException {
    int value = next();
    if (value < 0) {
      throw new EOFException("gzip data ends too early");
    }
    return value;
  }

  private int next() throws IOException {
    return position == limit && !fill() ? -1 : input[position++] & 0xff;
  }

  private boolean fill() throws IOException {
    int count = source.read(input);
    position = 0;
    limit = Math.max(count, 0);
    return count > 0;
  }

  @Override
  public void close() throws IOException {
    inflation.close();
    source.close();
  }
}
