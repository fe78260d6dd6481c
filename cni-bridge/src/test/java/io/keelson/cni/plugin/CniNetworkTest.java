package io.keelson.cni.plugin;

import static io.keelson.cni.plugin.CniFixture.RESULT;
import static io.keelson.cni.plugin.CniFixture.pod;
import static io.keelson.cni.plugin.CniFixture.withoutNetns;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keelson.cni.plugin.CniFixture.Call;
import io.keelson.proto.cri.v1.DNSConfig;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import io.keelson.proto.cri.v1.PortMapping;
import io.keelson.sandbox.error.FailedPreconditionException;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.error.NotFoundException;
import io.keelson.sandbox.error.OperationFailedException;
import io.keelson.sandbox.error.UnavailableException;
import io.keelson.sandbox.port.PodNetwork.Attachment;
import io.keelson.sandbox.port.PodNetwork.Pod;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Attaching and detaching by plugins that do as they should, or say no. */
class CniNetworkTest {

  private static final String ERROR =
      "echo '{\"cniVersion\":\"1.0.0\",\"code\":%d,\"msg\":\"no way\",\"details\":\"the bridge is"
          + " out\"}'; echo look here >&2; exit 1;;";

  @TempDir Path folder;
  CniFixture cni;

  @BeforeEach
  void folders() throws IOException {
    cni = new CniFixture(folder);
  }

  @Test
  void chainPassesEachResultOnAndSpawnsEachPluginOnce() throws IOException {
    cni.plugin("first");
    cni.plugin("second", CniFixture.add(RESULT.replace("10.1.0.5", "10.1.0.6")));
    cni.plugin("third", CniFixture.add(RESULT.replace("10.1.0.5", "10.1.0.7")));
    cni.configure("10-net.conflist", "1.0.0", "podnet", "first", "second", "third");
    try (CniNetwork network = cni.open()) {
      Attachment attachment = network.attach(pod("p1"));

      assertThat(attachment.addresses()).containsExactly(InetAddress.ofLiteral("10.1.0.7"));
      assertThat(attachment.cniResult()).contains("\"cniVersion\":\"1.1.0\"", "10.1.0.7/16");
      assertThat(cni.names()).containsExactly("first ADD", "second ADD", "third ADD");
      List<Call> calls = cni.calls();
      assertThat(calls.get(0).stdin().has("prevResult")).isFalse();
      assertThat(calls.get(1).stdin().at("/prevResult/ips/0/address").asText())
          .isEqualTo("10.1.0.5/16");
      assertThat(calls.get(2).stdin().at("/prevResult/ips/0/address").asText())
          .isEqualTo("10.1.0.6/16");
      assertThat(calls.get(0).stdin().path("name").asText()).isEqualTo("podnet");
      assertThat(calls.get(0).stdin().path("cniVersion").asText()).isEqualTo("1.0.0");
      assertThat(calls.get(0).environment())
          .containsEntry("CNI_CONTAINERID", "p1")
          .containsEntry("CNI_NETNS", "/run/netns/p1")
          .containsEntry("CNI_IFNAME", "eth0")
          .containsEntry("CNI_PATH", cni.binaries.toString())
          .containsEntry(
              "CNI_ARGS",
              "IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web;"
                  + "K8S_POD_INFRA_CONTAINER_ID=p1;K8S_POD_UID=uid-p1");
    }
  }

  @Test
  void detachGoesBackwardsWithTheFinalResultAndOnce() throws IOException {
    cni.plugin("first");
    cni.plugin("second", CniFixture.add(RESULT.replace("10.1.0.5", "10.1.0.6")));
    cni.configure("10-net.conflist", "1.0.0", "podnet", "first", "second");
    try (CniNetwork network = cni.open()) {
      network.attach(pod("p1"));
      assertThat(network.isAttached("p1")).isTrue();

      network.detach(withoutNetns(pod("p1")));
      network.detach(withoutNetns(pod("p1")));

      assertThat(cni.names()).containsExactly("first ADD", "second ADD", "second DEL", "first DEL");
      for (Call call : cni.calls().subList(2, 4)) {
        assertThat(call.stdin().at("/prevResult/ips/0/address").asText()).isEqualTo("10.1.0.6/16");
        assertThat(call.environment()).containsEntry("CNI_NETNS", "");
        assertThat(call.environment().get("CNI_ARGS")).contains("K8S_POD_NAME=web");
      }
      assertThat(network.isAttached("p1")).isFalse();
    }
  }

