package io.keelson.linux.netlink;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.util.StringJoiner;

/** IP addresses as text. */
public final class IpText {

  private static final int GROUPS = 8;

  private IpText() {}

  /**
   * The canonical text, the only one that programs may compare as text: for IPv4 dotted decimals,
   * for IPv6 that of RFC 5952, such as {@code fd4b::2}, where {@link InetAddress#getHostAddress}
   * has {@code fd4b:0:0:0:0:0:0:2}. A scope is left out.
   */
  public static String of(InetAddress address) {
    if (address instanceof Inet4Address) {
      return address.getHostAddress();
    }
    byte[] octets = address.getAddress();
    int[] groups = new int[GROUPS];
    for (int i = 0; i < GROUPS; i++) {
      groups[i] = ((octets[2 * i] & 0xff) << 8) | (octets[2 * i + 1] & 0xff);
    }
    // The first of the longest runs of zeros, if it has at least two groups, becomes "::".
    int start = 0;
    int length = 1;
    for (int i = 0; i < GROUPS; i++) {
      int run = zerosFrom(groups, i);
      if (run > length) {
        start = i;
        length = run;
      }
    }
    return length == 1
        ? text(groups, 0, GROUPS)
        : text(groups, 0, start) + "::" + text(groups, start + length, GROUPS);
  }

  private static int zerosFrom(int[] groups, int start) {
    int end = start;
    while (end < GROUPS && groups[end] == 0) {
      end++;
    }
    return end - start;
  }

  private static String text(int[] groups, int from, int to) {
    StringJoiner text = new StringJoiner(":");
    for (int i = from; i < to; i++) {
      text.add(Integer.toHexString(groups[i]));
    }
    return text.toString();
  }
}
