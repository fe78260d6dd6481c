package io.keelson.cni.bridge;

import static io.keelson.cni.bridge.TestNode.port;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.keelson.linux.netlink.IpPrefix;
import io.keelson.proto.cri.v1.Protocol;
import io.keelson.sandbox.error.FailedPreconditionException;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.error.ResourceExhaustedException;
import io.keelson.sandbox.port.PodNetwork.Attachment;
import io.keelson.sandbox.port.PodNetwork.Pod;
import java.io.IOException;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The network in the kernel, on a node of the test's own. */
class BridgeNetworkTest {

  private TestNode node;

  @BeforeEach
  void open() throws IOException {
    node = new TestNode();
  }

  @AfterEach
  void close() throws IOException {
    node.close();
  }

  @Test
  void aPodReachesTheHostAndTheHostThePod() throws IOException {
    Pod pod = node.pod(1);
    node.run(
        network -> {
          Attachment attachment = network.attach(pod);
          assertThat(attachment.addresses())
              .extracting(InetAddress::getHostAddress)
              .containsExactly("10.87.0.2", "fd4b:6565:6c73:0:0:0:0:2");
          assertThat(attachment.cniResult())
              .contains("\"fd4b:6565:6c73::2/64\"", "\"fd4b:6565:6c73::1\"");
          assertReachable(pod, attachment.addresses());
          InetAddress gateway = InetAddress.ofLiteral("10.87.0.1");
          try (Echo _ = node.call(Echo::here)) {
            assertThat(node.in(pod, () -> Echo.ask(gateway, Echo.PORT))).isEqualTo("10.87.0.2");
          }
          assertThat(node.in(pod, () -> TestNode.shell("ip -d link show eth0")))
              .contains("0a:58:0a:57:00:02", "addrgenmode none", ",UP,LOWER_UP>");
          assertThat(node.in(pod, () -> TestNode.shell("ip route; ip -6 route")))
              .contains("default via 10.87.0.1 dev eth0", "default via fd4b:6565:6c73::1 dev eth0");
          assertThat(node.in(pod, () -> TestNode.shell("ip -6 addr"))).doesNotContain("tentative");
        });
  }

  @Test
  void theResultIsThatOfACniPlugin() throws IOException {
    Pod pod = node.pod(1);
    node.run(
        network -> {
          JsonNode result = new JsonMapper().readTree(network.attach(pod).cniResult());
          assertThat(result.at("/cniVersion").asText()).isEqualTo("1.1.0");
          assertThat(result.at("/interfaces/0/name").asText()).isEqualTo("keelson0");
          assertThat(result.at("/interfaces/2/name").asText()).isEqualTo("eth0");
          assertThat(result.at("/interfaces/2/sandbox").asText())
              .isEqualTo(pod.netns().orElseThrow().toString());
          assertThat(result.at("/interfaces/1/sandbox").isMissingNode()).isTrue();
          assertThat(result.at("/ips/0/address").asText()).isEqualTo("10.87.0.2/16");
          assertThat(result.at("/ips/0/gateway").asText()).isEqualTo("10.87.0.1");
          assertThat(result.at("/ips/0/interface").asInt()).isEqualTo(2);
          assertThat(result.at("/routes/1/dst").asText()).isEqualTo("::/0");
          assertThat(result.at("/dns").isObject()).isTrue();
        });
  }

  @Test
  void podsReachEachOther() throws IOException {
    Pod one = node.pod(1);
    Pod two = node.pod(2);
    node.run(
        network -> {
          network.attach(one);
          List<InetAddress> addresses = network.attach(two).addresses();
          try (Echo _ = Echo.in(node, two)) {
            for (InetAddress address : addresses) {
              assertThat(node.in(one, () -> Echo.ask(address, Echo.PORT))).isNotEmpty();
            }
          }
        });
  }

  @Test
  void detachLeavesNothingAndTwiceIsHarmless() throws IOException {
    Pod pod = node.pod(1, port(Protocol.TCP, "", 8080, 80));
    node.run(
        network -> {
          network.attach(pod);
          assertThat(node.podLinks()).hasSize(1);
          assertThat(node.sh("nft list table inet keelson-keelson0")).contains("8080");
          network.detach(pod);
          network.detach(pod);
          assertThat(node.podLinks()).isEmpty();
          assertThat(node.leases()).isEmptyDirectory();
          assertThat(node.sh("nft list table inet keelson-keelson0")).doesNotContain("8080");
        });
  }

