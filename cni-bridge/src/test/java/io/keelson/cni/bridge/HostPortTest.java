package io.keelson.cni.bridge;

import static io.keelson.cni.bridge.TestNode.port;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keelson.linux.netlink.IpPrefix;
import io.keelson.proto.cri.v1.Protocol;
import io.keelson.sandbox.port.PodNetwork.Pod;
import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What leaves a node and what comes in, with a world beyond the node's uplink. */
class HostPortTest {

  private static final InetAddress NODE = InetAddress.ofLiteral("192.0.2.1");
  private static final InetAddress WORLD = InetAddress.ofLiteral("192.0.2.2");
  private static final InetAddress NODE6 = InetAddress.ofLiteral("2001:db8::1");
  private static final InetAddress WORLD6 = InetAddress.ofLiteral("2001:db8::2");
  private static final InetAddress LOOPBACK = InetAddress.ofLiteral("127.0.0.1");

  private TestNode node;
  private Pod world;

  @BeforeEach
  void open() throws IOException {
    node = new TestNode();
    world = node.pod(99);
    String namespace = world.netns().orElseThrow().toString();
    String output =
        node.sh(
            """
            set -e
            ip link add name up0 mtu 1400 type veth peer name up1 mtu 1400
            ip addr add 192.0.2.1/24 dev up0
            ip -6 addr add 2001:db8::1/64 dev up0 nodad
            ip link set up0 up
            ip link set up1 netns %s
            ip route add default via 192.0.2.2
            """
                .formatted(namespace));
    output +=
        node.in(
            world,
            () ->
                TestNode.shell(
                    """
                    set -e
                    ip addr add 192.0.2.2/24 dev up1
                    ip -6 addr add 2001:db8::2/64 dev up1 nodad
                    ip link set up1 up
                    """));
    assertThat(output).isEmpty();
  }

  @AfterEach
  void close() throws IOException {
    node.close();
  }

  @Test
  void aPodReachesTheWorldWithTheAddressOfTheNode() throws IOException {
    Pod pod = node.pod(1);
    node.run(
        network -> {
          network.attach(pod);
          try (Echo _ = Echo.in(node, world)) {
            assertThat(node.in(pod, () -> Echo.ask(WORLD, Echo.PORT))).isEqualTo("192.0.2.1");
            assertThat(node.in(pod, () -> Echo.ask(WORLD6, Echo.PORT)))
                .isEqualTo("2001:db8:0:0:0:0:0:1");
          }
          assertThat(node.in(pod, () -> TestNode.shell("ip link show eth0"))).contains("mtu 1400");
        });
  }

  @Test
  void withoutMasqueradeThePodKeepsItsAddress() throws IOException {
    Pod pod = node.pod(1);
    node.in(world, () -> TestNode.shell("ip route add 10.9.0.0/24 via 192.0.2.1"));
    NetworkSettings settings =
        new NetworkSettings(
            "pods", Optional.of(IpPrefix.parse("10.9.0.0/24")), Optional.empty(), 1300, false);
    node.run(
        settings,
        network -> {
          network.attach(pod);
          try (Echo _ = Echo.in(node, world)) {
            assertThat(node.in(pod, () -> Echo.ask(WORLD, Echo.PORT))).isEqualTo("10.9.0.2");
          }
          assertThat(node.in(pod, () -> TestNode.shell("ip link show eth0"))).contains("mtu 1300");
        });
  }

  @Test
  void aHostPortLeadsToThePodFromEverywhere() throws IOException {
    Pod pod =
        node.pod(
            1,
            port(Protocol.TCP, "", 8080, Echo.PORT),
            port(Protocol.UDP, "", 8080, Echo.PORT),
            port(Protocol.SCTP, "", 8080, Echo.PORT));
    Pod other = node.pod(2);
    node.run(
        network -> {
          network.attach(pod);
          network.attach(other);
          try (Echo _ = Echo.in(node, pod)) {
            // from the world, whose address stays
            assertThat(node.in(world, () -> Echo.ask(NODE, 8080))).isEqualTo("192.0.2.2");
            assertThat(node.in(world, () -> Echo.askUdp(NODE, 8080))).isEqualTo("192.0.2.2");
            assertThat(node.in(world, () -> Echo.ask(NODE6, 8080)))
                .isEqualTo("2001:db8:0:0:0:0:0:2");
            // from the node itself
            assertThat(node.call(() -> Echo.ask(NODE, 8080))).isEqualTo("192.0.2.1");
            assertThat(node.call(() -> Echo.ask(LOOPBACK, 8080))).isEqualTo("10.87.0.1");
            assertThat(node.call(() -> Echo.askUdp(LOOPBACK, 8080))).isEqualTo("10.87.0.1");
            assertThat(node.call(() -> Echo.ask(NODE6, 8080))).isNotEmpty();
            // from another pod, and from the pod itself by way of the node
            assertThat(node.in(other, () -> Echo.ask(NODE, 8080))).isEqualTo("10.87.0.1");
            assertThat(node.in(other, () -> Echo.ask(NODE6, 8080))).startsWith("fd4b");
            assertThat(node.in(pod, () -> Echo.ask(NODE, 8080))).isEqualTo("10.87.0.1");
            assertThat(node.in(pod, () -> Echo.askUdp(NODE, 8080))).isEqualTo("10.87.0.1");
            assertThat(node.in(pod, () -> Echo.ask(NODE6, 8080))).startsWith("fd4b");
          }
          assertThat(node.sh("nft list map inet keelson-keelson0 ipv4")).contains("sctp . 8080");
          network.detach(pod);
          assertThatThrownBy(() -> node.in(world, () -> Echo.ask(NODE, 8080)))
              .isInstanceOf(IOException.class);
        });
  }

