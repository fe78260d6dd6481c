package io.keelson.integration;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Status;
import io.keelson.integration.harness.Cri;
import io.keelson.integration.harness.Patience;
import io.keelson.integration.harness.Shell;
import io.keelson.integration.harness.TestNode;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import io.keelson.proto.cri.v1.PortMapping;
import io.keelson.proto.cri.v1.RuntimeCondition;
import io.keelson.proto.cri.v1.StatusRequest;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** External CNI plugins: the reference ones, and such as hang, print rubbish or fail. */
class ExternalCniIT {

  @RegisterExtension
  static final TestNode node =
      TestNode.create().set("network.cni_timeout", "\"8s\"").withPluginFolder();

  private final Path configuration = node.cniConfigurations().resolve("10-test.conflist");

  /** Pods must be removed with the plugins that they were made with. */
  @AfterEach
  void removePodsAndConfiguration() throws IOException {
    node.removeAllPods();
    if (Files.exists(configuration)) {
      change("no valid CNI network", () -> Files.delete(configuration));
    }
  }

  @Test
  void theReferencePluginsGiveAddressPortAndBack() throws Exception {
    useReferencePlugins();
    Cri cri = node.cri();
    int port;
    try (ServerSocket socket = new ServerSocket(0)) {
      port = socket.getLocalPort();
    }
    PodSandboxConfig pod =
        node.pod("cni")
            .addPortMappings(PortMapping.newBuilder().setContainerPort(80).setHostPort(port))
            .build();
    String podId = cri.runPod(pod);
    String container =
        cri.run(podId, node.container("web", "httpd", "-f", "-p", "80", "-h", "/www").build(), pod);

    String address = cri.podStatus(podId).getNetwork().getIp();
    assertThat(address).startsWith(node.externalPrefix());
    assertThat(cri.output(container, "ip", "addr", "show", "eth0")).contains(address);
    assertThat(MainPathIT.get("http://" + address + "/")).isEqualTo("hello from the pod\n");
    assertThat(MainPathIT.get("http://127.0.0.1:" + port + "/")).isEqualTo("hello from the pod\n");
    assertThat(reserved(address)).exists();

    cri.stopPod(podId);
    assertThat(reserved(address)).doesNotExist();
    cri.removePod(podId);
  }

  @Test
  void anAddressIsGivenBackThoughDaemonAndNamespaceAreGone() throws Exception {
    // The reference bridge leaves its masquerade rules behind when the namespace is gone.
    useReferencePlugins(false);
    Cri cri = node.cri();
    String podId = cri.runPod(node.pod("lost").build());
    String address = cri.podStatus(podId).getNetwork().getIp();
    node.daemon().kill();
    Path netns = node.base().resolve("netns/keelson-" + podId);
    Shell.output("umount", "-l", netns.toString());
    Files.delete(netns);
    node.daemon().start();
    cri.reconnect();

    cri.stopPod(podId);
    cri.removePod(podId);
    assertThat(reserved(address)).doesNotExist();
  }

  @Test
  void podsOfTheBuiltInNetworkAreTakenDownAfterPluginsHaveCome() throws Exception {
    Cri cri = node.cri();
    String builtIn = cri.runPod(node.pod("built-in").build());
    assertThat(cri.podStatus(builtIn).getNetwork().getIp()).startsWith(node.ipv4Prefix());
    useReferencePlugins();
    String external = cri.runPod(node.pod("external").build());
    assertThat(cri.podStatus(external).getNetwork().getIp()).startsWith(node.externalPrefix());

    cri.removePod(builtIn);
    Files.delete(configuration);
    cri.removePod(external);
  }

