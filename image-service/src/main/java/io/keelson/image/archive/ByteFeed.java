package io.keelson.image.archive;

import java.io.EOFException;
import java.io.IOException;

/**
 * Bytes that come in blocks and are looked at where they lie, so that file content is copied no
 * more often than it must be. For one thread.
 */
public abstract class ByteFeed {

  private byte[] block = new byte[0];
  private int position;
  private int limit;

  /** Takes the bytes from {@link #readFully} and {@link #transfer}. */
  @FunctionalInterface
  public interface Sink {
    /** The bytes are valid during the call. */
    void accept(byte[] data, int offset, int length) throws IOException;
  }

  /**
   * Brings the next block by {@link #setBlock}.
   *
   * @return false at the end
   */
  protected abstract boolean refill() throws IOException;

  /** How many bytes of the block were not handed out yet. */
  final int buffered() {
    return limit - position;
  }

  /** To be called by {@link #refill} with at least one byte. */
  protected final void setBlock(byte[] data, int offset, int length) {
    block = data;
    position = offset;
    limit = offset + length;
  }

  /**
   * Fills {@code target}.
   *
   * @return false if the end was there already
   * @throws EOFException if the end comes in the middle
   */
  final boolean readFully(byte[] target) throws IOException {
    int filled = 0;
    while (filled < target.length) {
      if (position == limit && !refill()) {
        if (filled == 0) {
          return false;
        }
        throw new EOFException("the archive ends in the middle of a header");
      }
      int part = Math.min(limit - position, target.length - filled);
      System.arraycopy(block, position, target, filled, part);
      position += part;
      filled += part;
    }
    return true;
  }

  /**
   * Hands out the next {@code count} bytes.
   *
   * @throws EOFException if there are fewer
   */
  final void transfer(long count, Sink sink) throws IOException {
    long left = count;
    while (left > 0) {
      if (position == limit && !refill()) {
        throw new EOFException("the archive ends " + left + " bytes before the end of a file");
      }
      int part = (int) Math.min(limit - position, left);
      sink.accept(block, position, part);
      position += part;
      left -= part;
    }
  }

  /** Goes over the next {@code count} bytes. */
  void skip(long count) throws IOException {
    transfer(count, (data, offset, length) -> {});
  }

  /** Reads to the end. */
  public final void drain() throws IOException {
    do {
      position = limit;
    } while (refill());
  }
}
