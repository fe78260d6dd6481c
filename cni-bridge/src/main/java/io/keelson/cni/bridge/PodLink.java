package io.keelson.cni.bridge;

import io.keelson.linux.Errno;
import io.keelson.linux.ErrnoException;
import io.keelson.linux.Fd;
import io.keelson.linux.NamespaceType;
import io.keelson.linux.Namespaces;
import io.keelson.linux.netlink.IpPrefix;
import io.keelson.linux.netlink.Link;
import io.keelson.linux.netlink.LinkSettings;
import io.keelson.linux.netlink.MacAddress;
import io.keelson.linux.netlink.Route;
import io.keelson.linux.netlink.RouteRequest;
import io.keelson.linux.netlink.RouteSocket;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Pattern;

/**
 * A pod's veth pair: {@code eth0} in the pod, and a port of the bridge on the host.
 *
 * @param hostName of the end on the host
 * @param mac of the end in the pod
 * @param addresses of the end in the pod, IPv4 first
 */
record PodLink(String hostName, MacAddress hostMac, MacAddress mac, List<IpPrefix> addresses) {

  /** What the Kubernetes world expects. */
  static final String POD_END = "eth0";

  private static final int LOOK_AGAIN_NANOS = 100_000;
  private static final int NAME_DIGITS = 13;
  private static final Pattern HEX_ID = Pattern.compile("[0-9a-f]{" + NAME_DIGITS + ",}");
  private static final Pattern HOST_NAME = Pattern.compile("k[0-9a-f]{" + NAME_DIGITS + "}");
  private static final IpPrefix LINK_LOCAL_NETWORK = IpPrefix.parse("fe80::/64");

  /** Locally administered, and never one of those that pods have. */
  private static final long HOST_MAC_BASE = 0x0a59_0000_0000L;

  PodLink {
    addresses = List.copyOf(addresses);
  }

  /** The name on the host of a pod's link: k and the first 13 digits of its id. */
  static String hostName(String sandboxId) {
    if (HEX_ID.matcher(sandboxId).lookingAt()) {
      return "k" + sandboxId.substring(0, NAME_DIGITS);
    }
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-256").digest(sandboxId.getBytes(StandardCharsets.UTF_8));
      return "k" + HexFormat.of().formatHex(digest).substring(0, NAME_DIGITS);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }

  /**
   * Whether a link is the host's end of some pod's pair, on this bridge or left by a bridge that is
   * gone.
   */
  static boolean isHostEnd(Link link, int bridge) {
    return HOST_NAME.matcher(link.name()).matches()
        && link.kind().filter("veth"::equals).isPresent()
        && (link.master() == bridge || link.master() == 0);
  }

  /**
   * Makes the pair with all that belongs to it. What an earlier attempt has left is replaced.
   *
   * @param host a socket in the host's namespace
   */
  static PodLink connect(RouteSocket host, HostBridge bridge, Lease lease, Path netns)
      throws IOException {
    String name = hostName(lease.sandboxId());
    MacAddress mac = HostBridge.macOf(lease.addresses().getFirst());
    MacAddress hostMac = new MacAddress(HOST_MAC_BASE | (mac.value() & 0xffff_ffffL));
    return Namespaces.callIn(
        netns,
        NamespaceType.NET,
        () -> {
          try (Fd namespace = Fd.open(Path.of("/proc/thread-self/ns/net"), Fd.O_RDONLY, 0)) {
            LinkSettings both = LinkSettings.none().mtu(bridge.mtu()).singleQueue();
            List<RouteRequest> requests = new ArrayList<>();
            requests.add(
                RouteRequest.addVeth(
                    both.name(name).mac(hostMac).master(bridge.index()),
                    both.name(POD_END).mac(mac).namespace(namespace.number())));
            if (bridge.servesIpv6()) {
              requests.add(RouteRequest.withoutGeneratedAddresses(name));
            }
            requests.add(RouteRequest.hairpin(name, true));
            requests.add(RouteRequest.changeLink(name, LinkSettings.none().up()));
            make(host, name, requests);
          }
          return new PodLink(name, hostMac, mac, configure(bridge, lease));
        });
  }

