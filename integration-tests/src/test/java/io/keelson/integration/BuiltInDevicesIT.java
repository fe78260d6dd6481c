package io.keelson.integration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.keelson.integration.harness.Cri;
import io.keelson.integration.harness.DyingDaemon;
import io.keelson.integration.harness.Shell;
import io.keelson.integration.harness.TestDaemon;
import io.keelson.integration.harness.TestImage;
import io.keelson.integration.harness.TestNode;
import io.keelson.proto.cri.v1.ContainerConfig;
import io.keelson.proto.cri.v1.Int64Value;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import io.keelson.proto.node.v1.AttachDevicesRequest;
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
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The built-in plugins: interfaces that always come home, and device nodes of a real host. */
class BuiltInDevicesIT {

  private static final String REQUEST = "devices.keelson.io/request";

  @RegisterExtension static final TestNode node = TestNode.bare();

  private static final DyingDaemon daemon = new DyingDaemon(node);

  private static final String NIC = "kn" + ProcessHandle.current().pid() % 100_000;
  private static final String PEER = NIC + "p";
  private static final String TAP = NIC + "t";
  private static final String LABELLED = "test.invalid/labelled:1";
  private static final String MAC = "02:6b:65:65:6c:01";

  private static final String MAY_OPEN = "No such device or address";
  private static final String MAY_NOT_OPEN = "Operation not permitted";

  private static Path tree;

  @BeforeAll
  static void start() throws Exception {
    Path definitions = node.folder("devices.d");
    tree = node.folder("tree");
    fillTree();
    Files.writeString(
        definitions.resolve("test.toml"),
        """
        [[gpu]]
        vendors = ["nvidia", "amd"]
        root = "%1$s"

        [[gpu]]
        vendors = ["intel"]
        root = "%1$s"
        shares = 2

        [[unix]]
        resource = "unix.keelson.io/disk"
        numbers = ["b 511:*"]
        root = "%1$s"

        [[nic]]
        resource = "nic.keelson.io/fast"
        parents = ["%2$s"]
        name = "fast%%d"
        addresses = ["192.168.77.5/24"]

        [[nic]]
        resource = "nic.keelson.io/tap"
        parents = ["%3$s"]

        [[nic]]
        resource = "nic.keelson.io/rdma"
        parents = ["%2$s"]
        root = "%1$s"

        [[nic]]
        resource = "nic.keelson.io/shared"
        kind = "macvlan"
        parents = ["%4$s"]
        shares = 2
        """
            .formatted(tree, NIC, TAP, PEER));
    node.set("devices.definitions_dir", "\"" + definitions + "\"");
    node.set("devices.owners_from_user", "true");
    node.set("devices.cdi_dirs", "[\"" + node.base().resolve("cdi") + "\"]");
    node.writeConfiguration();
    node.start();
  }

  /** Five cards, an InfiniBand adapter and a disk, with nodes that no driver answers for. */
  private static void fillTree() throws IOException {
    for (int gpu = 0; gpu < 3; gpu++) {
      write(
          "proc/driver/nvidia/gpus/0000:0" + gpu + ":00.0/information",
          "Model: H100\nGPU UUID: GPU-" + gpu + "\nDevice Minor: " + gpu + "\n");
      make("dev/nvidia" + gpu, 'c', 100 + gpu);
    }
    for (int instance = 1; instance < 3; instance++) {
      String folder = "proc/driver/nvidia/capabilities/gpu2/mig/gi" + instance;
      write(folder + "/access", "DeviceFileMinor: " + instance + "0\n");
      write(folder + "/ci0/access", "DeviceFileMinor: " + instance + "1\n");
      make("dev/nvidia-caps/nvidia-cap" + instance + "0", 'c', 110 + instance * 10);
      make("dev/nvidia-caps/nvidia-cap" + instance + "1", 'c', 111 + instance * 10);
    }
    make("dev/nvidiactl", 'c', 255);
    make("dev/nvidia-uvm-tools", 'c', 254);
    make("dev/nvidia-modeset", 'c', 253);
    write("usr/lib64/libcuda.so.1", "library");
    write("usr/bin/nvidia-smi", "program");
    for (int card = 0; card < 4; card++) {
      String device = "sys/class/drm/card" + card + "/device/";
      write(device + "vendor", card < 2 ? "0x1002" : "0x8086");
      write(device + "uevent", "PCI_SLOT_NAME=0000:4" + card + ":00.0\n");
      Files.createDirectories(tree.resolve(device + "drm/renderD" + (128 + card)));
      make("dev/dri/card" + card, 'c', 140 + card);
      make("dev/dri/renderD" + (128 + card), 'c', 150 + card);
    }
    make("dev/kfd", 'c', 160);
    Files.createDirectories(
        tree.resolve("sys/class/net/" + NIC + "/device/infiniband_verbs/uverbs1"));
    make("dev/infiniband/uverbs0", 'c', 170);
    make("dev/infiniband/uverbs1", 'c', 171);
    make("dev/infiniband/rdma_cm", 'c', 172);
    make("dev/disk/plate", 'b', 180);
  }

