package io.keelson.integration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.keelson.integration.harness.Cri;
import io.keelson.integration.harness.DyingDaemon;
import io.keelson.integration.harness.Shell;
import io.keelson.integration.harness.TestDaemon;
import io.keelson.integration.harness.TestNode;
import io.keelson.proto.cri.v1.ContainerConfig;
import io.keelson.proto.cri.v1.Int64Value;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import io.keelson.proto.node.v1.NodeDevice;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The built-in plugins: interfaces that always come home, and device nodes of a real host. */
class BuiltInDevicesIT {

  private static final String REQUEST = "devices.keelson.io/request";

  @RegisterExtension static final TestNode node = TestNode.bare();

  private static final DyingDaemon daemon = new DyingDaemon(node);

  private static final String NIC = "kn" + ProcessHandle.current().pid() % 100_000;
  private static final String PEER = NIC + "p";
  private static final String TAP = NIC + "t";
  private static final String MAC = "02:6b:65:65:6c:01";

  @BeforeAll
  static void start() throws Exception {
    Path definitions = node.folder("devices.d");
    Path dev = Files.createDirectories(node.base().resolve("tree/dev"));
    for (int gpu = 0; gpu < 2; gpu++) {
      Path folder = node.base().resolve("tree/proc/driver/nvidia/gpus/0000:0" + gpu + ":00.0");
      Files.createDirectories(folder);
      Files.writeString(
          folder.resolve("information"),
          "Model: H100\nGPU UUID: GPU-" + gpu + "\nDevice Minor: " + gpu + "\n");
      Shell.output("mknod", dev.resolve("nvidia" + gpu).toString(), "c", "511", "" + (100 + gpu));
    }
    Shell.output("mknod", dev.resolve("nvidiactl").toString(), "c", "511", "255");
    Files.writeString(
        definitions.resolve("test.toml"),
        """
        [[gpu]]
        vendors = ["nvidia"]
        root = "%s"

        [[nic]]
        resource = "nic.keelson.io/fast"
        parents = ["%s"]
        name = "fast%%d"
        addresses = ["192.168.77.5/24"]

        [[nic]]
        resource = "nic.keelson.io/tap"
        parents = ["%s"]

        [[nic]]
        resource = "nic.keelson.io/shared"
        kind = "macvlan"
        parents = ["%s"]
        count = 2
        """
            .formatted(node.base().resolve("tree"), NIC, TAP, PEER));
    node.set("devices.definitions_dir", "\"" + definitions + "\"");
    node.set("devices.owners_from_user", "true");
    node.set("devices.cdi_dirs", "[\"" + node.base().resolve("cdi") + "\"]");
    node.writeConfiguration();
    node.start();
  }

  @BeforeEach
  void makeInterface() {
    Shell.output("ip", "link", "add", NIC, "type", "veth", "peer", PEER);
    Shell.output("ip", "link", "set", NIC, "address", MAC, "mtu", "1400", "alias", "uplink");
    Shell.output("ip", "link", "set", NIC, "up");
    Shell.output("ip", "link", "set", PEER, "up");
    Shell.output("ip", "addr", "add", "192.168.76.2/24", "dev", NIC);
    Shell.output("ip", "route", "add", "198.18.0.0/24", "via", "192.168.76.1", "dev", NIC);
    // The plugin looks at the host every two seconds.
    Waits.until(
        () ->
            Stream.of("nic.keelson.io/fast", "nic.keelson.io/shared")
                .map(resource -> node.cri().devicesOf(resource))
                .allMatch(devices -> devices.stream().anyMatch(NodeDevice::getHealthy)),
        "the interfaces are seen");
  }

  @AfterEach
  void deleteInterface() {
    Shell.run(java.util.List.of("ip", "link", "delete", PEER));
  }

  @AfterAll
  static void noInterfaceIsLeft() {
    assertThat(Shell.output("ip", "-br", "link")).doesNotContain(NIC);
  }

