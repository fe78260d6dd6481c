package io.keelson.cni.bridge;

import io.keelson.linux.netlink.IpPrefix;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * How the built-in network is laid out.
 *
 * @param bridge name of the bridge link, 1 to 15 letters, digits and the characters {@code _.-}
 * @param ipv4 the network of the pods' IPv4 addresses; its first host is the gateway
 * @param ipv6 the same for IPv6; one of both must be there
 * @param mtu of all links in bytes; 0 for that of the link with the host's default route
 * @param masquerade whether connections from pods to other networks leave with the host's address
 */
public record NetworkSettings(
    String bridge, Optional<IpPrefix> ipv4, Optional<IpPrefix> ipv6, int mtu, boolean masquerade) {

  /** The network itself, the gateway, one pod and the broadcast address. */
  private static final int LEAST_HOST_BITS = 2;

  private static final Pattern BRIDGE_NAME = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}");

  public NetworkSettings {
    if (!BRIDGE_NAME.matcher(bridge).matches()) {
      throw new IllegalArgumentException("not a name for a bridge: \"" + bridge + "\"");
    }
    if (ipv4.isEmpty() && ipv6.isEmpty()) {
      throw new IllegalArgumentException("the bridge network needs an IPv4 or an IPv6 subnet");
    }
    ipv4 = ipv4.map(subnet -> checked(subnet, true));
    ipv6 = ipv6.map(subnet -> checked(subnet, false));
    if (mtu < 0) {
      throw new IllegalArgumentException("mtu " + mtu);
    }
  }

  /**
   * Subnets that neither the usual clusters and engines (10.42, 10.85, 10.88, 10.96, 10.244,
   * 172.17) nor home routers take; what they collide with after all is found when the bridge is
   * made.
   */
  public static NetworkSettings defaults() {
    return new NetworkSettings(
        "keelson0",
        Optional.of(IpPrefix.parse("10.87.0.0/16")),
        Optional.of(IpPrefix.parse("fd4b:6565:6c73::/64")),
        0,
        true);
  }

  /** IPv4 first. */
  List<IpPrefix> subnets() {
    return Stream.concat(ipv4.stream(), ipv6.stream()).toList();
  }

  private static IpPrefix checked(IpPrefix subnet, boolean ipv4) {
    if (subnet.isIpv4() != ipv4) {
      throw new IllegalArgumentException(subnet + " is of the other address family");
    }
    if (subnet.hostBits() < LEAST_HOST_BITS) {
      throw new IllegalArgumentException(subnet + " has no room for a gateway and a pod");
    }
    return subnet.network();
  }
}
