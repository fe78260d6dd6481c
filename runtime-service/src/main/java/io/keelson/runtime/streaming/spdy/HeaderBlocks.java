package io.keelson.runtime.streaming.spdy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/**
 * The headers of one connection, which are compressed one after another, each way by one thread at
 * a time: a block can only be read if all before it were (SPDY/3, 2.6.10).
 */
final class HeaderBlocks implements AutoCloseable {

  /**
   * Far more than any client sends, and little enough that a small block can't become a large one.
   */
  private static final int MAX_SIZE = 64 * 1024;

  private static final byte[] ZLIB_HEADER = {0x78, 0x01};

  /** An empty block, at which Go's decompressor gives out what it has. */
  private static final byte[] FLUSH = {0, 0, 0, -1, -1};

  private final byte[] dictionary = HeaderDictionary.bytes();
  private final Inflater inflater = new Inflater();
  private boolean begun; // the compressed output, used by the sending thread alone

  /** Names in lower case; of several values the first. */
  Map<String, String> decode(byte[] block) throws IOException {
    byte[] plain = inflate(block);
    Map<String, String> headers = new TreeMap<>();
    DataInputStream in = new DataInputStream(new ByteArrayInputStream(plain));
    int count = in.readInt();
    for (int i = 0; i < count; i++) {
      String name = text(in);
      String value = text(in);
      int end = value.indexOf('\0');
      headers.put(name.toLowerCase(Locale.ROOT), end < 0 ? value : value.substring(0, end));
    }
    return headers;
  }

  private byte[] inflate(byte[] block) throws IOException {
    ByteArrayOutputStream plain = new ByteArrayOutputStream(256);
    byte[] buffer = new byte[1024];
    inflater.setInput(block);
    try {
      while (true) {
        int count = inflater.inflate(buffer);
        plain.write(buffer, 0, count);
        if (plain.size() > MAX_SIZE) {
          throw new IOException("headers of more than " + MAX_SIZE + " bytes");
        }
        if (count == 0) {
          if (inflater.needsDictionary()) {
            inflater.setDictionary(dictionary);
          } else {
            return plain.toByteArray();
          }
        }
      }
    } catch (DataFormatException | IllegalArgumentException e) {
      throw new IOException("headers that can't be decompressed: " + e.getMessage(), e);
    }
  }

  private static String text(DataInputStream in) throws IOException {
    int length = in.readInt();
    if (length < 0 || length > in.available()) {
      throw new IOException("a header is longer than its block");
    }
    return new String(in.readNBytes(length), StandardCharsets.UTF_8);
  }

  /**
   * A block that is not compressed (RFC 1951, 3.2.4): replies say next to nothing, and a compressor
   * would hold a quarter of a megabyte for each connection.
   */
  byte[] encode(Map<String, String> headers) throws IOException {
    ByteArrayOutputStream plain = new ByteArrayOutputStream(64);
    DataOutputStream out = new DataOutputStream(plain);
    out.writeInt(headers.size());
    for (Map.Entry<String, String> header : headers.entrySet()) {
      for (String text : new String[] {header.getKey(), header.getValue()}) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        out.writeInt(bytes.length);
        out.write(bytes);
      }
    }
    ByteBuffer block =
        ByteBuffer.allocate(2 + 5 + plain.size() + FLUSH.length).order(ByteOrder.LITTLE_ENDIAN);
    if (!begun) {
      begun = true;
      block.put(ZLIB_HEADER);
    }
    block.put((byte) 0).putShort((short) plain.size()).putShort((short) ~plain.size());
    block.put(plain.toByteArray()).put(FLUSH);
    return Arrays.copyOf(block.array(), block.position());
  }

  /** Gives memory outside of the heap back; {@link #decode} may not be called any more. */
  @Override
  public void close() {
    inflater.end();
  }
}
