package io.keelson.linux.netlink;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.Optional;

/**
 * An address of a link.
 *
 * @param link index of the link
 * @param learnt whether the kernel gave it to the link by itself, and will again when the link is
 *     up
 */
public record LinkAddress(int link, IpPrefix address, boolean learnt, AddressSettings settings) {

  private static final int FIXED = 8;

  /** Empty for an address of another family than IP. */
  static Optional<LinkAddress> decode(Datagram.Message message) throws MalformedMessageException {
    ByteBuffer fixed = message.fixed(FIXED);
    int length = fixed.get(1) & 0xff;
    int link = fixed.getInt(4);
    Attributes attributes = message.attributes(FIXED);
    // On a link to one peer IFA_ADDRESS is the peer's; IPv6 has no IFA_LOCAL then or otherwise.
    Optional<InetAddress> local = attributes.address(NetlinkConstants.IFA_LOCAL);
    Optional<InetAddress> address =
        local.isPresent() ? local : attributes.address(NetlinkConstants.IFA_ADDRESS);
    if (address.isPresent() && length > address.get().getAddress().length * 8) {
      throw new MalformedMessageException("an address with a prefix of " + length + " bits");
    }
    boolean learnt = isLearnt(attributes, address);
    if (address.isEmpty()) {
      return Optional.empty();
    }
    Optional<InetAddress> other = attributes.address(NetlinkConstants.IFA_ADDRESS);
    AddressSettings settings =
        AddressSettings.decode(
            attributes, fixed.get(3) & 0xff, other.filter(peer -> !peer.equals(address.get())));
    return Optional.of(
        new LinkAddress(link, new IpPrefix(address.get(), length), learnt, settings));
  }

  private static boolean isLearnt(Attributes attributes, Optional<InetAddress> address)
      throws MalformedMessageException {
    Optional<byte[]> protocol = attributes.bytes(NetlinkConstants.IFA_PROTO);
    if (protocol.isPresent() && protocol.get().length == 1 && protocol.get()[0] != 0) {
      return (protocol.get()[0] & 0xff) <= NetlinkConstants.IFAPROT_KERNEL_LL;
    }
    // Kernels before 5.18 tell less.
    int automatic = NetlinkConstants.IFA_F_TEMPORARY | NetlinkConstants.IFA_F_MANAGETEMPADDR;
    int flags = attributes.u32(NetlinkConstants.IFA_FLAGS).orElse(0);
    return address.filter(ip -> ip instanceof Inet6Address).isPresent() && (flags & automatic) != 0;
  }
}
