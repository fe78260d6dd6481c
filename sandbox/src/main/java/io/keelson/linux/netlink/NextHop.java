package io.keelson.linux.netlink;

import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * Where a route goes first.
 *
 * @param gateway of either family; empty if the destination is on the link itself
 * @param link index of the link
 * @param weight among the next hops of one route, from 1
 * @param onLink the gateway is taken to be on the link, whatever other routes say
 */
public record NextHop(Optional<InetAddress> gateway, int link, int weight, boolean onLink) {

  /** {@code struct rtnexthop}. */
  private static final int FIXED = 8;

  /** The only one of its route. */
  public NextHop(Optional<InetAddress> gateway, int link) {
    this(gateway, link, 1, false);
  }

  static NextHop decode(Attributes attributes, int link, int flags, int weight)
      throws MalformedMessageException {
    Optional<InetAddress> gateway = attributes.address(NetlinkConstants.RTA_GATEWAY);
    Optional<byte[]> via = attributes.bytes(NetlinkConstants.RTA_VIA);
    if (gateway.isEmpty() && via.isPresent()) {
      byte[] octets = via.get();
      if (octets.length != 2 + 4 && octets.length != 2 + 16) {
        throw new MalformedMessageException("a gateway of " + octets.length + " bytes");
      }
      gateway = Optional.of(IpPrefix.ofOctets(Arrays.copyOfRange(octets, 2, octets.length)));
    }
    return new NextHop(gateway, link, weight, (flags & NetlinkConstants.RTNH_F_ONLINK) != 0);
  }

  /** Those of an attribute RTA_MULTIPATH. */
  static List<NextHop> decodeAll(ByteBuffer source) throws MalformedMessageException {
    ByteBuffer buffer = source.slice().order(ByteOrder.nativeOrder());
    List<NextHop> hops = new ArrayList<>();
    while (buffer.remaining() >= FIXED) {
      int start = buffer.position();
      int length = buffer.getShort(start) & 0xffff;
      if (length < FIXED || length > buffer.remaining()) {
        throw new MalformedMessageException(
            "a next hop of " + length + " bytes where " + buffer.remaining() + " are");
      }
      hops.add(
          decode(
              Attributes.parse(buffer.slice(start + FIXED, length - FIXED)),
              buffer.getInt(start + 4),
              buffer.get(start + 2),
              (buffer.get(start + 3) & 0xff) + 1));
      buffer.position(Math.min(start + Datagram.align(length), buffer.limit()));
    }
    if (hops.isEmpty()) {
      throw new MalformedMessageException("a route over several links without any");
    }
    return hops;
  }

  int flags() {
    return onLink ? NetlinkConstants.RTNH_F_ONLINK : 0;
  }

  /** Writes it as one of several. */
  void writeTo(MessageWriter message, boolean ipv4) {
    message.u16(FIXED + gatewayLength(ipv4)).u8(flags()).u8(weight - 1).u32(link);
    writeGateway(message, ipv4);
  }

  private int gatewayLength(boolean ipv4) {
    int octets = gateway.map(address -> address.getAddress().length).orElse(0);
    int family = isOther(ipv4) ? 2 : 0;
    return octets == 0 ? 0 : Datagram.align(NetlinkConstants.NLA_HEADER + family + octets);
  }

  /** The gateway is of another family than the destination. */
  private boolean isOther(boolean ipv4) {
    return gateway.isPresent() && (gateway.get().getAddress().length == 4) != ipv4;
  }

  /**
   * @param ipv4 whether the destination is
   */
  void writeGateway(MessageWriter message, boolean ipv4) {
    if (gateway.isEmpty()) {
      return;
    }
    byte[] octets = gateway.get().getAddress();
    if (isOther(ipv4)) {
      int family = octets.length == 4 ? NetlinkConstants.AF_INET : NetlinkConstants.AF_INET6;
      message.attribute(
          NetlinkConstants.RTA_VIA,
          ByteBuffer.allocate(2 + octets.length)
              .order(ByteOrder.nativeOrder())
              .putShort((short) family)
              .put(octets)
              .array());
    } else {
      message.attribute(NetlinkConstants.RTA_GATEWAY, octets);
    }
  }

  @Override
  public String toString() {
    return gateway.map(address -> " by " + IpText.of(address)).orElse("") + " on link " + link;
  }
}
