package io.keelson.linux.netlink;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/** What one receive call brings: one or more messages. */
final class Datagram {

  private Datagram() {}

  /**
   * One message.
   *
   * @param body what follows the header, in the machine's byte order; its position is the reader's
   *     own
   */
  record Message(int type, int flags, int sequence, ByteBuffer body) {

    /** The fixed part of a message, which must be there in full. */
    ByteBuffer fixed(int bytes) throws MalformedMessageException {
      if (body.remaining() < bytes) {
        throw new MalformedMessageException(
            "type " + type + " has " + body.remaining() + " bytes, fewer than " + bytes);
      }
      return body.slice(0, bytes).order(ByteOrder.nativeOrder());
    }

    Attributes attributes(int fixedBytes) throws MalformedMessageException {
      int start = Math.min(align(fixedBytes), body.remaining());
      return Attributes.parse(body.slice(start, body.remaining() - start));
    }
  }

  /**
   * Splits a datagram into its messages.
   *
   * @throws MalformedMessageException if a message is longer than the datagram or shorter than its
   *     header
   */
  static List<Message> messages(byte[] bytes, int length) throws MalformedMessageException {
    ByteBuffer buffer = ByteBuffer.wrap(bytes, 0, length).order(ByteOrder.nativeOrder());
    List<Message> messages = new ArrayList<>();
    while (buffer.remaining() >= NetlinkConstants.NLMSG_HEADER) {
      int start = buffer.position();
      int size = buffer.getInt();
      int type = buffer.getShort() & 0xffff;
      int flags = buffer.getShort() & 0xffff;
      int sequence = buffer.getInt();
      if (size < NetlinkConstants.NLMSG_HEADER || size > length - start) {
        throw new MalformedMessageException(
            "message of " + size + " bytes where " + (length - start) + " are");
      }
      ByteBuffer body =
          buffer.slice(start + NetlinkConstants.NLMSG_HEADER, size - NetlinkConstants.NLMSG_HEADER);
      messages.add(new Message(type, flags, sequence, body.order(ByteOrder.nativeOrder())));
      buffer.position(Math.min(start + align(size), length));
    }
    if (buffer.hasRemaining()) {
      throw new MalformedMessageException(
          buffer.remaining() + " bytes are left for a header of 16");
    }
    return messages;
  }

  /** Sizes are rounded up to four bytes between messages and attributes. */
  static int align(int length) {
    return (length + 3) & ~3;
  }
}
