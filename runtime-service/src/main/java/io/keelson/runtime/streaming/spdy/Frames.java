package io.keelson.runtime.streaming.spdy;

import java.nio.ByteBuffer;

/** The frames that are sent, as bytes (SPDY/3, 2.2 and 2.6). */
final class Frames {

  static final int HEADER = 8;
  static final int MAX_LENGTH = 0xffffff;
  static final int FLAG_FIN = 1;

  static final int SYN_STREAM = 1;
  static final int SYN_REPLY = 2;
  static final int RST_STREAM = 3;
  static final int PING = 6;
  static final int HEADERS = 8;

  static final int REFUSED_STREAM = 3;
  static final int CANCEL = 5;

  private static final int VERSION = 3;

  private Frames() {}

  static byte[] data(int stream, boolean last, byte[] bytes, int offset, int length) {
    return ByteBuffer.allocate(HEADER + length)
        .putInt(stream)
        .putInt((last ? FLAG_FIN : 0) << 24 | length)
        .put(bytes, offset, length)
        .array();
  }

  static byte[] synStream(int stream, byte[] headers) {
    return control(SYN_STREAM, 10 + headers.length)
        .putInt(stream)
        .putInt(0)
        .putShort((short) 0)
        .put(headers)
        .array();
  }

  static byte[] synReply(int stream, byte[] headers) {
    return control(SYN_REPLY, 4 + headers.length).putInt(stream).put(headers).array();
  }

  static byte[] rstStream(int stream, int status) {
    return control(RST_STREAM, 8).putInt(stream).putInt(status).array();
  }

  static byte[] ping(int id) {
    return control(PING, 4).putInt(id).array();
  }

  private static ByteBuffer control(int type, int length) {
    return ByteBuffer.allocate(HEADER + length)
        .putInt(1 << 31 | VERSION << 16 | type)
        .putInt(length);
  }
}
