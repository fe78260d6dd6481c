package io.keelson.linux.inflate;

import java.util.zip.DataFormatException;

/**
 * Inflates raw deflate data (RFC 1951). Used like {@link java.util.zip.Inflater}, but for its end:
 * an implementation may see that only when there are bytes behind it, and may have taken some of
 * them. For one thread.
 */
public interface Inflation extends AutoCloseable {

  /** The most that {@link #setInput} takes, in bytes. */
  int MAX_INPUT = 64 * 1024;

  /** The fastest that this host has. */
  static Inflation best() {
    return IsalInflation.isAvailable() ? new IsalInflation() : new ZlibInflation();
  }

  /** Begins anew. */
  void reset();

  /** Gives the next bytes, at most {@link #MAX_INPUT}, once {@link #needsInput}. */
  void setInput(byte[] data, int offset, int length);

  boolean needsInput();

  /**
   * @return how many bytes came, perhaps none
   * @throws DataFormatException if the data is damaged
   */
  int inflate(byte[] target, int offset, int length) throws DataFormatException;

  /** Whether the end was seen. */
  boolean finished();

  /** Whether the end is where the input given so far ends; to be asked if there is no more. */
  boolean endsHere() throws DataFormatException;

  /** How many bytes of the last input were not looked at. */
  int remaining();

  /** How many bytes behind the end were taken, those of earlier inputs too: at most 8. */
  int taken();

  @Override
  void close();
}
