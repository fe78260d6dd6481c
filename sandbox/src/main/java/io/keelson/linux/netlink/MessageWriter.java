package io.keelson.linux.netlink;

import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Writes one netlink message: a header, a fixed part, attributes. Not thread-safe. */
final class MessageWriter {

  private static final int ALIGNMENT = 4;

  private ByteBuffer buffer = ByteBuffer.allocate(512).order(ByteOrder.nativeOrder());

  /** Starts a message; its length and sequence number are filled in later. */
  MessageWriter(int type, int flags) {
    buffer.putInt(0).putShort((short) type).putShort((short) flags).putInt(0).putInt(0);
  }

  MessageWriter u8(int value) {
    room(1).put((byte) value);
    return this;
  }

  MessageWriter u16(int value) {
    room(2).putShort((short) value);
    return this;
  }

  MessageWriter u32(int value) {
    room(4).putInt(value);
    return this;
  }

  MessageWriter attribute(int type, byte[] value) {
    int length = NetlinkConstants.NLA_HEADER + value.length;
    room(length + ALIGNMENT).putShort((short) length).putShort((short) type).put(value);
    pad();
    return this;
  }

  MessageWriter attribute(int type, String value) {
    byte[] text = value.getBytes(StandardCharsets.UTF_8);
    return attribute(type, Arrays.copyOf(text, text.length + 1));
  }

  MessageWriter attribute(int type, InetAddress value) {
    return attribute(type, value.getAddress());
  }

  MessageWriter attribute32(int type, int value) {
    room(8).putShort((short) 8).putShort((short) type).putInt(value);
    return this;
  }

  MessageWriter attribute8(int type, int value) {
    return attribute(type, new byte[] {(byte) value});
  }

  /** Writes an attribute that holds what the body writes. */
  MessageWriter nested(int type, Runnable body) {
    int start = room(NetlinkConstants.NLA_HEADER).position();
    buffer.putShort((short) 0).putShort((short) (type | NetlinkConstants.NLA_F_NESTED));
    body.run();
    buffer.putShort(start, (short) (buffer.position() - start));
    return this;
  }

  /** The whole message with its length in the header. */
  byte[] toBytes() {
    buffer.putInt(0, buffer.position());
    return Arrays.copyOf(buffer.array(), buffer.position());
  }

  private void pad() {
    while (buffer.position() % ALIGNMENT != 0) {
      buffer.put((byte) 0);
    }
  }

  private ByteBuffer room(int bytes) {
    if (buffer.remaining() < bytes) {
      ByteBuffer larger =
          ByteBuffer.allocate(2 * buffer.capacity() + bytes).order(ByteOrder.nativeOrder());
      buffer = larger.put(buffer.flip());
    }
    return buffer;
  }
}
