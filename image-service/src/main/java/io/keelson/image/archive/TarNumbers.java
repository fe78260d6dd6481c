package io.keelson.image.archive;

import io.keelson.linux.tree.Timestamp;
import java.math.BigInteger;
import java.util.Arrays;

/** The ways in which tar writes numbers. */
final class TarNumbers {

  /** No file system keeps times further from the epoch; the kernel clamps what is nearer. */
  private static final long MAX_SECONDS = 1L << 55;

  private TarNumbers() {}

  /** An octal number between blanks, or a binary one (GNU) whose first bit is set; empty is 0. */
  static long number(byte[] block, int offset, int length) throws MalformedArchiveException {
    if ((block[offset] & 0x80) != 0) {
      return binary(block, offset, length);
    }
    int from = offset;
    int to = offset + length;
    while (from < to && (block[from] == ' ' || block[from] == 0)) {
      from++;
    }
    long value = 0;
    int at = from;
    for (; at < to && block[at] >= '0' && block[at] <= '7'; at++) {
      if (value >>> 60 != 0) {
        throw new MalformedArchiveException("a number in a header is too large");
      }
      value = value << 3 | (block[at] - '0');
    }
    if (at < to && block[at] != ' ' && block[at] != 0) {
      throw new MalformedArchiveException("a header has a number that is not octal");
    }
    return value;
  }

  private static long binary(byte[] block, int offset, int length)
      throws MalformedArchiveException {
    byte[] bytes = Arrays.copyOfRange(block, offset, offset + length);
    boolean negative = (bytes[0] & 0x40) != 0;
    bytes[0] = (byte) (negative ? bytes[0] : bytes[0] & 0x7f);
    BigInteger value = new BigInteger(bytes);
    if (value.bitLength() > 63) {
      throw new MalformedArchiveException("a number in a header is too large");
    }
    return value.longValue();
  }

  /** A decimal number in an extended header. */
  static long decimal(String text, String key) throws MalformedArchiveException {
    try {
      return Long.parseLong(text);
    } catch (NumberFormatException e) {
      throw new MalformedArchiveException("extended header " + key + " is no number", e);
    }
  }

  /**
   * Seconds with a fraction, as in {@code mtime} of an extended header; digits below 1 ns are
   * dropped.
   */
  static Timestamp time(String text, String key) throws MalformedArchiveException {
    int point = text.indexOf('.');
    String whole = point < 0 ? text : text.substring(0, point);
    String fraction = point < 0 ? "" : text.substring(point + 1);
    if (!fraction.chars().allMatch(c -> c >= '0' && c <= '9')) {
      throw new MalformedArchiveException("extended header " + key + " is no time");
    }
    boolean negative = whole.startsWith("-");
    long seconds = whole.isEmpty() || whole.equals("-") ? 0 : decimal(whole, key);
    String nine = (fraction + "000000000").substring(0, 9);
    int nanoseconds = Integer.parseInt(nine);
    if (negative && nanoseconds > 0) {
      seconds--;
      nanoseconds = 1_000_000_000 - nanoseconds;
    }
    return time(seconds, nanoseconds);
  }

  static Timestamp time(long seconds, int nanoseconds) throws MalformedArchiveException {
    if (Math.abs(seconds) > MAX_SECONDS) {
      throw new MalformedArchiveException("a time is out of all bounds: " + seconds + " s");
    }
    return new Timestamp(seconds, nanoseconds);
  }

  /** A user or group. */
  static int id(long value) throws MalformedArchiveException {
    if (value < 0 || value >= 0xffffffffL) {
      throw new MalformedArchiveException("no user or group: " + value);
    }
    return (int) value;
  }
}