  @Test
  void detachWorksAfterTheNamespaceHasGone() throws IOException {
    Pod pod = node.pod(1, port(Protocol.TCP, "", 8080, 80));
    node.run(
        network -> {
          network.attach(pod);
          network.detach(node.withoutNamespace(pod));
          assertThat(node.podLinks()).isEmpty();
          assertThat(node.leases()).isEmptyDirectory();
          assertThat(node.sh("nft list table inet keelson-keelson0")).doesNotContain("8080");
        });
  }

  @Test
  void attachTwiceReplacesWhatTheFirstHasMade() throws IOException {
    Pod pod = node.pod(1, port(Protocol.TCP, "", 8080, 7000));
    node.run(
        network -> {
          List<InetAddress> first = network.attach(pod).addresses();
          List<InetAddress> second = network.attach(pod).addresses();
          assertThat(second).isEqualTo(first);
          assertThat(node.podLinks()).hasSize(1);
          assertReachable(pod, List.of(first.getFirst()));
        });
  }

  @Test
  void addressesAreNotUsedAgainAtOnceAndNeverTwice() throws IOException {
    List<Pod> pods = new ArrayList<>();
    List<InetAddress> given = new ArrayList<>();
    for (int number = 1; number <= 4; number++) {
      pods.add(node.pod(number));
    }
    NetworkSettings small = subnet("10.87.0.0/29");
    node.run(
        small,
        network -> {
          for (Pod pod : pods) {
            given.add(network.attach(pod).addresses().getFirst());
            network.detach(pod);
          }
        });
    assertThat(given).doesNotHaveDuplicates();
    node.run(
        small,
        network -> {
          // the fifth of five, over a restart of the daemon; then they go round
          assertThat(network.attach(pods.get(0)).addresses().getFirst().getHostAddress())
              .isEqualTo("10.87.0.6");
          assertThat(network.attach(pods.get(1)).addresses().getFirst().getHostAddress())
              .isEqualTo("10.87.0.2");
        });
  }

  @Test
  void aFullPoolIsToldAndLeavesNothing() throws IOException {
    Pod one = node.pod(1);
    Pod two = node.pod(2);
    node.run(
        subnet("10.87.0.0/30"),
        network -> {
          network.attach(one);
          assertThatThrownBy(() -> network.attach(two))
              .isInstanceOf(ResourceExhaustedException.class)
              .hasMessageContaining("10.87.0.0/30");
          assertThat(node.podLinks()).hasSize(1);
          network.detach(one);
          assertThat(network.attach(two).addresses()).hasSize(1);
        });
  }

  @Test
  void recoverTakesAwayWhatUnknownPodsHaveLeftAndKeepsTheOthers() throws IOException {
    Pod kept = node.pod(1, port(Protocol.TCP, "", 8081, 7000));
    Pod lost = node.pod(2, port(Protocol.TCP, "", 8082, 7000));
    Pod rebooted = node.pod(3);
    List<InetAddress> addresses = new ArrayList<>();
    node.run(
        network -> {
          addresses.addAll(network.attach(kept).addresses());
          network.attach(lost);
          network.attach(rebooted);
        });
    Pod gone = node.withoutNamespace(rebooted);
    node.run(
        network -> {
          network.recover(List.of(kept, gone));
          assertThat(node.podLinks())
              .contains(PodLink.hostName(kept.sandboxId()))
              .doesNotContain(PodLink.hostName(lost.sandboxId()));
          assertThat(node.holders()).containsExactlyInAnyOrder(kept.sandboxId(), gone.sandboxId());
          assertThat(node.sh("nft list table inet keelson-keelson0"))
              .contains("8081")
              .doesNotContain("8082");
          assertReachable(kept, List.of(addresses.getFirst()));
          // the ports of a pod of an earlier life are closed with it
          network.detach(kept);
          assertThat(node.sh("nft list table inet keelson-keelson0")).doesNotContain("8081");
          assertThat(node.podLinks()).doesNotContain(PodLink.hostName(kept.sandboxId()));
        });
  }