  @Test
  void anInterfaceIsLentUnderTheNameAskedForAndComesHomeAsItWas() throws Exception {
    Cri cri = node.cri();
    PodSandboxConfig pod =
        node.pod("fast").putAnnotations(REQUEST, "nic.keelson.io/fast=1").build();
    String podId = cri.runPod(pod);
    String container = cri.run(podId, node.sleeper("main").build(), pod);

    String inside = cri.output(container, "ip", "addr", "show", "fast0");
    assertThat(inside).contains(MAC, "192.168.77.5/24", "UP").doesNotContain("192.168.76.2");
    assertThat(Shell.output("ip", "-br", "link")).doesNotContain(NIC + "@");
    assertThatThrownBy(
            () ->
                cri.runPod(
                    node.pod("late").putAnnotations(REQUEST, "nic.keelson.io/fast=1").build()))
        .hasMessageContaining("RESOURCE_EXHAUSTED")
        .hasMessageContaining(NIC + " by it/fast");
    cri.stopPod(podId);
    assertIsHome();
  }

  @Test
  void aContainersInterfaceComesHomeWhenItIsRemoved() throws Exception {
    Cri cri = node.cri();
    PodSandboxConfig pod = node.pod("own").build();
    String podId = cri.runPod(pod);
    String container =
        cri.run(
            podId,
            node.sleeper("main").putAnnotations(REQUEST, "nic.keelson.io/fast=1").build(),
            pod);
    assertThat(cri.output(container, "ip", "link", "show", "fast0")).contains(MAC);
    cri.stop(container, 0);
    cri.remove(container);
    assertIsHome();
  }

  /** What a virtual machine or a VPN has. */
  @Test
  void aTapIsLentAndComesHome() throws Exception {
    Cri cri = node.cri();
    Shell.output("ip", "tuntap", "add", TAP, "mode", "tap");
    try {
      Shell.output("ip", "link", "set", TAP, "mtu", "1300", "up");
      Shell.output("ip", "addr", "add", "192.168.75.2/24", "dev", TAP);
      Waits.until(
          () -> cri.devicesOf("nic.keelson.io/tap").stream().allMatch(NodeDevice::getHealthy),
          "the tap is seen");
      PodSandboxConfig pod =
          node.pod("tap").putAnnotations(REQUEST, "nic.keelson.io/tap=1").build();
      String podId = cri.runPod(pod);
      String container = cri.run(podId, node.sleeper("main").build(), pod);
      assertThat(cri.output(container, "ip", "addr", "show", "net0"))
          .contains("mtu 1300")
          .doesNotContain("192.168.75.2");
      cri.removePod(podId);
      assertThat(Shell.output("ip", "addr", "show", TAP)).contains("mtu 1300", "192.168.75.2/24");
      assertThat(node.root().resolve("devices/nics")).isEmptyDirectory();
    } finally {
      Shell.run(java.util.List.of("ip", "link", "delete", TAP));
    }
  }

  @Test
  void childrenOfOneParentGoToSeveralPods() throws Exception {
    Cri cri = node.cri();
    for (String name : new String[] {"one", "two"}) {
      PodSandboxConfig pod =
          node.pod(name).putAnnotations(REQUEST, "nic.keelson.io/shared=1").build();
      String podId = cri.runPod(pod);
      String container = cri.run(podId, node.sleeper("main").build(), pod);
      assertThat(cri.output(container, "ip", "link", "show", "net0")).contains("UP");
    }
    assertThatThrownBy(
            () ->
                cri.runPod(
                    node.pod("three").putAnnotations(REQUEST, "nic.keelson.io/shared=1").build()))
        .hasMessageContaining("RESOURCE_EXHAUSTED");
  }

  static Stream<Arguments> pointsOfALoan() throws IOException {
    return DyingDaemon.points(Path.of("../device-plugins/src/main/java/io/keelson/device/nic"))
        .flatMap(point -> Stream.of(arguments(point, "the pod"), arguments(point, "a container")));
  }