  /**
   * Deletes a pod's pair, if it is there. Returns as soon as nobody can see it any more; the kernel
   * goes on for some twenty milliseconds to wait for those that still have a packet in their hands,
   * and nothing is gained by waiting for that.
   */
  static void remove(String hostName) throws IOException {
    try (RouteSocket looking = RouteSocket.open()) {
      if (looking.linkIndex(hostName).isEmpty()) {
        return;
      }
      RouteSocket deleting = RouteSocket.open();
      FutureTask<Boolean> deletion =
          new FutureTask<>(
              () -> {
                try (deleting) {
                  return deleting.deleteLink(hostName);
                }
              });
      Thread.ofPlatform().daemon().name("delete-" + hostName).start(deletion);
      while (!deletion.isDone() && looking.linkIndex(hostName).isPresent()) {
        LockSupport.parkNanos(LOOK_AGAIN_NANOS);
      }
      if (deletion.state() == Future.State.FAILED) {
        throw new IOException("deletion of link " + hostName + " failed", deletion.exceptionNow());
      }
    }
  }

  private static void make(RouteSocket host, String name, List<RouteRequest> requests)
      throws IOException {
    try {
      host.execute(requests);
    } catch (ErrnoException e) {
      if (!e.is(Errno.EEXIST)) {
        throw e;
      }
      host.deleteLink(name);
      host.execute(requests);
    }
  }

  /** Runs in the pod's namespace; returns the addresses that the pod has got. */
  private static List<IpPrefix> configure(HostBridge bridge, Lease lease) throws IOException {
    try (RouteSocket pod = RouteSocket.open()) {
      int index =
          pod.linkIndex(POD_END)
              .orElseThrow(() -> new IOException(POD_END + " is gone from the pod again"));
      boolean ipv6 = bridge.servesIpv6() && ignoreRouters();
      List<RouteRequest> requests = new ArrayList<>();
      if (ipv6) {
        requests.add(RouteRequest.withoutGeneratedAddresses(POD_END));
      }
      requests.add(RouteRequest.changeLink(index, LinkSettings.none().up()));
      List<IpPrefix> addresses = new ArrayList<>();
      for (IpPrefix address : lease.addresses()) {
        if (address.isIpv4() && bridge.serves(address)) {
          requests.addAll(addressAndRoute(index, address, bridge));
          addresses.add(address);
        }
      }
      pod.execute(requests);
      for (IpPrefix address : lease.addresses()) {
        if (!address.isIpv4() && ipv6 && addIpv6(pod, index, address, bridge)) {
          addresses.add(address);
        }
      }
      if (addresses.isEmpty()) {
        throw new IOException("the network has IPv6 alone, but IPv6 is off in the pod");
      }
      return addresses;
    }
  }

  /**
   * No pod may turn another one's traffic to itself by playing the router.
   *
   * @return false if the kernel has no IPv6
   */
  private static boolean ignoreRouters() throws IOException {
    try {
      KernelSettings.set("net/ipv6/conf/" + POD_END + "/accept_ra", "0");
      return true;
    } catch (FileNotFoundException e) {
      return false;
    }
  }

  /** False if a sysctl of the pod has turned IPv6 off. */
  private static boolean addIpv6(RouteSocket pod, int index, IpPrefix address, HostBridge bridge)
      throws IOException {
    List<RouteRequest> requests = new ArrayList<>();
    requests.add(RouteRequest.addAddress(index, linkLocal(address)));
    requests.addAll(addressAndRoute(index, address, bridge));
    try {
      pod.execute(requests);
      return true;
    } catch (ErrnoException e) {
      if (e.is(Errno.EACCES)) {
        return false;
      }
      throw e;
    }
  }

  private static List<RouteRequest> addressAndRoute(
      int index, IpPrefix address, HostBridge bridge) {
    return List.of(
        RouteRequest.addAddress(index, address),
        RouteRequest.addRoute(Route.byDefault(bridge.gatewayOf(address).address(), index)));
  }

  private static IpPrefix linkLocal(IpPrefix address) {
    byte[] octets = address.address().getAddress();
    long number = 0;
    for (int i = octets.length - 4; i < octets.length; i++) {
      number = number << 8 | (octets[i] & 0xff);
    }
    return new IpPrefix(LINK_LOCAL_NETWORK.host(number), LINK_LOCAL_NETWORK.length());
  }
}