  @Test
  void oldVersionsGetNoPreviousResultOnDelete() throws IOException {
    cni.plugin("first", CniFixture.add(RESULT.replace("1.0.0", "0.3.1")));
    cni.configure("10-net.conflist", "0.3.1", "podnet", "first");
    try (CniNetwork network = cni.open()) {
      assertThat(network.attach(pod("p1")).cniResult()).contains("\"cniVersion\":\"1.1.0\"");
      network.detach(pod("p1"));
      assertThat(cni.calls().getLast().stdin().has("prevResult")).isFalse();
    }
  }

  @Test
  void capabilitiesReachThePluginsThatDeclareThem() throws IOException {
    cni.plugin("first");
    cni.plugin("ports");
    cni.configure(
        "10-net.conflist",
        """
        {"cniVersion":"1.0.0","name":"podnet","plugins":[
          {"type":"first","size":1.10,"cni.dev/x":1},
          {"type":"ports","capabilities":{"portMappings":true,"bandwidth":true,"dns":true,
            "io.kubernetes.cri.pod-annotations":true,"cgroupPath":true,"mac":true,"ipRanges":false}}]}\
        """);
    PodSandboxConfig.Builder config =
        PodSandboxConfig.newBuilder()
            .putAnnotations("kubernetes.io/ingress-bandwidth", "10M")
            .setDnsConfig(DNSConfig.newBuilder().addServers("10.0.0.10").addSearches("svc.local"))
            .addPortMappings(
                PortMapping.newBuilder()
                    .setHostPort(8080)
                    .setContainerPort(80)
                    .setHostIp("127.0.0.1"))
            .addPortMappings(PortMapping.newBuilder().setContainerPort(81));
    config.getLinuxBuilder().setCgroupParent("/kubepods/pod1");
    try (CniNetwork network = cni.open()) {
      Pod pod = pod("p1", config);
      network.attach(pod);
      // a later call of the caller may know less
      network.detach(pod("p1"));

      List<Call> calls = cni.calls();
      assertThat(calls.get(0).stdin().toString())
          .isEqualTo(
              "{\"type\":\"first\",\"size\":1.10,\"name\":\"podnet\",\"cniVersion\":\"1.0.0\"}");
      assertThat(calls.get(1).stdin().has("capabilities")).isFalse();
      for (Call call : List.of(calls.get(1), calls.get(2))) {
        assertThat(call.stdin().path("runtimeConfig"))
            .isEqualTo(
                Json.parseObject(
                    """
                    {"portMappings":[{"hostPort":8080,"containerPort":80,"protocol":"tcp","hostIP":"127.0.0.1"}],
                     "bandwidth":{"ingressRate":10000000,"ingressBurst":4294967295},
                     "dns":{"servers":["10.0.0.10"],"searches":["svc.local"],"options":[]},
                     "io.kubernetes.cri.pod-annotations":{"kubernetes.io/ingress-bandwidth":"10M"},
                     "cgroupPath":"/kubepods/pod1"}\
                    """
                        .getBytes(java.nio.charset.StandardCharsets.UTF_8)));
      }
      assertThat(calls.get(3).stdin().has("runtimeConfig")).isFalse();
    }
  }

  @Test
  void failedAddIsTakenBackWhollyAndToldInThePluginsWords() throws IOException {
    cni.plugin("first");
    cni.plugin("second", "ADD) " + ERROR.formatted(7));
    cni.plugin("third");
    cni.configure("10-net.conflist", "1.0.0", "podnet", "first", "second", "third");
    try (CniNetwork network = cni.open()) {
      assertThatThrownBy(() -> network.attach(pod("p1")))
          .isInstanceOf(OperationFailedException.class)
          .hasMessage(
              "CNI plugin second (ADD, network podnet) failed: no way: the bridge is out (code 7);"
                  + " stderr: look here");
      assertThat(cni.names())
          .containsExactly("first ADD", "second ADD", "third DEL", "second DEL", "first DEL");
      assertThat(network.isAttached("p1")).isFalse();
    }
  }

  @Test
  void codeElevenMeansTryAgainLater() throws IOException {
    cni.plugin("first", "ADD) " + ERROR.formatted(11));
    cni.configure("10-net.conflist", "1.0.0", "podnet", "first");
    try (CniNetwork network = cni.open()) {
      assertThatThrownBy(() -> network.attach(pod("p1")))
          .isInstanceOf(UnavailableException.class)
          .hasMessageContaining("no way");
    }
  }

  @Test
  void resultWithoutAddressOfThePodFailsAndIsTakenBack() throws IOException {
    cni.plugin("first", CniFixture.add(RESULT.replace("eth0", "net1")));
    cni.configure("10-net.conflist", "1.0.0", "podnet", "first");
    try (CniNetwork network = cni.open()) {
      assertThatThrownBy(() -> network.attach(pod("p1")))
          .isInstanceOf(OperationFailedException.class)
          .hasMessage("the result of CNI network podnet has no address of eth0");
      assertThat(cni.names()).containsExactly("first ADD", "first DEL");
    }
  }