  /** O6: after a crash it is found and restored, wherever it is, and can be lent again. */
  @ParameterizedTest
  @MethodSource("pointsOfALoan")
  void itComesHomeWhereverTheDaemonDies(String point, String borrower) throws Exception {
    Cri cri = node.cri();
    PodSandboxConfig.Builder pod = node.pod("dies");
    ContainerConfig.Builder main = node.sleeper("main");
    if (borrower.equals("the pod")) {
      pod.putAnnotations(REQUEST, "nic.keelson.io/fast=1");
    } else {
      main.putAnnotations(REQUEST, "nic.keelson.io/fast=1");
    }
    daemon.dieAt(point);
    String podId = survive(() -> cri.runPod(pod.build()));
    String container = survive(() -> cri.create(podId, main.build(), pod.build()));
    cri.start(container);
    assertThat(cri.output(container, "ip", "addr", "show", "fast0"))
        .contains(MAC, "192.168.77.5/24", "UP");
    survive(
        () -> {
          cri.stop(container, 0);
          cri.remove(container);
          return container;
        });
    survive(
        () -> {
          cri.stopPod(podId);
          return podId;
        });
    assertIsHome();
    assertThat(daemon.hasDied()).as("the daemon has died at " + point).isTrue();
  }

  /** As the daemon serves again, before anybody asks for anything again, it is home. */
  private static String survive(Callable<String> call) throws Exception {
    boolean hadDied = daemon.hasDied();
    return daemon.survive(
        () -> {
          if (!hadDied && daemon.hasDied()) {
            assertIsHome();
          }
          return call.call();
        });
  }

  @Test
  void aLentInterfaceStaysInItsPodWhileTheDaemonIsAway() throws Exception {
    Cri cri = node.cri();
    PodSandboxConfig pod =
        node.pod("stays").putAnnotations(REQUEST, "nic.keelson.io/fast=1").build();
    String podId = cri.runPod(pod);
    String container = cri.run(podId, node.sleeper("main").build(), pod);
    node.killAndStart();
    assertThat(cri.output(container, "ip", "link", "show", "fast0")).contains(MAC);
    cri.stopPod(podId);
    assertIsHome();
  }

  @Test
  void aContainerSeesItsOwnGpuAndNoOther() throws Exception {
    Cri cri = node.cri();
    PodSandboxConfig pod = node.pod("gpus").build();
    String podId = cri.runPod(pod);
    String container =
        cri.run(
            podId,
            node.sleeper("main")
                .putAnnotations(REQUEST, "nvidia.com/gpu=pci:0000:01:00.0")
                .putAnnotations("devices.keelson.io/owner", "1000:44")
                .putAnnotations("devices.keelson.io/mode", "0640")
                .build(),
            pod);
    assertThat(cri.output(container, "ls", "-ln", "/dev"))
        .contains("nvidia1", "nvidiactl")
        .doesNotContain("nvidia0");
    assertThat(cri.output(container, "ls", "-ln", "/dev/nvidia1"))
        .startsWith("crw-r-----")
        .contains("1000     44");
    var _ = cri.exec(container, "mknod", "/tmp/other", "c", "511", "100");
    assertThat(cri.exec(container, "cat", "/tmp/other").getStderr().toStringUtf8())
        .contains("Operation not permitted");
  }

  /** As {@code devices.owners_from_user} says; an annotation of the pod is for one container. */
  @Test
  void nodesBelongToTheContainersUser() throws Exception {
    Cri cri = node.cri();
    PodSandboxConfig pod =
        node.pod("user").putAnnotations(REQUEST + ".main", "nvidia.com/gpu=1").build();
    String podId = cri.runPod(pod);
    ContainerConfig.Builder main = node.sleeper("main");
    main.getLinuxBuilder()
        .getSecurityContextBuilder()
        .setRunAsUser(Int64Value.newBuilder().setValue(1234))
        .setRunAsGroup(Int64Value.newBuilder().setValue(55));
    String container = cri.run(podId, main.build(), pod);
    assertThat(cri.output(container, "ls", "-ln", "/dev/nvidiactl")).contains(" 1234     55 ");
    Shell.Result attached =
        Shell.run(node.keelson("devices", "attach", container, "nvidia.com/gpu=1"));
    assertThat(attached.exitCode()).as(attached.output()).isZero();
    assertThat(cri.output(container, "ls", "-ln", "/dev/nvidia1")).contains(" 1234     55 ");
    String side = cri.run(podId, node.sleeper("side").build(), pod);
    assertThat(cri.output(side, "ls", "/dev")).doesNotContain("nvidia");
  }

