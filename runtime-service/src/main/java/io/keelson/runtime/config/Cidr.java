package io.keelson.runtime.config;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.UnknownHostException;

/**
 * An address with the length of its subnet's prefix, as in {@code 10.1.0.0/16} (RFC 4632, RFC
 * 4291).
 *
 * @param prefixLength bits, 0 to 32 or 128
 */
public record Cidr(InetAddress address, int prefixLength) {

  public Cidr {
    if (prefixLength < 0 || prefixLength > address.getAddress().length * 8) {
      throw new IllegalArgumentException("prefix length " + prefixLength + " of " + address);
    }
  }

  /**
   * @throws IllegalArgumentException if the text is no address literal with a prefix length
   */
  public static Cidr parse(String text) {
    int slash = text.indexOf('/');
    String length = text.substring(slash + 1);
    if (slash < 1 || !length.matches("[0-9]{1,3}")) {
      throw new IllegalArgumentException("no CIDR: " + text);
    }
    return new Cidr(InetAddress.ofLiteral(text.substring(0, slash)), Integer.parseInt(length));
  }

  public boolean isIpv4() {
    return address instanceof Inet4Address;
  }

  /** The same subnet by its first address. */
  public Cidr network() {
    byte[] bytes = address.getAddress();
    for (int bit = prefixLength; bit < bytes.length * 8; bit++) {
      bytes[bit / 8] &= (byte) ~(0x80 >> (bit % 8));
    }
    try {
      return new Cidr(InetAddress.getByAddress(bytes), prefixLength);
    } catch (UnknownHostException e) {
      throw new IllegalStateException("an address of " + bytes.length + " bytes", e);
    }
  }

  @Override
  public String toString() {
    return address.getHostAddress() + "/" + prefixLength;
  }
}
