package io.keelson.linux.netlink;

import java.nio.ByteBuffer;
import java.util.Optional;

/**
 * A network interface as the kernel described it.
 *
 * @param kind as in {@code ip link add type KIND}; empty for hardware and the loopback
 * @param mac empty for a link without a 48 bit hardware address
 * @param mtu in bytes
 * @param flags of {@link #FLAGS}, as the administrator wants them; up is so with or without a
 *     carrier
 * @param master index of the bridge (or other master) that it belongs to; 0 for none
 * @param peer index of the link that it goes over or, for veth, of the other end in the other end's
 *     namespace; 0 for none
 * @param alias free text that somebody put to the link
 */
public record Link(
    int index,
    String name,
    Optional<String> kind,
    Optional<MacAddress> mac,
    int mtu,
    int flags,
    int master,
    int peer,
    Optional<String> alias,
    Optional<LinkStatistics> statistics) {

  /** The flags that an administrator sets (netdevice(7)). */
  public static final int FLAGS =
      NetlinkConstants.IFF_UP
          | NetlinkConstants.IFF_NOARP
          | NetlinkConstants.IFF_PROMISC
          | NetlinkConstants.IFF_ALLMULTI
          | NetlinkConstants.IFF_MULTICAST
          | NetlinkConstants.IFF_DYNAMIC;

  private static final int FIXED = 16;

  public boolean up() {
    return (flags & NetlinkConstants.IFF_UP) != 0;
  }

  static Link decode(Datagram.Message message) throws MalformedMessageException {
    ByteBuffer fixed = message.fixed(FIXED);
    int index = fixed.getInt(4);
    Attributes attributes = message.attributes(FIXED);
    return new Link(
        index,
        attributes
            .string(NetlinkConstants.IFLA_IFNAME)
            .orElseThrow(() -> new MalformedMessageException("link " + index + " has no name")),
        attributes.nested(NetlinkConstants.IFLA_LINKINFO).string(NetlinkConstants.IFLA_INFO_KIND),
        attributes
            .bytes(NetlinkConstants.IFLA_ADDRESS)
            .filter(octets -> octets.length == 6)
            .map(MacAddress::of),
        attributes.u32(NetlinkConstants.IFLA_MTU).orElse(0),
        fixed.getInt(8) & FLAGS,
        attributes.u32(NetlinkConstants.IFLA_MASTER).orElse(0),
        attributes.u32(NetlinkConstants.IFLA_LINK).orElse(0),
        attributes.string(NetlinkConstants.IFLA_IFALIAS),
        attributes.buffer(NetlinkConstants.IFLA_STATS64).flatMap(LinkStatistics::decode));
  }
}
