package io.keelson.linux.netlink;

import static io.keelson.linux.netlink.NetlinkConstants.AF_INET;

import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.Optional;

/**
 * A unicast route of the main table.
 *
 * @param destination a network; of length 0 for a default route
 * @param gateway empty if the destination is on the link itself
 * @param link index of the link; 0 if the kernel has several next hops for it
 * @param metric 0 for the kernel's default
 * @param protocol who made it, as in rtnetlink(7)
 */
public record Route(
    IpPrefix destination, Optional<InetAddress> gateway, int link, int metric, int protocol) {

  /** The protocol of what an administrator makes. */
  public static final int STATIC = NetlinkConstants.RTPROT_STATIC;

  private static final int FIXED = 12;

  /** One that an administrator makes. */
  public Route(IpPrefix destination, Optional<InetAddress> gateway, int link, int metric) {
    this(destination, gateway, link, metric, STATIC);
  }

  /** A default route by a gateway of either family. */
  public static Route byDefault(InetAddress gateway, int link) {
    InetAddress any = IpPrefix.ofOctets(new byte[gateway.getAddress().length]);
    return new Route(new IpPrefix(any, 0), Optional.of(gateway), link, 0);
  }

  /** Whether it stands for every destination that no other route is for. */
  public boolean isDefault() {
    return destination.length() == 0;
  }

  /**
   * Whether the kernel made it by itself, with an address or as a router told it to, and will again
   * when the link is up.
   */
  public boolean learnt() {
    return protocol == NetlinkConstants.RTPROT_KERNEL
        || protocol == NetlinkConstants.RTPROT_REDIRECT
        || protocol == NetlinkConstants.RTPROT_RA;
  }

  /** Empty for what is no unicast route of the main table. */
  static Optional<Route> decode(Datagram.Message message) throws MalformedMessageException {
    ByteBuffer fixed = message.fixed(FIXED);
    int family = fixed.get(0);
    int length = fixed.get(1) & 0xff;
    int protocol = fixed.get(5) & 0xff;
    int type = fixed.get(7);
    int flags = fixed.getInt(8);
    Attributes attributes = message.attributes(FIXED);
    int table = attributes.u32(NetlinkConstants.RTA_TABLE).orElse(fixed.get(4) & 0xff);
    if (table != NetlinkConstants.RT_TABLE_MAIN
        || type != NetlinkConstants.RTN_UNICAST
        || (flags & NetlinkConstants.RTM_F_CLONED) != 0) {
      return Optional.empty();
    }
    int octets = family == AF_INET ? 4 : 16;
    InetAddress address =
        attributes.address(NetlinkConstants.RTA_DST).orElse(IpPrefix.ofOctets(new byte[octets]));
    if (length > octets * 8 || address.getAddress().length != octets) {
      throw new MalformedMessageException("a route to " + address + "/" + length);
    }
    return Optional.of(
        new Route(
            new IpPrefix(address, length),
            attributes.address(NetlinkConstants.RTA_GATEWAY),
            attributes.u32(NetlinkConstants.RTA_OIF).orElse(0),
            attributes.u32(NetlinkConstants.RTA_PRIORITY).orElse(0),
            protocol));
  }

  @Override
  public String toString() {
    return "route to "
        + (isDefault() ? "default" : destination)
        + gateway.map(address -> " by " + IpText.of(address)).orElse("")
        + " on link "
        + link;
  }
}
