package io.keelson.cni.bridge;

import io.keelson.linux.netlink.IpPrefix;
import io.keelson.linux.netlink.Link;
import io.keelson.linux.netlink.LinkSettings;
import io.keelson.linux.netlink.MacAddress;
import io.keelson.linux.netlink.Route;
import io.keelson.linux.netlink.RouteRequest;
import io.keelson.linux.netlink.RouteSocket;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The bridge as it stands in the kernel.
 *
 * @param index of the link
 * @param mtu of it and of all links on it, in bytes
 * @param gateways the bridge's own addresses in the subnets in use, IPv4 first
 */
record HostBridge(String name, int index, MacAddress mac, int mtu, List<IpPrefix> gateways) {

  private static final Logger log = LoggerFactory.getLogger(HostBridge.class);

  private static final int GATEWAY_HOST = 1;
  private static final int DEFAULT_MTU = 1500;

  /** Without it, the host could not ask for the hardware address of a pod for packets of others. */
  private static final IpPrefix LINK_LOCAL = IpPrefix.parse("fe80::1/64");

  /**
   * The two octets with which the reference plugins begin hardware addresses made from IP
   * addresses.
   */
  private static final byte[] MAC_PREFIX = {0x0a, 0x58};

  HostBridge {
    gateways = List.copyOf(gateways);
  }

  /** Whether pods get addresses of this family. */
  boolean serves(IpPrefix address) {
    return gateways.stream().anyMatch(gateway -> gateway.isIpv4() == address.isIpv4());
  }

  boolean servesIpv6() {
    return gateways.stream().anyMatch(gateway -> !gateway.isIpv4());
  }

  /** The bridge's own address of the same family, which must be one that it serves. */
  IpPrefix gatewayOf(IpPrefix address) {
    return gateways.stream()
        .filter(gateway -> gateway.isIpv4() == address.isIpv4())
        .findFirst()
        .orElseThrow();
  }

  /**
   * A hardware address that belongs to an IP address, so that a pod that inherits one inherits
   * both.
   */
  static MacAddress macOf(IpPrefix address) {
    byte[] octets = address.address().getAddress();
    byte[] mac = ByteBuffer.allocate(6).put(MAC_PREFIX).put(octets, octets.length - 4, 4).array();
    return MacAddress.of(mac);
  }

  /** The bridge link of the settings, if there is one. */
  static Optional<Link> find(RouteSocket socket, NetworkSettings settings) throws IOException {
    return socket.link(settings.bridge());
  }

  /**
   * Makes the bridge, or makes the one that is there as the settings say; what is right already
   * stays untouched, and so do the pods on it.
   */
  static HostBridge ensure(RouteSocket socket, NetworkSettings settings) throws IOException {
    List<IpPrefix> gateways = new ArrayList<>();
    for (IpPrefix subnet : settings.subnets()) {
      if (subnet.isIpv4() || isIpv6Usable(settings)) {
        gateways.add(new IpPrefix(subnet.host(GATEWAY_HOST), subnet.length()));
      }
    }
    if (gateways.isEmpty()) {
      throw new IOException("the network has IPv6 alone, but IPv6 is off on this host");
    }
    int mtu = settings.mtu() > 0 ? settings.mtu() : mtuOfDefaultRoute(socket);
    MacAddress mac = macOf(gateways.getFirst());
    int index = ensureLink(socket, settings.bridge(), LinkSettings.none().mac(mac).mtu(mtu));
    checkOverlap(socket, index, gateways);
    HostBridge bridge = new HostBridge(settings.bridge(), index, mac, mtu, gateways);
    if (bridge.servesIpv6()) {
      KernelSettings.require("net/ipv6/conf/" + settings.bridge() + "/disable_ipv6", "0");
      KernelSettings.require("net/ipv6/conf/" + settings.bridge() + "/accept_ra", "0");
      socket.execute(RouteRequest.withoutGeneratedAddresses(settings.bridge()));
    }
    socket.execute(RouteRequest.changeLink(index, LinkSettings.none().up()));
    bridge.ensureAddresses(socket);
    KernelSettings.forward(bridge.servesIpv6());
    return bridge;
  }

  private static boolean isIpv6Usable(NetworkSettings settings) throws IOException {
    boolean usable = KernelSettings.read("net/ipv6/conf/all/disable_ipv6").orElse("1").equals("0");
    if (!usable) {
      log.atInfo()
          .addKeyValue("bridge", settings.bridge())
          .log("IPv6 is off on this host: pods get IPv4 addresses only");
    }
    return usable;
  }

  private static int mtuOfDefaultRoute(RouteSocket socket) throws IOException {
    for (Route route : socket.routes()) {
      if (route.isDefault() && route.link() != 0) {
        Optional<Link> link = socket.link(route.link());
        if (link.isPresent()) {
          return link.get().mtu();
        }
      }
    }
    return DEFAULT_MTU;
  }

  private static int ensureLink(RouteSocket socket, String name, LinkSettings wanted)
      throws IOException {
    Optional<Link> present = socket.link(name);
    if (present.isEmpty()) {
      socket.execute(RouteRequest.addBridge(wanted.name(name)));
      return socket.link(name).orElseThrow(() -> new IOException(name + " is gone again")).index();
    }
    if (!present.get().kind().equals(Optional.of("bridge"))) {
      throw new IOException(
          "%s is a link already, of kind %s instead of bridge: delete it or name another bridge"
              .formatted(name, present.get().kind().orElse("unknown")));
    }
    socket.execute(RouteRequest.changeLink(present.get().index(), wanted));
    return present.get().index();
  }

  /**
   * A route inside of our subnet would take pods' packets elsewhere; one around it only loses to
   * ours, which is what a route to all of 10.0.0.0/8 is for.
   */
  private static void checkOverlap(RouteSocket socket, int index, List<IpPrefix> gateways)
      throws IOException {
    for (Route route : socket.routes()) {
      for (IpPrefix gateway : gateways) {
        if (route.link() != index
            && gateway.length() <= route.destination().length()
            && gateway.overlaps(route.destination())) {
          throw new IOException(
              "the subnet %s of the pods overlaps the host's %s: configure another subnet"
                  .formatted(gateway.network(), route));
        }
      }
    }
  }

  private void ensureAddresses(RouteSocket socket) throws IOException {
    List<IpPrefix> wanted = new ArrayList<>(gateways);
    if (servesIpv6()) {
      wanted.add(LINK_LOCAL);
    }
    List<IpPrefix> present = socket.addresses(index);
    List<RouteRequest> changes = new ArrayList<>();
    for (IpPrefix address : present) {
      if (!wanted.contains(address)) {
        changes.add(RouteRequest.deleteAddress(index, address));
      }
    }
    for (IpPrefix address : wanted) {
      if (!present.contains(address)) {
        changes.add(RouteRequest.addAddress(index, address));
      }
    }
    socket.execute(changes);
  }
}