  @Test
  void manyPodsComeAndGoAtOnce() throws IOException {
    List<Pod> pods = new ArrayList<>();
    for (int number = 1; number <= 40; number++) {
      pods.add(node.pod(number, port(Protocol.TCP, "", 20_000 + number, 80)));
    }
    Set<InetAddress> given = ConcurrentHashMap.newKeySet();
    List<Throwable> failures = new CopyOnWriteArrayList<>();
    node.run(
        network -> {
          List<Thread> threads = new ArrayList<>();
          for (Pod pod : pods) {
            // platform threads: they inherit the namespace of this one
            threads.add(
                Thread.ofPlatform()
                    .start(
                        () -> {
                          try {
                            given.addAll(network.attach(pod).addresses());
                            if (pods.indexOf(pod) % 2 == 0) {
                              network.detach(pod);
                            }
                          } catch (IOException | RuntimeException e) {
                            failures.add(e);
                          }
                        }));
          }
          for (Thread thread : threads) {
            thread.join();
          }
          assertThat(failures).isEmpty();
          assertThat(given).hasSize(80);
          assertThat(node.podLinks()).hasSize(20);
          assertThat(node.holders()).hasSize(20);
          assertThat(node.sh("nft list map inet keelson-keelson0 ipv4 | grep -o tcp"))
              .hasLineCount(20);
        });
  }

  @Test
  void aLostLeaseIsReadBackFromThePodThatUsesIt() throws IOException {
    Pod pod = node.pod(1);
    Pod next = node.pod(2);
    List<InetAddress> addresses = new ArrayList<>();
    node.run(network -> addresses.addAll(network.attach(pod).addresses()));
    Files.delete(node.leases().resolve(pod.sandboxId()));
    Files.delete(node.leases().resolveSibling("last"));
    node.run(
        network -> {
          network.recover(List.of(pod));
          assertThat(network.attach(next).addresses()).doesNotContainAnyElementsOf(addresses);
        });
  }

  @Test
  void anUnfinishedLeaseIsNoLease() throws IOException {
    Pod pod = node.pod(1);
    Files.createDirectories(node.leases());
    Files.writeString(node.leases().resolve(pod.sandboxId()), "");
    node.run(network -> assertThat(network.attach(pod).addresses()).hasSize(2));
  }

  @Test
  void withoutPodsOfItsOwnTheHostIsLeftAlone() throws IOException {
    Pod ofAnotherNetwork = node.pod(1);
    node.run(
        network -> {
          network.recover(List.of(ofAnotherNetwork));
          network.detach(ofAnotherNetwork);
          assertThat(network.condition().ready()).isTrue();
          assertThat(node.sh("ip link show keelson0")).contains("does not exist");
          assertThat(node.sh("nft list tables")).isEmpty();
        });
  }

  @Test
  void aBridgeOrTableTakenAwayIsMadeAgain() throws IOException {
    Pod one = node.pod(1, port(Protocol.TCP, "", 8081, 7000));
    Pod two = node.pod(2);
    Pod three = node.pod(3);
    node.run(
        network -> {
          network.attach(one);
          node.sh("nft flush ruleset");
          network.attach(two);
          assertThat(node.sh("nft list table inet keelson-keelson0")).contains("8081");
          node.sh("ip link delete keelson0");
          InetAddress address = network.attach(three).addresses().getFirst();
          assertReachable(three, List.of(address));
        });
  }

  @Test
  void aPodWithoutIpv6GetsIpv4() throws IOException {
    Pod pod = node.pod(1, Map.of("net.ipv6.conf.default.disable_ipv6", "1"));
    node.run(
        network -> {
          Attachment attachment = network.attach(pod);
          assertThat(attachment.addresses()).hasSize(1);
          assertThat(attachment.cniResult()).doesNotContain("fd4b");
          InetAddress address = attachment.addresses().getFirst();
          assertReachable(pod, List.of(address));
        });
  }