  /** What the built-in plugins offer can be had by CDI names, too. */
  @Test
  void cdiSpecsOfTheGpusAreWrittenAndUsed() throws Exception {
    Cri cri = node.cri();
    String file = node.base().resolve("cdi/keelson-gpu-keelson-io-nvidia.json").toString();
    assertThat(
            Shell.output(
                TestDaemon.installation().resolve("bin/keelson").toString(),
                "--socket",
                node.socket().toString(),
                "devices",
                "cdi",
                "--write"))
        .contains("written: " + file)
        .containsPattern("gpu.keelson.io/nvidia=\\S+ +" + file);
    PodSandboxConfig pod = node.pod("cdi").build();
    String podId = cri.runPod(pod);
    String container =
        cri.run(
            podId,
            node.sleeper("main")
                .addCDIDevices(
                    io.keelson.proto.cri.v1.CDIDevice.newBuilder()
                        .setName("gpu.keelson.io/nvidia=GPU-0"))
                .build(),
            pod);
    assertThat(cri.output(container, "ls", "/dev"))
        .contains("nvidia0", "nvidiactl")
        .doesNotContain("nvidia1");
  }

  /** No allocator counts what a CDI spec names: who has it keeps it all the same. */
  @Test
  void anInterfaceOfACdiSpecIsLentToOnePodAtATime() throws Exception {
    Path spec = Files.createDirectories(node.base().resolve("cdi")).resolve("net.yaml");
    Files.writeString(
        spec,
        """
        cdiVersion: 1.1.0
        kind: vendor.example/net
        devices:
          - name: up
            containerEdits:
              netDevices: [{hostInterfaceName: %s, name: vendor0}]
        """
            .formatted(NIC));
    Cri cri = node.cri();
    ContainerConfig.Builder wants =
        node.sleeper("main")
            .addCDIDevices(
                io.keelson.proto.cri.v1.CDIDevice.newBuilder().setName("vendor.example/net=up"));
    try {
      PodSandboxConfig pod = node.pod("first").build();
      String container = cri.run(cri.runPod(pod), wants.build(), pod);
      PodSandboxConfig second = node.pod("second").build();
      String secondId = cri.runPod(second);
      assertThatThrownBy(() -> cri.run(secondId, wants.build(), second))
          .hasMessageContaining("FAILED_PRECONDITION")
          .hasMessageContaining("interface " + NIC + " is lent to pod sandbox");
      assertThat(cri.output(container, "ip", "link", "show", "vendor0")).contains(MAC);
      cri.stop(container, 0);
      cri.remove(container);
      assertIsHome();
    } finally {
      Files.delete(spec);
    }
  }

  /** There the OCI runtime can make no node, and binds the host's. */
  @Test
  void aPodWithAUserNamespaceOfItsOwnGetsDevicesToo() throws Exception {
    Cri cri = node.cri();
    PodSandboxConfig.Builder pod = node.pod("users");
    pod.getLinuxBuilder().getSecurityContextBuilder().setNamespaceOptions(TestNode.OWN_USERS);
    String podId = cri.runPod(pod.build());
    ContainerConfig.Builder config =
        node.sleeper("main").putAnnotations(REQUEST, "nvidia.com/gpu=1");
    config.getLinuxBuilder().getSecurityContextBuilder().setNamespaceOptions(TestNode.OWN_USERS);
    String container = cri.run(podId, config.build(), pod.build());
    assertThat(cri.output(container, "ls", "/dev"))
        .contains("nvidia0", "nvidiactl")
        .doesNotContain("nvidia1");
  }

  private static void assertIsHome() {
    String link = Shell.output("ip", "-d", "addr", "show", NIC);
    assertThat(link).contains(MAC, "mtu 1400", "alias uplink", "192.168.76.2/24", ",UP");
    assertThat(link).doesNotContain("192.168.77.5", "keelson:");
    assertThat(Shell.output("ip", "route")).contains("198.18.0.0/24 via 192.168.76.1 dev " + NIC);
    assertThat(node.root().resolve("devices/nics")).isEmptyDirectory();
  }
}