  @Test
  void oneFailedDeleteStopsNoOtherAndIsTriedAgain() throws IOException {
    cni.plugin("first");
    cni.plugin("second", CniFixture.add(RESULT) + "\nDEL) " + ERROR.formatted(100));
    cni.configure("10-net.conflist", "1.0.0", "podnet", "first", "second");
    try (CniNetwork network = cni.open()) {
      network.attach(pod("p1"));
      assertThatThrownBy(() -> network.detach(pod("p1")))
          .hasMessageContaining("second (DEL, network podnet)")
          .hasMessageContaining("no way");
      assertThat(network.isAttached("p1")).isTrue();
      cni.plugin("second");
      network.detach(pod("p1"));
      assertThat(cni.names())
          .containsExactly(
              "first ADD", "second ADD", "second DEL", "first DEL", "second DEL", "first DEL");
      assertThat(network.isAttached("p1")).isFalse();
    }
  }

  @Test
  void deleteUsesTheConfigurationOfTheAdd() throws IOException {
    cni.plugin("old");
    cni.plugin("new");
    cni.configure("10-net.conflist", "1.0.0", "oldnet", "old");
    try (CniNetwork network = cni.open()) {
      network.attach(pod("p1"));
    }
    cni.configure("10-net.conflist", "0.4.0", "newnet", "new");
    try (CniNetwork network = cni.open()) {
      network.detach(pod("p1"));
    }
    assertThat(cni.names()).containsExactly("old ADD", "old DEL");
    assertThat(cni.calls().getLast().stdin().path("name").asText()).isEqualTo("oldnet");
  }

  @Test
  void attemptThatWasCutOffIsTakenBackBeforeTheNextOne() throws Exception {
    cni.plugin("first");
    cni.configure("10-net.conflist", "1.0.0", "podnet", "first");
    NetworkConfiguration configured =
        new ConfigurationFolder(cni.configurations).load().network().orElseThrow();
    cni.openCache()
        .begin(new CachedAttachment(configured, PodParameters.of(pod("p1")), Optional.empty()))
        .get();
    try (CniNetwork network = cni.open()) {
      network.recover(List.of(pod("p1")));
      assertThat(cni.names()).isEmpty();
      network.attach(pod("p1"));
      assertThat(cni.names()).containsExactly("first DEL", "first ADD");
      assertThat(cni.calls().getFirst().stdin().has("prevResult")).isFalse();
    }
  }

  @Test
  void recoverTakesBackUnknownPodsAndTellsPluginsWhichAreValid() throws IOException {
    cni.plugin("first");
    cni.plugin("second");
    cni.configure("10-net.conflist", "1.1.0", "podnet", "first", "second");
    try (CniNetwork network = cni.open()) {
      network.attach(pod("p1"));
      network.attach(pod("p2"));
    }
    int before = callsForPods().size();
    try (CniNetwork network = cni.open()) {
      network.recover(List.of(pod("p1"), pod("never-attached")));
      List<Call> calls = callsForPods().subList(before, callsForPods().size());
      assertThat(calls)
          .extracting(Call::toString)
          .containsExactly("second DEL", "first DEL", "first GC", "second GC");
      assertThat(calls.get(0).environment())
          .containsEntry("CNI_CONTAINERID", "p2")
          .containsEntry("CNI_NETNS", "");
      assertThat(calls.get(2).stdin().path("cni.dev/valid-attachments"))
          .isEqualTo(calls.get(3).stdin().path("cni.dev/attachments"))
          .hasToString("[{\"containerID\":\"p1\",\"ifname\":\"eth0\"}]");
      assertThat(network.isAttached("p2")).isFalse();
    }
  }

  /** The plugins are asked for their status at any time. */
  private List<Call> callsForPods() throws IOException {
    return cni.calls().stream().filter(call -> !call.command().equals("STATUS")).toList();
  }

  @Test
  void garbageIsNotCollectedWhereThatIsDisabledOrUnknown() throws IOException {
    cni.plugin("first");
    cni.configure(
        "10-net.conflist",
        "{\"cniVersion\":\"1.1.0\",\"name\":\"n\",\"disableGC\":true,\"plugins\":[{\"type\":\"first\"}]}");
    try (CniNetwork network = cni.open()) {
      network.recover(List.of());
      CniFixture.soon().until(() -> cni.names().contains("first STATUS"));
    }
    cni.configure("10-net.conflist", "1.0.0", "podnet", "first");
    try (CniNetwork network = cni.open()) {
      network.recover(List.of());
    }
    assertThat(cni.names()).containsOnly("first STATUS");
  }