  @Test
  void aHostPortOfOneAddressIsNotOpenOnOthers() throws IOException {
    Pod local = node.pod(1, port(Protocol.TCP, "127.0.0.1", 8080, Echo.PORT));
    Pod outer = node.pod(2, port(Protocol.TCP, "192.0.2.1", 8080, Echo.PORT));
    node.run(
        network -> {
          network.attach(local);
          try (Echo _ = Echo.in(node, local)) {
            assertThat(node.call(() -> Echo.ask(LOOPBACK, 8080))).isEqualTo("10.87.0.1");
            assertThatThrownBy(() -> node.in(world, () -> Echo.ask(NODE, 8080)))
                .isInstanceOf(IOException.class);
            network.attach(outer);
            try (Echo _ = Echo.in(node, outer)) {
              assertThat(node.in(world, () -> Echo.ask(NODE, 8080))).isEqualTo("192.0.2.2");
            }
          }
        });
  }

  @Test
  void aUdpSenderThatNeverPausesReachesEachNewPod() throws IOException {
    Pod one = node.pod(1, port(Protocol.UDP, "", 8080, Echo.PORT));
    Pod two = node.pod(2, port(Protocol.UDP, "", 8080, Echo.PORT));
    node.run(
        network -> {
          network.start();
          try (DatagramSocket sender = node.in(world, DatagramSocket::new)) {
            sender.connect(NODE, 8080);
            sender.setSoTimeout(Echo.PATIENCE_MILLIS);
            // nobody is there: the kernel remembers a flow to the node itself
            assertThatThrownBy(() -> Echo.askUdp(sender)).isInstanceOf(IOException.class);
            for (Pod pod : List.of(one, two)) {
              network.attach(pod);
              try (Echo _ = Echo.in(node, pod)) {
                assertThat(Echo.askUdp(sender)).isEqualTo("192.0.2.2");
              }
              network.detach(pod);
            }
          }
        });
  }

  @Test
  void aPodCannotReachTheLoopbackOfTheNode() throws IOException {
    Pod pod = node.pod(1);
    node.run(
        network -> {
          network.attach(pod);
          // what a process with all rights in the pod's namespace can do
          String output =
              node.in(
                  pod,
                  () ->
                      TestNode.shell(
                          """
                          set -e
                          sysctl -qw net.ipv4.conf.eth0.route_localnet=1
                          ip addr del 127.0.0.1/8 dev lo
                          ip route add 127.0.0.1 via 10.87.0.1 dev eth0 src 10.87.0.2
                          """));
          assertThat(output).isEmpty();
          try (Echo _ = node.call(Echo::here)) {
            assertThatThrownBy(() -> node.in(pod, () -> Echo.ask(LOOPBACK, Echo.PORT, 2000)))
                .isInstanceOf(IOException.class);
            node.sh("nft flush chain inet keelson-keelson0 spoofed");
            // without the rule it could: so it is the rule that this test has seen
            assertThat(node.in(pod, () -> Echo.ask(LOOPBACK, Echo.PORT))).isEqualTo("10.87.0.2");
          }
        });
  }

  @Test
  void theTablesOfOthersStayAsTheyAre() throws IOException {
    node.sh("nft add table inet firewalld; nft add chain inet firewalld x");
    String before = node.sh("nft list table inet firewalld");
    Pod pod = node.pod(1, port(Protocol.TCP, "", 8080, Echo.PORT));
    node.run(
        network -> {
          network.attach(pod);
          network.detach(pod);
          network.recover(List.of());
        });
    assertThat(node.sh("nft list table inet firewalld")).isEqualTo(before);
  }
}
