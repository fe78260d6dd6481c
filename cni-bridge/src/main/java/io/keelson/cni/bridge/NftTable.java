package io.keelson.cni.bridge;

import io.keelson.cni.bridge.HostPort.PodPort;
import io.keelson.linux.Commands;
import io.keelson.linux.Errno;
import io.keelson.linux.ErrnoException;
import io.keelson.linux.netlink.IpPrefix;
import io.keelson.linux.netlink.IpText;
import io.keelson.linux.netlink.NetfilterTables;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;

/**
 * The table {@code inet keelson-BRIDGE} of nftables: masquerade and host ports. It bears the
 * bridge's name, so that two daemons with a bridge each do not take each other's for their own. It
 * is the daemon's alone; no rule of others is read or changed. Every change is one transaction of
 * the kernel.
 *
 * <p>Host ports are elements of four maps (by family, and for one address of the host or all), so
 * that a packet is looked up once however many there are.
 */
final class NftTable {

  private static final Duration PATIENCE = Duration.ofSeconds(20);
  private static final int MOST_OUTPUT = 1 << 20;

  /**
   * Marks connections from a pod to a port of the host, which may lead back to the same bridge:
   * these need the host's address as their source, or the answer would not come back through the
   * host. The bit is the one that the reference portmap plugin uses for this.
   */
  private static final String HAIRPIN_MARK = "0x2000";

  private final NetworkSettings settings;
  private final String name;

  NftTable(NetworkSettings settings) {
    this.settings = settings;
    this.name = "keelson-" + settings.bridge();
  }

  /** Makes the table, or replaces it by one with these host ports and no others. */
  void replace(Map<HostPort, PodPort> ports) throws IOException {
    StringBuilder script = new StringBuilder();
    script.append("add table inet %1$s\ndelete table inet %1$s\n".formatted(name));
    script.append(table());
    appendElements(script, ports);
    run(script);
  }

  void add(Map<HostPort, PodPort> ports) throws IOException {
    StringBuilder script = new StringBuilder();
    appendElements(script, ports);
    run(script);
  }

  /** All of the ports must be there, or none is taken away. */
  void delete(Collection<HostPort> ports) throws IOException {
    StringBuilder script = new StringBuilder();
    for (HostPort port : ports) {
      script.append("delete element inet %s %s { %s }\n".formatted(name, map(port), key(port)));
    }
    run(script);
  }

  /** Whether the table is there; costs one question to the kernel. */
  boolean exists() throws IOException {
    return NetfilterTables.exists(name);
  }

  /** What the rules of others are known to keep from the pods, in sentences. */
  List<String> obstacles() throws IOException {
    byte[] chains = nft(List.of("nft", "-j", "list", "chains"), new byte[0]).stdout();
    return OtherFirewalls.obstacles(chains, settings.bridge());
  }

  private String table() {
    StringBuilder text = new StringBuilder("table inet " + name + " {\n");
    for (String family : List.of("ipv4", "ipv6")) {
      String type = family + "_addr";
      text.append(
          """
            map %1$s { type inet_proto . inet_service : %2$s . inet_service; }
            map %1$s_bound { type %2$s . inet_proto . inet_service : %2$s . inet_service; }
          """
              .formatted(family, type));
    }
    text.append(
        """
          chain spoofed {
            type filter hook prerouting priority raw; policy accept;
            iifname "%1$s" ip daddr 127.0.0.0/8 drop
          }
          chain prerouting {
            type nat hook prerouting priority dstnat; policy accept;
            fib daddr type local jump ports
          }
          chain output {
            type nat hook output priority -100; policy accept;
            fib daddr type local jump ports
          }
          chain ports {
            iifname "%1$s" meta mark set meta mark | %2$s
            dnat ip to ip daddr . meta l4proto . th dport map @ipv4_bound
            dnat ip to meta l4proto . th dport map @ipv4
            dnat ip6 to ip6 daddr . meta l4proto . th dport map @ipv6_bound
            dnat ip6 to meta l4proto . th dport map @ipv6
          }
          chain postrouting {
            type nat hook postrouting priority srcnat; policy accept;
            oifname "%1$s" ip saddr 127.0.0.0/8 masquerade
            oifname "%1$s" ct status dnat meta mark & %2$s == %2$s masquerade
        """
            .formatted(settings.bridge(), HAIRPIN_MARK));
    if (settings.masquerade()) {
      for (IpPrefix subnet : settings.subnets()) {
        text.append(masquerade(subnet));
      }
    }
    return text.append("  }\n}\n").toString();
  }

  private String masquerade(IpPrefix subnet) {
    String family = subnet.isIpv4() ? "ip" : "ip6";
    String multicast = subnet.isIpv4() ? "224.0.0.0/4" : "ff00::/8";
    return "    oifname != \"%1$s\" %2$s saddr %3$s %2$s daddr != %4$s masquerade\n"
        .formatted(settings.bridge(), family, subnet, multicast);
  }

  private void appendElements(StringBuilder script, Map<HostPort, PodPort> ports) {
    ports.forEach(
        (host, pod) ->
            script.append(
                "add element inet %s %s { %s : %s . %d }\n"
                    .formatted(name, map(host), key(host), IpText.of(pod.address()), pod.port())));
  }

  private static String map(HostPort port) {
    return (port.isIpv4() ? "ipv4" : "ipv6") + (port.isEveryAddress() ? "" : "_bound");
  }

  private static String key(HostPort port) {
    String address = port.isEveryAddress() ? "" : IpText.of(port.address()) + " . ";
    return address + port.protocol() + " . " + port.port();
  }

  private static void run(StringBuilder script) throws IOException {
    nft(List.of("nft", "-f", "-"), script.toString().getBytes(StandardCharsets.UTF_8));
  }

  private static Commands.Output nft(List<String> command, byte[] input) throws IOException {
    Commands.Output output;
    try {
      output = Commands.run(command, Map.of(), input, PATIENCE, MOST_OUTPUT);
    } catch (ErrnoException e) {
      if (e.is(Errno.ENOENT)) {
        throw new IOException("the program nft was not found: install the nftables package", e);
      }
      throw e;
    }
    if (!output.isSuccess()) {
      throw new IOException(
          "%s ended with %d: %s"
              .formatted(
                  String.join(" ", command), output.exitCode(), output.stderrText().strip()));
    }
    return output;
  }
}