  @Test
  void aHostWithoutIpv6GivesIpv4() throws IOException {
    node.sh("sysctl -w net.ipv6.conf.all.disable_ipv6=1");
    Pod pod = node.pod(1);
    node.run(
        network -> {
          assertThat(network.attach(pod).addresses()).hasSize(1);
          assertThat(node.in(pod, () -> TestNode.shell("ip -6 route"))).doesNotContain("default");
        });
  }

  @Test
  void ipv6AloneWorks() throws IOException {
    Pod pod = node.pod(1);
    NetworkSettings settings =
        new NetworkSettings(
            "keelson0", Optional.empty(), Optional.of(IpPrefix.parse("fd00:7::/64")), 0, true);
    node.run(
        settings,
        network -> {
          List<InetAddress> addresses = network.attach(pod).addresses();
          assertThat(addresses).singleElement().isInstanceOf(Inet6Address.class);
          assertReachable(pod, List.of(addresses.getFirst()));
        });
  }

  @Test
  void aSubnetThatTheHostRoutesElsewhereMakesTheNetworkNotReady() throws IOException {
    node.sh("ip link add name up0 type veth; ip addr add 10.87.3.1/24 dev up0; ip link set up0 up");
    Pod pod = node.pod(1);
    node.run(
        network -> {
          assertThatThrownBy(() -> network.attach(pod)).hasMessageContaining("10.87.3.0/24");
          assertThat(network.condition().ready()).isFalse();
          assertThat(network.condition().message()).contains("configure another subnet");
          node.sh("ip link delete up0");
          network.attach(pod);
          assertThat(network.condition().ready()).isTrue();
        });
  }

  @Test
  void aHostPortOfAnotherPodIsRefusedAndNothingIsLeft() throws IOException {
    Pod one = node.pod(1, port(Protocol.TCP, "", 8080, 80));
    Pod two = node.pod(2, port(Protocol.TCP, "0.0.0.0", 8080, 81), port(Protocol.UDP, "", 9, 9));
    node.run(
        network -> {
          network.attach(one);
          assertThatThrownBy(() -> network.attach(two))
              .isInstanceOf(FailedPreconditionException.class)
              .hasMessageContaining("tcp 0.0.0.0:8080")
              .hasMessageContaining(one.sandboxId());
          assertThat(node.podLinks()).hasSize(1);
          network.detach(one);
          network.attach(two);
        });
  }

  @Test
  void portsThatCannotBeServedAreRefused() throws IOException {
    node.run(
        network -> {
          int number = 1;
          for (var ports :
              List.of(
                  port(Protocol.TCP, "::1", 8080, 80),
                  port(Protocol.TCP, "localhost", 8080, 80),
                  port(Protocol.TCP, "1.2.3.4; flush ruleset", 8080, 80),
                  port(Protocol.TCP, "", 65_536, 80),
                  port(Protocol.TCP, "", 8080, -1))) {
            Pod pod = node.pod(number++, ports);
            assertThatThrownBy(() -> network.attach(pod))
                .isInstanceOf(InvalidRequestException.class);
          }
          assertThat(node.podLinks()).isEmpty();
          assertThat(node.leases()).isEmptyDirectory();
        });
  }

  @Test
  void aBridgeNameThatCouldChangeTheRulesIsRefused() {
    for (String name : List.of("", "a b", "x\"; flush ruleset", "longer-than-fifteen")) {
      assertThatThrownBy(
              () ->
                  new NetworkSettings(
                      name, Optional.of(IpPrefix.parse("10.9.0.0/24")), Optional.empty(), 0, true))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  private void assertReachable(Pod pod, List<InetAddress> addresses) throws IOException {
    try (Echo _ = Echo.in(node, pod)) {
      for (InetAddress address : addresses) {
        String gateway = address instanceof Inet6Address ? "fd" : "10.87.0.1";
        assertThat(node.call(() -> Echo.ask(address, Echo.PORT))).startsWith(gateway);
      }
    }
  }

  private static NetworkSettings subnet(String ipv4) {
    return new NetworkSettings(
        "keelson0", Optional.of(IpPrefix.parse(ipv4)), Optional.empty(), 0, true);
  }
}
