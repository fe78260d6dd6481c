package io.keelson.runtime.config;

import io.keelson.linux.netlink.IpPrefix;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** The keys of the table {@code [network]}. */
final class NetworkKeys {

  static final Key<Path> CNI_CONF_DIR =
      Key.of(
          "network.cni_conf_dir",
          ValueTypes.ABSOLUTE_PATH,
          Path.of("/etc/cni/net.d"),
          """
          CNI configurations (*.conflist, *.conf, *.json); the first by name is used, and changes
          are seen at once. While there is none, the built-in bridge network below answers.\
          """);

  static final Key<List<Path>> CNI_BIN_DIRS =
      Key.of(
          "network.cni_bin_dirs",
          ValueTypes.listOf(ValueTypes.ABSOLUTE_PATH, "absolute paths"),
          List.of(Path.of("/opt/cni/bin"), Path.of("/usr/lib/cni"), Path.of("/usr/libexec/cni")),
          """
          Where CNI plugins are looked for, in this order.\
          """);

  static final Key<Optional<Path>> CNI_CONF_TEMPLATE =
      Key.of(
          "network.cni_conf_template",
          ValueTypes.OPTIONAL_PATH,
          Optional.empty(),
          """
          A template of a CNI configuration, for clusters that assign subnets to nodes: when the
          kubelet tells the pod CIDR, 10-keelson.conflist is made from it in cni_conf_dir.
          {{.PodCIDR}} stands for the first subnet, {{.PodCIDRRanges}} for the ranges of host-local,
          {{.Routes}} for default routes. "": the built-in network takes its addresses from the
          pod CIDR.\
          """);

  static final Key<Duration> CNI_TIMEOUT =
      Key.of(
          "network.cni_timeout",
          ValueTypes.duration(Duration.ofSeconds(1), Duration.ofHours(1)),
          Duration.ofSeconds(60),
          """
          How long one call of one CNI plugin may take before it is killed.\
          """);

  static final Key<String> BRIDGE =
      Key.of(
          "network.bridge",
          ValueTypes.INTERFACE_NAME,
          "keelson0",
          """
          The bridge of the built-in network. It is made when the first pod needs it.\
          """);

  static final Key<Optional<IpPrefix>> IPV4_SUBNET =
      Key.of(
          "network.ipv4_subnet",
          ValueTypes.IPV4_SUBNET,
          Optional.of(IpPrefix.parse("10.87.0.0/16")),
          """
          The subnet from which pods on the built-in network get an IPv4 address; "" for pods
          without IPv4.\
          """);

  static final Key<Optional<IpPrefix>> IPV6_SUBNET =
      Key.of(
          "network.ipv6_subnet",
          ValueTypes.IPV6_SUBNET,
          Optional.of(IpPrefix.parse("fd4b:6565:6c73::/64")),
          """
          The same for IPv6. One of the two must be there.\
          """);

  static final Key<Long> MTU =
      Key.of(
          "network.mtu",
          ValueTypes.integer(0, 65_535),
          0L,
          """
          The MTU of the built-in network's links, 68 to 65535 (1280 at least with IPv6); 0 for
          that of the link with the default route.\
          """);

  static final Key<Boolean> MASQUERADE =
      Key.of(
          "network.masquerade",
          ValueTypes.BOOLEAN,
          true,
          """
          Connections from pods on the built-in network to the world outside of it leave with the
          node's address.\
          """);

  static final Key<Path> NETNS_DIR =
      Key.of(
          "network.netns_dir",
          ValueTypes.ABSOLUTE_PATH,
          Path.of("/run/netns"),
          """
          Where the pods' network namespaces are pinned; agents of CNI plugins and "ip netns" look
          for them in the default folder.\
          """);

  private NetworkKeys() {}
}
