package io.keelson.linux.tree;

/**
 * A time as inodes have it.
 *
 * @param seconds since the epoch, may be negative
 * @param nanoseconds after that second, 0 to 999,999,999
 */
public record Timestamp(long seconds, int nanoseconds) {

  public Timestamp {
    if (nanoseconds < 0 || nanoseconds > 999_999_999) {
      throw new IllegalArgumentException("nanoseconds: " + nanoseconds);
    }
  }

  /** As utimensat(2) takes them: access time, then modification time. */
  static long[] pair(Timestamp accessed, Timestamp modified) {
    return new long[] {
      accessed.seconds, accessed.nanoseconds, modified.seconds, modified.nanoseconds
    };
  }
}
