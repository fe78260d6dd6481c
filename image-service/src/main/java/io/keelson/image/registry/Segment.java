package io.keelson.image.registry;

/** A piece of a blob in memory. Guarded by the lock of its {@link BlobDownload}. */
final class Segment {

  static final int SIZE = 2 << 20;

  private final byte[] data;
  private long index = -1;
  private int length;
  private int filled;

  /**
   * @param capacity bytes
   */
  Segment(int capacity) {
    this.data = new byte[capacity];
  }

  /** Makes it the piece of this number of a blob of this size. */
  void assign(long number, long blobSize) {
    index = number;
    length = (int) Math.min(SIZE, blobSize - start());
    filled = 0;
  }

  /** The bytes; those before {@link #filled} don't change any more. */
  byte[] data() {
    return data;
  }

  long index() {
    return index;
  }

  /** Where in the blob it begins. */
  long start() {
    return index * SIZE;
  }

  /** Where in the blob the next begins. */
  long end() {
    return start() + length;
  }

  int length() {
    return length;
  }

  int filled() {
    return filled;
  }

  void fill(int count) {
    filled += count;
  }
}
