package io.keelson.linux.netlink;

import static io.keelson.linux.netlink.NetlinkConstants.AF_INET;

import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * A unicast route of the main table.
 *
 * @param destination a network; of length 0 for a default route
 * @param hops where it goes first, one as a rule
 * @param source that packets get which have none yet; empty for the kernel's choice
 * @param metric 0 for the kernel's default
 * @param protocol who made it, as in rtnetlink(7)
 */
public record Route(
    IpPrefix destination,
    List<NextHop> hops,
    Optional<InetAddress> source,
    int metric,
    int protocol) {

  /** The protocol of what an administrator makes. */
  public static final int STATIC = NetlinkConstants.RTPROT_STATIC;

  private static final int FIXED = 12;

  public Route {
    hops = List.copyOf(hops);
  }

  /** One that an administrator makes. */
  public Route(IpPrefix destination, Optional<InetAddress> gateway, int link, int metric) {
    this(destination, List.of(new NextHop(gateway, link)), Optional.empty(), metric, STATIC);
  }

  /** A default route by a gateway of either family. */
  public static Route byDefault(InetAddress gateway, int link) {
    InetAddress any = IpPrefix.ofOctets(new byte[gateway.getAddress().length]);
    return new Route(new IpPrefix(any, 0), Optional.of(gateway), link, 0);
  }

  /** Of its only next hop; empty if that has none, or if there are several. */
  public Optional<InetAddress> gateway() {
    return hops.size() == 1 ? hops.getFirst().gateway() : Optional.empty();
  }

  /** Index of its only link; 0 if there are several next hops. */
  public int link() {
    return hops.size() == 1 ? hops.getFirst().link() : 0;
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
    Optional<ByteBuffer> several = attributes.buffer(NetlinkConstants.RTA_MULTIPATH);
    List<NextHop> hops =
        several.isPresent()
            ? NextHop.decodeAll(several.get())
            : List.of(
                NextHop.decode(
                    attributes, attributes.u32(NetlinkConstants.RTA_OIF).orElse(0), flags, 1));
    return Optional.of(
        new Route(
            new IpPrefix(address, length),
            hops,
            attributes.address(NetlinkConstants.RTA_PREFSRC),
            attributes.u32(NetlinkConstants.RTA_PRIORITY).orElse(0),
            protocol));
  }

  /** Writes the fixed part and the attributes of a route message. */
  void writeTo(MessageWriter message, int family) {
    boolean ipv4 = destination.isIpv4();
    boolean onLink = ipv4 && hops.stream().allMatch(hop -> hop.gateway().isEmpty());
    NextHop first = hops.getFirst();
    boolean single = hops.size() == 1 && first.weight() == 1;
    message
        .u8(family)
        .u8(destination.length())
        .u8(0)
        .u8(0)
        .u8(NetlinkConstants.RT_TABLE_MAIN)
        .u8(protocol)
        .u8(onLink ? NetlinkConstants.RT_SCOPE_LINK : NetlinkConstants.RT_SCOPE_UNIVERSE)
        .u8(NetlinkConstants.RTN_UNICAST)
        .u32(single ? first.flags() : 0);
    if (!isDefault()) {
      message.attribute(NetlinkConstants.RTA_DST, destination.network().address());
    }
    if (single) {
      first.writeGateway(message, ipv4);
      message.attribute32(NetlinkConstants.RTA_OIF, first.link());
    } else {
      message.nested(
          NetlinkConstants.RTA_MULTIPATH, () -> hops.forEach(hop -> hop.writeTo(message, ipv4)));
    }
    source.ifPresent(own -> message.attribute(NetlinkConstants.RTA_PREFSRC, own));
    if (metric != 0) {
      message.attribute32(NetlinkConstants.RTA_PRIORITY, metric);
    }
  }

  @Override
  public String toString() {
    return "route to "
        + (isDefault() ? "default" : destination)
        + hops.stream().map(NextHop::toString).collect(Collectors.joining(" or"));
  }
}
