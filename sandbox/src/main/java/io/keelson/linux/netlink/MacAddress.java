package io.keelson.linux.netlink;

/**
 * An Ethernet hardware address.
 *
 * @param value the 48 bits, the first octet in the highest of them
 */
public record MacAddress(long value) {

  private static final int OCTETS = 6;

  public MacAddress {
    if (value < 0 || value >> (OCTETS * 8) != 0) {
      throw new IllegalArgumentException("not a 48 bit hardware address: " + value);
    }
  }

  /**
   * @param octets six of them, in transmission order
   */
  public static MacAddress of(byte[] octets) {
    if (octets.length != OCTETS) {
      throw new IllegalArgumentException("a hardware address has 6 octets, not " + octets.length);
    }
    long value = 0;
    for (byte octet : octets) {
      value = value << 8 | (octet & 0xff);
    }
    return new MacAddress(value);
  }

  /**
   * @param text as in {@code 0a:58:0a:d1:00:02}
   * @throws IllegalArgumentException if it is anything else
   */
  public static MacAddress parse(String text) {
    String[] parts = text.split(":", -1);
    byte[] octets = new byte[parts.length];
    for (int i = 0; i < parts.length; i++) {
      if (parts[i].length() != 2) {
        throw new IllegalArgumentException("not a hardware address: " + text);
      }
      octets[i] = (byte) Integer.parseInt(parts[i], 16);
    }
    return of(octets);
  }

  /** The six octets in transmission order. */
  public byte[] octets() {
    byte[] octets = new byte[OCTETS];
    for (int i = 0; i < OCTETS; i++) {
      octets[i] = (byte) (value >> (8 * (OCTETS - 1 - i)));
    }
    return octets;
  }

  /** As in {@code 0a:58:0a:d1:00:02}. */
  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    for (byte octet : octets()) {
      text.append(text.isEmpty() ? "" : ":").append(String.format("%02x", octet));
    }
    return text.toString();
  }
}
