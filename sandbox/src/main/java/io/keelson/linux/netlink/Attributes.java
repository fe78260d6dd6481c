package io.keelson.linux.netlink;

import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * The attributes of a message, by type. All lengths are checked against the space that is there, so
 * that no reply can make a reader run over its end. Of an attribute that occurs twice the last one
 * counts, as in the kernel.
 */
final class Attributes {

  private final Map<Integer, ByteBuffer> values;

  private Attributes(Map<Integer, ByteBuffer> values) {
    this.values = values;
  }

  /**
   * Parses what is left in the buffer.
   *
   * @throws MalformedMessageException if an attribute is longer than the space or shorter than its
   *     header
   */
  static Attributes parse(ByteBuffer source) throws MalformedMessageException {
    ByteBuffer buffer = source.slice().order(ByteOrder.nativeOrder());
    Map<Integer, ByteBuffer> values = new HashMap<>();
    while (buffer.remaining() >= NetlinkConstants.NLA_HEADER) {
      int start = buffer.position();
      int length = buffer.getShort() & 0xffff;
      int type = buffer.getShort() & NetlinkConstants.NLA_TYPE_MASK;
      if (length < NetlinkConstants.NLA_HEADER || length > buffer.limit() - start) {
        throw new MalformedMessageException(
            "attribute "
                + type
                + " of "
                + length
                + " bytes where "
                + (buffer.limit() - start)
                + " are");
      }
      values.put(
          type,
          buffer.slice(start + NetlinkConstants.NLA_HEADER, length - NetlinkConstants.NLA_HEADER));
      buffer.position(Math.min(start + Datagram.align(length), buffer.limit()));
    }
    return new Attributes(values);
  }

  boolean has(int type) {
    return values.containsKey(type);
  }

  Optional<ByteBuffer> buffer(int type) {
    return Optional.ofNullable(values.get(type))
        .map(value -> value.duplicate().order(ByteOrder.nativeOrder()));
  }

  Optional<byte[]> bytes(int type) {
    return buffer(type)
        .map(
            value -> {
              byte[] bytes = new byte[value.remaining()];
              value.get(bytes);
              return bytes;
            });
  }

  /** A 32 bit number in the machine's byte order. */
  OptionalInt u32(int type) throws MalformedMessageException {
    ByteBuffer value = values.get(type);
    if (value == null) {
      return OptionalInt.empty();
    }
    if (value.remaining() < Integer.BYTES) {
      throw new MalformedMessageException(
          "attribute " + type + " has " + value.remaining() + " bytes for a number of 4");
    }
    return OptionalInt.of(value.duplicate().order(ByteOrder.nativeOrder()).getInt());
  }

  /** Text up to its first NUL. */
  Optional<String> string(int type) {
    return bytes(type)
        .map(
            bytes -> {
              int end = 0;
              while (end < bytes.length && bytes[end] != 0) {
                end++;
              }
              return new String(bytes, 0, end, StandardCharsets.UTF_8);
            });
  }

  Optional<InetAddress> address(int type) throws MalformedMessageException {
    Optional<byte[]> octets = bytes(type);
    if (octets.isPresent() && octets.get().length != 4 && octets.get().length != 16) {
      throw new MalformedMessageException(
          "attribute " + type + " has " + octets.get().length + " bytes for an address");
    }
    return octets.map(IpPrefix::ofOctets);
  }

  /** The attributes inside of an attribute; none if it is not there. */
  Attributes nested(int type) throws MalformedMessageException {
    ByteBuffer value = values.get(type);
    return value == null ? new Attributes(Map.of()) : parse(value.duplicate());
  }
}
