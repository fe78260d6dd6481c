package io.keelson.linux.netlink;

import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;

/**
 * What there is to an address of a link beside itself.
 *
 * @param peer at the other end of a link that has but two
 * @param broadcast of IPv4
 * @param label of IPv4, as old tools call the address; {@code ""} for none
 * @param scope as in rtnetlink(7)
 * @param flags of {@link #FLAGS}
 * @param metric of the route to its prefix; 0 for the kernel's default
 * @param preferredSeconds after which no new connection should use it; {@link #FOREVER}
 * @param validSeconds after which the kernel takes it away; {@link #FOREVER}
 */
public record AddressSettings(
    Optional<InetAddress> peer,
    Optional<InetAddress> broadcast,
    String label,
    int scope,
    int flags,
    int metric,
    long preferredSeconds,
    long validSeconds) {

  /** An address without an end. */
  public static final long FOREVER = 0xffffffffL;

  /** What an administrator may set. */
  static final int FLAGS =
      NetlinkConstants.IFA_F_NODAD
          | NetlinkConstants.IFA_F_HOMEADDRESS
          | NetlinkConstants.IFA_F_MANAGETEMPADDR
          | NetlinkConstants.IFA_F_NOPREFIXROUTE
          | NetlinkConstants.IFA_F_MCAUTOJOIN;

  /** Of an address that is there to stay. */
  static AddressSettings usual(InetAddress address) {
    int scope =
        address.isLinkLocalAddress()
            ? NetlinkConstants.RT_SCOPE_LINK
            : NetlinkConstants.RT_SCOPE_UNIVERSE;
    return new AddressSettings(
        Optional.empty(), Optional.empty(), "", scope, 0, 0, FOREVER, FOREVER);
  }

  static AddressSettings decode(Attributes attributes, int scope, Optional<InetAddress> peer)
      throws MalformedMessageException {
    long preferred = FOREVER;
    long valid = FOREVER;
    Optional<ByteBuffer> lifetimes = attributes.buffer(NetlinkConstants.IFA_CACHEINFO);
    if (lifetimes.isPresent()) {
      if (lifetimes.get().remaining() < 2 * Integer.BYTES) {
        throw new MalformedMessageException("lifetimes that are cut off");
      }
      preferred = Integer.toUnsignedLong(lifetimes.get().getInt());
      valid = Integer.toUnsignedLong(lifetimes.get().getInt());
    }
    return new AddressSettings(
        peer,
        attributes.address(NetlinkConstants.IFA_BROADCAST),
        attributes.string(NetlinkConstants.IFA_LABEL).orElse(""),
        scope,
        attributes.u32(NetlinkConstants.IFA_FLAGS).orElse(0) & FLAGS,
        attributes.u32(NetlinkConstants.IFA_RT_PRIORITY).orElse(0),
        preferred,
        valid);
  }

  /** Writes the attributes of an address message. An IPv6 address is not asked for duplicates. */
  void writeTo(MessageWriter message, InetAddress address) {
    message.attribute(NetlinkConstants.IFA_LOCAL, address);
    message.attribute(NetlinkConstants.IFA_ADDRESS, peer.orElse(address));
    broadcast.ifPresent(all -> message.attribute(NetlinkConstants.IFA_BROADCAST, all));
    if (!label.isEmpty()) {
      message.attribute(NetlinkConstants.IFA_LABEL, label);
    }
    int all = flags | (address.getAddress().length == 4 ? 0 : NetlinkConstants.IFA_F_NODAD);
    if (all != 0) {
      message.attribute32(NetlinkConstants.IFA_FLAGS, all);
    }
    if (metric != 0) {
      message.attribute32(NetlinkConstants.IFA_RT_PRIORITY, metric);
    }
    if (validSeconds != FOREVER || preferredSeconds != FOREVER) {
      message.attribute(
          NetlinkConstants.IFA_CACHEINFO,
          ByteBuffer.allocate(4 * Integer.BYTES) // behind them when it was made and changed
              .order(ByteOrder.nativeOrder())
              .putInt((int) preferredSeconds)
              .putInt((int) validSeconds)
              .array());
    }
  }
}
