package io.keelson.image.archive;

import io.keelson.linux.tree.Timestamp;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;

/**
 * Writes a tar: ustar, with pax headers for what does not fit (POSIX.1-2001, pax). The same entries
 * give the same bytes. Names are bytes, one {@code char} each. For one thread.
 */
final class TarWriter {

  private static final String SCHILY_XATTR = "SCHILY.xattr.";
  private static final long MAX_OCTAL_SIZE = 077777777777L;
  private static final int MAX_OCTAL_ID = 07777777;
  private static final char PAX = 'x';
  private static final int BUFFER = 64 * 1024;

  private final OutputStream out;

  /**
   * @param out stays the caller's
   */
  TarWriter(OutputStream out) {
    this.out = out;
  }

  /**
   * @param linkName of links, else {@code ""}
   * @param size of the content that follows
   */
  record Header(
      TarEntry.Type type,
      String name,
      String linkName,
      int mode,
      int uid,
      int gid,
      long size,
      Timestamp modified,
      int major,
      int minor,
      Map<String, byte[]> attributes) {}

  /** Writes an entry without content. */
  void write(Header header) throws IOException {
    begin(header);
  }

  /** Writes a file; content that ends too early or goes on is an error. */
  void write(Header header, InputStream content) throws IOException {
    begin(header);
    byte[] buffer = new byte[BUFFER];
    long left = header.size();
    while (left > 0) {
      int count = content.read(buffer, 0, (int) Math.min(left, buffer.length));
      if (count < 0) {
        throw new IOException("/" + header.name() + " became shorter while it was read");
      }
      out.write(buffer, 0, count);
      left -= count;
    }
    pad(header.size());
  }

  /** Writes the end of the archive. */
  void finish() throws IOException {
    out.write(new byte[2 * TarReader.BLOCK]);
  }

  private void begin(Header header) throws IOException {
    Map<String, byte[]> records = pax(header);
    if (!records.isEmpty()) {
      byte[] data = data(records);
      Timestamp epoch = new Timestamp(0, 0);
      Header pax =
          new Header(TarEntry.Type.FILE, "pax", "", 0644, 0, 0, data.length, epoch, 0, 0, Map.of());
      out.write(block(PAX, pax));
      out.write(data);
      pad(data.length);
    }
    out.write(block(header.type().letter(), header));
  }

  private static Map<String, byte[]> pax(Header header) {
    Map<String, byte[]> records = new LinkedHashMap<>();
    if (header.name().length() > 100) {
      records.put("path", bytes(header.name()));
    }
    if (header.linkName().length() > 100) {
      records.put("linkpath", bytes(header.linkName()));
    }
    if (header.size() > MAX_OCTAL_SIZE) {
      records.put("size", bytes(Long.toString(header.size())));
    }
    if (Integer.compareUnsigned(header.uid(), MAX_OCTAL_ID) > 0) {
      records.put("uid", bytes(Integer.toUnsignedString(header.uid())));
    }
    if (Integer.compareUnsigned(header.gid(), MAX_OCTAL_ID) > 0) {
      records.put("gid", bytes(Integer.toUnsignedString(header.gid())));
    }
    Timestamp time = header.modified();
    if (time.nanoseconds() != 0 || time.seconds() < 0 || time.seconds() > MAX_OCTAL_SIZE) {
      records.put("mtime", bytes(text(time)));
    }
    new TreeMap<>(header.attributes())
        .forEach((name, value) -> records.put(SCHILY_XATTR + name, value));
    return records;
  }

  private static String text(Timestamp time) {
    if (time.seconds() >= 0 || time.nanoseconds() == 0) {
      return "%d.%09d".formatted(time.seconds(), time.nanoseconds());
    }
    // The fraction counts away from zero.
    long whole = -(time.seconds() + 1);
    return "-%d.%09d".formatted(whole, 1_000_000_000 - time.nanoseconds());
  }

  // The length at the start of a record counts its own digits.
  private static byte[] data(Map<String, byte[]> records) {
    ByteArrayOutputStream data = new ByteArrayOutputStream();
    records.forEach(
        (key, value) -> {
          int rest = 1 + key.length() + 1 + value.length + 1;
          int length = rest;
          while (length != rest + Integer.toString(length).length()) {
            length = rest + Integer.toString(length).length();
          }
          data.writeBytes(bytes(length + " " + key + "="));
          data.writeBytes(value);
          data.write('\n');
        });
    return data.toByteArray();
  }

  private static byte[] block(char type, Header header) {
    byte[] block = new byte[TarReader.BLOCK];
    text(block, 0, 100, header.name());
    octal(block, 100, 8, header.mode());
    octal(block, 108, 8, fitting(header.uid()));
    octal(block, 116, 8, fitting(header.gid()));
    octal(block, 124, 12, header.size() > MAX_OCTAL_SIZE ? 0 : header.size());
    long seconds = header.modified().seconds();
    octal(block, 136, 12, seconds < 0 || seconds > MAX_OCTAL_SIZE ? 0 : seconds);
    block[156] = (byte) type;
    text(block, 157, 100, header.linkName());
    text(block, 257, 8, "ustar\000" + "00");
    octal(block, 329, 8, header.major());
    octal(block, 337, 8, header.minor());
    text(block, 148, 8, "        ");
    int sum = 0;
    for (byte value : block) {
      sum += value & 0xff;
    }
    text(block, 148, 8, "%06o\0 ".formatted(sum));
    return block;
  }

  private static int fitting(int id) {
    return Integer.compareUnsigned(id, MAX_OCTAL_ID) > 0 ? 0 : id;
  }

  private static void octal(byte[] block, int offset, int length, long value) {
    String digits = Long.toOctalString(value);
    text(block, offset, length, "0".repeat(Math.max(0, length - 1 - digits.length())) + digits);
  }

  private static void text(byte[] block, int offset, int length, String text) {
    byte[] bytes = bytes(text);
    System.arraycopy(bytes, 0, block, offset, Math.min(length, bytes.length));
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }

  private void pad(long size) throws IOException {
    out.write(new byte[(int) (-size & (TarReader.BLOCK - 1))]);
  }
}
