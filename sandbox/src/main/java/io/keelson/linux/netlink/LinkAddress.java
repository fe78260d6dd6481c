package io.keelson.linux.netlink;

import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.Optional;

/**
 * An address of a link.
 *
 * @param link index of the link
 */
public record LinkAddress(int link, IpPrefix address) {

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
    return address.map(ip -> new LinkAddress(link, new IpPrefix(ip, length)));
  }
}
