package io.keelson.cni.bridge;

import io.keelson.linux.netlink.IpText;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import io.keelson.proto.cri.v1.PortMapping;
import io.keelson.proto.cri.v1.Protocol;
import io.keelson.sandbox.error.InvalidRequestException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A port of the host that leads to a pod.
 *
 * @param protocol as nftables calls it
 * @param address of the host; the unspecified address stands for all of its family
 */
record HostPort(String protocol, InetAddress address, int port) {

  private static final InetAddress ALL_IPV4 = InetAddress.ofLiteral("0.0.0.0");
  private static final InetAddress ALL_IPV6 = InetAddress.ofLiteral("::");

  boolean isIpv4() {
    return address instanceof Inet4Address;
  }

  boolean isUdp() {
    return protocol.equals("udp");
  }

  boolean isEveryAddress() {
    return address.isAnyLocalAddress();
  }

  /** As in {@code tcp 0.0.0.0:8080} and {@code tcp [::]:8080}. */
  @Override
  public String toString() {
    String host = IpText.of(address);
    return protocol + " " + (isIpv4() ? host : "[" + host + "]") + ":" + port;
  }

  /**
   * Which ports of the host a pod wants, and where in the pod each leads.
   *
   * @param podAddresses of the pod; of a family that it does not have it gets no port, unless a
   *     mapping names an address of that family
   * @throws InvalidRequestException if a mapping can't be served, or two contradict each other
   */
  static Map<HostPort, PodPort> of(PodSandboxConfig config, List<InetAddress> podAddresses) {
    Map<HostPort, PodPort> ports = new LinkedHashMap<>();
    for (PortMapping mapping : config.getPortMappingsList()) {
      if (mapping.getHostPort() == 0) {
        continue; // tells what a container listens at, and nothing of the host
      }
      checkPort("host", mapping.getHostPort());
      checkPort("container", mapping.getContainerPort());
      for (InetAddress address : hostAddresses(mapping)) {
        HostPort hostPort = new HostPort(protocol(mapping), address, mapping.getHostPort());
        PodPort podPort = target(hostPort, mapping.getContainerPort(), podAddresses);
        if (podPort == null) {
          continue;
        }
        PodPort other = ports.putIfAbsent(hostPort, podPort);
        if (other != null && !other.equals(podPort)) {
          throw new InvalidRequestException(
              "host port %s is asked for twice: for port %d and port %d of the pod"
                  .formatted(hostPort, other.port(), podPort.port()));
        }
      }
    }
    return ports;
  }

  private static @Nullable PodPort target(
      HostPort hostPort, int port, List<InetAddress> podAddresses) {
    for (InetAddress address : podAddresses) {
      if (address instanceof Inet4Address == hostPort.isIpv4()) {
        return new PodPort(address, port);
      }
    }
    if (hostPort.isEveryAddress()) {
      return null;
    }
    throw new InvalidRequestException(
        "host port %s can't lead to a pod that has no address of that family".formatted(hostPort));
  }

  private static List<InetAddress> hostAddresses(PortMapping mapping) {
    String text = mapping.getHostIp();
    if (text.isEmpty()) {
      return List.of(ALL_IPV4, ALL_IPV6);
    }
    InetAddress address;
    try {
      address = InetAddress.ofLiteral(text);
    } catch (IllegalArgumentException e) {
      throw new InvalidRequestException(
          "host port %d: \"%s\" is no IP address".formatted(mapping.getHostPort(), text), e);
    }
    boolean ipv6 = !(address instanceof Inet4Address);
    if (ipv6 && address.isLoopbackAddress()) {
      throw new InvalidRequestException(
          "host port %d: the kernel can't forward [::1]; use 127.0.0.1 or an address of the node"
              .formatted(mapping.getHostPort()));
    }
    if (ipv6 && address.isLinkLocalAddress()) {
      throw new InvalidRequestException(
          "host port %d: the link-local address %s can't be forwarded"
              .formatted(mapping.getHostPort(), text));
    }
    return List.of(address);
  }

  private static void checkPort(String what, int port) {
    if (port < 1 || port > 65_535) {
      throw new InvalidRequestException(
          "%s port %d is out of range (1 to 65535)".formatted(what, port));
    }
  }

  private static String protocol(PortMapping mapping) {
    Protocol protocol = mapping.getProtocol();
    return switch (protocol) {
      case TCP -> "tcp";
      case UDP -> "udp";
      case SCTP -> "sctp";
      case UNRECOGNIZED ->
          throw new InvalidRequestException(
              "host port %d: unknown protocol %d"
                  .formatted(mapping.getHostPort(), mapping.getProtocolValue()));
    };
  }

  /** Where a host port leads. */
  record PodPort(InetAddress address, int port) {}
}