  @Test
  void aPluginThatHangsIsKilledAndNamed() throws Exception {
    usePlugin("hangs", "sleep 600");
    long begin = System.nanoTime();
    Failures.Outcome outcome = Failures.of(() -> node.cri().runPod(node.pod("hangs").build()));
    assertThat(outcome.code()).isNotEqualTo(Status.Code.OK);
    assertThat(outcome.message()).contains("hangs");
    assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Patience.ofSeconds(60));
  }

  @Test
  void aPluginThatPrintsRubbishIsNamed() throws Exception {
    usePlugin("babbles", "echo '{\"cniVersion\": \"1.0.0\", \"ips\": 7, what?'");
    Failures.Outcome outcome = Failures.of(() -> node.cri().runPod(node.pod("babbles").build()));
    assertThat(outcome.code()).isNotEqualTo(Status.Code.OK);
    assertThat(outcome.message()).contains("babbles");
  }

  @Test
  void aPluginThatPrintsWithoutEndIsStopped() throws Exception {
    usePlugin("floods", "exec cat /dev/zero");
    Failures.Outcome outcome = Failures.of(() -> node.cri().runPod(node.pod("floods").build()));
    assertThat(outcome.code()).isNotEqualTo(Status.Code.OK);
    assertThat(node.cri().version()).isEqualTo("keelson");
  }

  @Test
  void aPluginsOwnErrorIsPassedOn() throws Exception {
    usePlugin(
        "refuses",
        "echo '{\"cniVersion\":\"1.0.0\",\"code\":11,\"msg\":\"no addresses in the cellar\"}'; exit"
            + " 1");
    Failures.Outcome outcome = Failures.of(() -> node.cri().runPod(node.pod("refuses").build()));
    assertThat(outcome.message()).contains("refuses").contains("no addresses in the cellar");
  }

  @Test
  void aPluginThatIsMissingIsNamedInTheErrorAndInTheCondition() throws Exception {
    configure("{\"type\": \"not-installed\"}");
    Failures.Outcome outcome = Failures.of(() -> node.cri().runPod(node.pod("missing").build()));
    assertThat(outcome.code()).isNotEqualTo(Status.Code.OK);
    assertThat(outcome.message()).contains("not-installed");
  }

  @Test
  void aConfigurationThatIsRubbishMakesTheNetworkNotReady() throws Exception {
    Files.writeString(configuration, "{\"name\": \"broken\", ");
    awaitNetwork(false);
    Files.delete(configuration);
    awaitNetwork(true);
    assertThat(node.cri().runPod(node.pod("again").build())).isNotEmpty();
  }

  private static void awaitNetwork(boolean ready) {
    Waits.until(() -> network().getStatus() == ready, "network " + (ready ? "ready" : "not ready"));
  }

  private static RuntimeCondition network() {
    return node
        .cri()
        .runtime()
        .status(StatusRequest.getDefaultInstance())
        .getStatus()
        .getConditionsList()
        .stream()
        .filter(condition -> condition.getType().equals("NetworkReady"))
        .findAny()
        .orElseThrow();
  }

  private Path reserved(String address) {
    return node.base().resolve("ipam/test").resolve(address);
  }

  private void useReferencePlugins() throws IOException {
    useReferencePlugins(true);
  }

  private void useReferencePlugins(boolean masquerade) throws IOException {
    configure(
        """
        {"type": "bridge", "bridge": "%sx", "isGateway": true, "ipMasq": %s, "hairpinMode": true,
         "ipam": {"type": "host-local", "dataDir": "%s",
                  "ranges": [[{"subnet": "%s.0.0/24"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
        {"type": "portmap", "capabilities": {"portMappings": true}, "snat": true}
        """
            .formatted(
                node.bridge(), masquerade, node.base().resolve("ipam"), node.externalPrefix()));
  }

  /** A plugin that does this for ADD; DEL is always fine. */
  private void usePlugin(String name, String add) throws IOException {
    Path plugin = node.base().resolve("plugins").resolve(name);
    Files.writeString(
        plugin,
        """
        #!/bin/sh
        case $CNI_COMMAND in
          VERSION) echo '{"cniVersion":"1.0.0","supportedVersions":["0.4.0","1.0.0"]}' ;;
          ADD) %s ;;
        esac
        """
            .formatted(add));
    Files.setPosixFilePermissions(plugin, PosixFilePermissions.fromString("rwxr-xr-x"));
    configure("{\"type\": \"" + name + "\"}");
  }

  private void configure(String plugins) throws IOException {
    Path draft = node.base().resolve("draft.conflist");
    Files.writeString(
        draft, "{\"cniVersion\": \"1.0.0\", \"name\": \"test\", \"plugins\": [" + plugins + "]}");
    change("pods join the CNI network test", () -> Files.move(draft, configuration));
  }

  private interface Change {
    void make() throws IOException;
  }

  /** Changes of the folder are seen soon, and then the daemon says so. */
  private static void change(String said, Change change) throws IOException {
    int before = node.daemon().log().length();
    change.make();
    Waits.until(() -> node.daemon().log().substring(before).contains(said), said);
  }
}
