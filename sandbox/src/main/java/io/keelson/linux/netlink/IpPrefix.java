package io.keelson.linux.netlink;

import java.math.BigInteger;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;

/**
 * An IP address with the length of its network prefix: {@code 10.0.0.7/16} is an address in its
 * network, {@code 10.0.0.0/16} ({@link #network}) the network itself.
 *
 * @param length of the prefix in bits, 0 to 32 for IPv4 and 0 to 128 for IPv6
 */
public record IpPrefix(InetAddress address, int length) {

  public IpPrefix {
    if (length < 0 || length > bits(address)) {
      throw new IllegalArgumentException(
          "prefix length " + length + " of " + IpText.of(address) + " is out of range");
    }
  }

  /**
   * Parses CIDR notation; never asks a name server.
   *
   * @throws IllegalArgumentException if it is no address, a slash and a length
   */
  public static IpPrefix parse(String text) {
    int slash = text.lastIndexOf('/');
    if (slash < 1) {
      throw new IllegalArgumentException("not an address with a prefix length: " + text);
    }
    try {
      InetAddress address = InetAddress.ofLiteral(text.substring(0, slash));
      return new IpPrefix(address, Integer.parseInt(text.substring(slash + 1)));
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException("not an address with a prefix length: " + text, e);
    }
  }

  /** The address alone: a prefix of full length. */
  public static IpPrefix host(InetAddress address) {
    return new IpPrefix(address, bits(address));
  }

  public boolean isIpv4() {
    return address instanceof Inet4Address;
  }

  /** How many bits are left for hosts. */
  public int hostBits() {
    return bits(address) - length;
  }

  /** The same prefix with all host bits zero. */
  public IpPrefix network() {
    BigInteger value = new BigInteger(1, address.getAddress());
    return new IpPrefix(addressOf(value.shiftRight(hostBits()).shiftLeft(hostBits())), length);
  }

  /** Whether the other address is of the same family and has the same prefix. */
  public boolean contains(InetAddress other) {
    return bits(other) == bits(address)
        && new IpPrefix(other, length).network().address().equals(network().address());
  }

  /** Whether any address is in both. */
  public boolean overlaps(IpPrefix other) {
    return (contains(other.address) && length <= other.length)
        || (other.contains(address) && other.length <= length);
  }

  /**
   * The address in this network with the given host number.
   *
   * @throws IllegalArgumentException if the number does not fit into the host bits
   */
  public InetAddress host(long number) {
    BigInteger host = BigInteger.valueOf(number);
    if (number < 0 || host.bitLength() > hostBits()) {
      throw new IllegalArgumentException("no host " + number + " in " + this);
    }
    return addressOf(new BigInteger(1, network().address().getAddress()).add(host));
  }

  /**
   * The host number of an address in this network, the reverse of {@link #host(long)}.
   *
   * @throws IllegalArgumentException if the address is not in this network, or its number needs
   *     over 63 bits
   */
  public long hostNumber(InetAddress member) {
    if (!contains(member)) {
      throw new IllegalArgumentException(IpText.of(member) + " is not in " + this);
    }
    BigInteger base = new BigInteger(1, network().address().getAddress());
    BigInteger host = new BigInteger(1, member.getAddress()).subtract(base);
    if (host.bitLength() >= Long.SIZE) {
      throw new IllegalArgumentException(
          "the host number of " + IpText.of(member) + " in " + this + " is too large");
    }
    return host.longValue();
  }

  /** CIDR notation. */
  @Override
  public String toString() {
    return IpText.of(address) + "/" + length;
  }

  private InetAddress addressOf(BigInteger value) {
    byte[] octets = new byte[bits(address) / 8];
    byte[] digits = value.toByteArray(); // big endian, perhaps with a leading zero for the sign
    int length = Math.min(digits.length, octets.length);
    System.arraycopy(digits, digits.length - length, octets, octets.length - length, length);
    return ofOctets(octets);
  }

  /** Like the JDK's, but its checked exception can't happen for 4 or 16 octets. */
  static InetAddress ofOctets(byte[] octets) {
    try {
      return InetAddress.getByAddress(octets);
    } catch (UnknownHostException e) {
      throw new IllegalArgumentException("not an address: " + Arrays.toString(octets), e);
    }
  }

  private static int bits(InetAddress address) {
    return address instanceof Inet4Address ? 32 : 128;
  }
}