  private static void write(String path, String text) throws IOException {
    Path file = tree.resolve(path);
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
  }

  private static void make(String path, char type, int minor) throws IOException {
    Path device = tree.resolve(path);
    Files.createDirectories(device.getParent());
    Shell.output("mknod", device.toString(), "" + type, "511", "" + minor);
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
      String link = cri.output(container, "ip", "link", "show", "net0");
      assertThat(link).contains("UP").doesNotContain(macOf(PEER));
    }
    assertThat(cri.devicesOf("nic.keelson.io/shared"))
        .extracting(NodeDevice::getId, device -> device.getHolder().getPodName())
        .containsExactly(tuple(PEER + "::0", "one"), tuple(PEER + "::1", "two"));
    assertThatThrownBy(
            () ->
                cri.runPod(
                    node.pod("three").putAnnotations(REQUEST, "nic.keelson.io/shared=1").build()))
        .hasMessageContaining("RESOURCE_EXHAUSTED");
  }

  private static String macOf(String link) throws IOException {
    return Files.readString(Path.of("/sys/class/net", link, "address")).strip();
  }

  static Stream<Arguments> pointsOfALoan() throws IOException {
    return DyingDaemon.points(Path.of("../device-plugins/src/main/java/io/keelson/device/nic"))
        .flatMap(
            point ->
                Stream.of("the pod", "a container", "a container that runs")
                    .map(borrower -> arguments(point, borrower)));
  }

  /** O6: after a crash it is found and restored, wherever it is, and can be lent again. */
  @ParameterizedTest
  @MethodSource("pointsOfALoan")
  void itComesHomeWhereverTheDaemonDies(String point, String borrower) throws Exception {
    Cri cri = node.cri();
    PodSandboxConfig.Builder pod = node.pod("dies");
    ContainerConfig.Builder main = node.sleeper("main");
    switch (borrower) {
      case "the pod" -> pod.putAnnotations(REQUEST, "nic.keelson.io/fast=1");
      case "a container" -> main.putAnnotations(REQUEST, "nic.keelson.io/fast=1");
      default -> {}
    }
    daemon.dieAt(point);
    String podId = survive(() -> cri.runPod(pod.build()));
    String container = survive(() -> cri.create(podId, main.build(), pod.build()));
    cri.start(container);
    if (borrower.equals("a container that runs")) {
      survive(
          () ->
              cri.devices()
                  .attach(
                      AttachDevicesRequest.newBuilder()
                          .setContainerId(container)
                          .setRequest("nic.keelson.io/fast=1")
                          .build())
                  .getAttached(0)
                  .getDeviceIds(0));
    }
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

  /** Its character devices may be opened, those of other adapters not. */
  @Test
  void anInfinibandAdapterComesWithItsNodes() throws Exception {
    Cri cri = node.cri();
    String container = run("rdma", "nic.keelson.io/rdma=1");
    assertThat(cri.output(container, "ip", "link", "show", "net0")).contains(MAC);
    assertThat(cri.output(container, "ls", "/dev/infiniband").split("\n"))
        .containsExactlyInAnyOrder("uverbs1", "rdma_cm");
    assertThat(open(container, "/dev/infiniband/uverbs1")).contains(MAY_OPEN);
    assertThat(open(container, "/dev/infiniband/rdma_cm")).contains(MAY_OPEN);
    assertThat(openRemade(container, 170)).contains(MAY_NOT_OPEN);
    node.removeAllPods();
    assertIsHome();
  }

  @Test
  void aBlockDeviceIsGivenByItsNumber() throws Exception {
    String container = run("disk", "unix.keelson.io/disk=id:disk-plate");
    assertThat(node.cri().output(container, "ls", "-l", "/dev/disk/plate"))
        .matches("b.* 511, +180 .*");
    assertThat(open(container, "/dev/disk/plate")).contains(MAY_OPEN);
  }

  /** A part of one, too. */
  @ParameterizedTest
  @CsvSource({
    "nvidia.com/gpu=mig:2/0, /dev/nvidia2 /dev/nvidia-caps/nvidia-cap20"
        + " /dev/nvidia-caps/nvidia-cap21 /dev/nvidiactl, 100 120 121",
    "amd.com/gpu=pci:0000:41:00.0, /dev/dri/card1 /dev/dri/renderD129 /dev/kfd, 140 150 142 152",
    "gpu.intel.com/i915=card:card3, /dev/dri/card3 /dev/dri/renderD131, 142 152 140 150 160",
  })
  void aContainerOpensItsOwnCardAndNoOther(String request, String own, String others)
      throws Exception {
    Cri cri = node.cri();
    String container = run("card", request);
    String folder = own.split(" ", -1)[1].replaceFirst("/[^/]*$", "");
    assertThat(cri.output(container, "ls", folder).split("\n"))
        .containsExactlyInAnyOrder(
            Stream.of(own.split(" ", -1))
                .filter(path -> path.startsWith(folder + "/"))
                .map(path -> path.substring(folder.length() + 1))
                .toArray(String[]::new));
    for (String path : own.split(" ", -1)) {
      assertThat(open(container, path)).as(path).contains(MAY_OPEN);
    }
    for (String minor : others.split(" ", -1)) {
      assertThat(openRemade(container, Integer.parseInt(minor))).as(minor).contains(MAY_NOT_OPEN);
    }
  }

  @Test
  void aSharedGpuHasSeveralHoldersAtOnce() throws Exception {
    String request = "gpu.intel.com/i915=pci:0000:42:00.0";
    String one = run("one", request);
    String two = run("two", request);
    assertThat(open(one, "/dev/dri/card2")).contains(MAY_OPEN);
    assertThat(open(two, "/dev/dri/card2")).contains(MAY_OPEN);
    assertThat(Shell.output(node.keelson("devices").toArray(String[]::new)))
        .containsPattern("i915 +0000:42:00.0::0 +healthy +- +it/one/main ")
        .containsPattern("i915 +0000:42:00.0::1 +healthy +- +it/two/main ")
        .containsPattern("i915 +0000:43:00.0::0 +healthy +- +- +card:card3 ");
    assertThatThrownBy(() -> run("three", request))
        .hasMessageContaining("RESOURCE_EXHAUSTED")
        .hasMessageContaining("0000:42:00.0::1 by it/two/main");
  }

  /** The driver's files are of the host: nobody writes there. */
  @Test
  void theDriversFilesAreMountedForImagesThatAskForThem() throws Exception {
    Cri cri = node.cri();
    Path archive = node.base().resolve("labelled.tar");
    cri.importImage(
        TestImage.busybox(
                "{\"Env\":[\"PATH=/bin\"],\"Labels\":{\"com.nvidia.volumes.needed\":\"nvidia_driver\"}}")
            .writeDockerArchive(archive, LABELLED),
        "");
    Files.delete(archive);
    PodSandboxConfig pod = node.pod("libraries").build();
    String podId = cri.runPod(pod);
    ContainerConfig.Builder config =
        node.sleeper("with").putAnnotations(REQUEST, "nvidia.com/gpu=uuid:GPU-0");
    config.getImageBuilder().setImage(LABELLED);
    String with = cri.run(podId, config.build(), pod);
    assertFilesOfTheDriver(with);
    assertThat(cri.output(with, "ls", "/dev"))
        .contains("nvidiactl", "nvidia-uvm-tools", "nvidia-modeset");
    assertThat(open(with, "/dev/nvidia-uvm-tools")).contains(MAY_OPEN);
    assertThat(open(with, "/dev/nvidia-modeset")).contains(MAY_OPEN);

    String without =
        cri.run(
            podId,
            node.sleeper("without").putAnnotations(REQUEST, "nvidia.com/gpu=uuid:GPU-1").build(),
            pod);
    assertThat(cri.exec(without, "ls", "/usr/local/nvidia").getExitCode()).isNotZero();
  }

  private static void assertFilesOfTheDriver(String container) {
    Cri cri = node.cri();
    assertThat(cri.output(container, "cat", "/usr/local/nvidia/lib64/libcuda.so.1"))
        .isEqualTo("library");
    for (String file : new String[] {"lib64/libcuda.so.1", "bin/nvidia-smi"}) {
      assertThat(
              cri.exec(container, "sh", "-c", "echo >/usr/local/nvidia/" + file)
                  .getStderr()
                  .toStringUtf8())
          .contains("Read-only file system");
    }
  }

  private static String run(String name, String request) throws Exception {
    PodSandboxConfig pod = node.pod(name).build();
    String podId = node.cri().runPod(pod);
    ContainerConfig config = node.sleeper("main").putAnnotations(REQUEST, request).build();
    return node.cri().run(podId, config, pod);
  }

  private static String open(String container, String path) {
    return node.cri().exec(container, "cat", path).getStderr().toStringUtf8();
  }

  /** What a container hears that makes itself the node of another device. */
  private static String openRemade(String container, int minor) {
    String path = "/tmp/other" + minor;
    var _ = node.cri().exec(container, "mknod", path, "c", "511", "" + minor);
    return open(container, path);
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
    ContainerConfig.Builder config = node.sleeper("main");
    for (String name :
        new String[] {
          "nvidia=GPU-0", "nvidia=GPU-2.1.0", "amd=0000:41:00.0", "intel=0000:42:00.0"
        }) {
      config.addCDIDevices(
          io.keelson.proto.cri.v1.CDIDevice.newBuilder().setName("gpu.keelson.io/" + name));
    }
    String container = cri.run(podId, config.build(), pod);
    assertThat(cri.output(container, "ls", "/dev"))
        .contains("nvidia0", "nvidia2", "nvidiactl", "kfd")
        .doesNotContain("nvidia1");
    assertThat(cri.output(container, "ls", "/dev/dri", "/dev/nvidia-caps").split("\n"))
        .contains("card1", "card2", "renderD129", "renderD130", "nvidia-cap10", "nvidia-cap11")
        .doesNotContain("card0", "card3", "nvidia-cap20");
    assertFilesOfTheDriver(container);
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
    assertThat(open(container, "/dev/nvidia0")).contains(MAY_OPEN);
  }

  private static void assertIsHome() {
    String link = Shell.output("ip", "-d", "addr", "show", NIC);
    assertThat(link).contains(MAC, "mtu 1400", "alias uplink", "192.168.76.2/24", ",UP");
    assertThat(link).doesNotContain("192.168.77.5", "keelson:");
    assertThat(Shell.output("ip", "route")).contains("198.18.0.0/24 via 192.168.76.1 dev " + NIC);
    assertThat(node.root().resolve("devices/nics")).isEmptyDirectory();
  }
}