  @Test
  void recoverOutlivesPluginsThatFail() throws IOException {
    cni.plugin("first", CniFixture.add(RESULT) + "\nDEL) exit 3;;\nGC) exit 4;;");
    cni.configure("10-net.conflist", "1.1.0", "podnet", "first");
    try (CniNetwork network = cni.open()) {
      network.attach(pod("p1"));
      network.recover(List.of());
      assertThat(network.isAttached("p1")).isTrue();
    }
  }

  @Test
  void unreadableCacheIsDetachedByTheConfigurationOfToday() throws IOException {
    cni.plugin("first");
    cni.configure("10-net.conflist", "1.0.0", "podnet", "first");
    try (CniNetwork network = cni.open()) {
      network.attach(pod("p1"));
      Files.writeString(cni.cache.resolve("p1.json"), "");
      network.detach(pod("p1"));
      assertThat(cni.names()).containsExactly("first ADD", "first DEL");
      assertThat(cni.calls().getLast().environment()).containsEntry("CNI_CONTAINERID", "p1");
      assertThat(network.isAttached("p1")).isFalse();
    }
  }

  @Test
  void checkAsksThePluginsWithTheResultOfTheAdd() throws IOException {
    cni.plugin("first");
    cni.configure("10-net.conflist", "0.4.0", "podnet", "first");
    try (CniNetwork network = cni.open()) {
      assertThatThrownBy(() -> network.check(pod("p1"))).isInstanceOf(NotFoundException.class);
      network.attach(pod("p1"));
      network.check(pod("p1"));
      Call check = cni.calls().getLast();
      assertThat(check).hasToString("first CHECK");
      assertThat(check.stdin().at("/prevResult/ips/0/version").asText()).isEqualTo("4");
      cni.plugin("first", "CHECK) " + ERROR.formatted(100));
      assertThatThrownBy(() -> network.check(pod("p1"))).hasMessageContaining("no way");
    }
  }

  @Test
  void checkIsNotMadeWhereItIsDisabled() throws IOException {
    cni.plugin("first");
    cni.configure(
        "10-net.conflist",
        "{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"disableCheck\":true,\"plugins\":[{\"type\":\"first\"}]}");
    try (CniNetwork network = cni.open()) {
      network.attach(pod("p1"));
      network.check(pod("p1"));
      assertThat(cni.names()).containsExactly("first ADD");
    }
  }

  @Test
  void hostilePodsAreRefusedBeforeAnyPluginRuns() throws IOException {
    cni.plugin("first");
    cni.configure("10-net.conflist", "1.0.0", "podnet", "first");
    Pod named = pod("p1");
    PodSandboxConfig.Builder smuggling = named.config().toBuilder();
    smuggling.getMetadataBuilder().setName("web;IP=10.1.0.1");
    Pod limited =
        pod(
            "p2",
            PodSandboxConfig.newBuilder()
                .putAnnotations("kubernetes.io/egress-bandwidth", "1e999999999"));
    try (CniNetwork network = cni.open()) {
      assertThatThrownBy(() -> network.attach(new Pod("p1", named.netns(), smuggling.build())))
          .isInstanceOf(InvalidRequestException.class)
          .hasMessageContaining("K8S_POD_NAME");
      assertThatThrownBy(() -> network.attach(limited))
          .isInstanceOf(InvalidRequestException.class)
          .hasMessageContaining("egress-bandwidth");
      assertThatThrownBy(() -> network.attach(withoutNetns(named)))
          .isInstanceOf(FailedPreconditionException.class);
      assertThat(cni.names()).isEmpty();
      assertThat(network.isAttached("p1")).isFalse();
    }
  }

  @Test
  void environmentOfTheDaemonIsInheritedButNotItsOwnCniVariables() throws IOException {
    cni.plugin(
        "first", "ADD) [ \"$COLOUR-$CNI_ARGUMENT\" = blue- ] || exit 9; echo '" + RESULT + "';;");
    cni.configure("10-net.conflist", "1.0.0", "podnet", "first");
    CniSettings given = cni.settings();
    CniSettings settings =
        new CniSettings(
            given.configurationFolder(),
            given.pluginFolders(),
            given.cacheFolder(),
            given.callTimeout(),
            given.probeTimeout(),
            given.statusInterval(),
            java.util.Map.of(
                "PATH", "/usr/bin:/bin", "COLOUR", "blue", "CNI_ARGUMENT", "left over"));
    try (CniNetwork network = CniNetwork.open(settings)) {
      assertThat(network.attach(pod("p1")).addresses()).hasSize(1);
    }
  }
}
