package io.keelson.integration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keelson.integration.harness.Cri;
import io.keelson.integration.harness.Qemu;
import io.keelson.integration.harness.TestNode;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import io.keelson.proto.node.v1.AttachDevicesRequest;
import io.keelson.proto.node.v1.DetachDevicesRequest;
import io.keelson.proto.node.v1.NodeDevice;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** USB hardware that is really plugged in and out while containers run. */
class UsbVM {

  private static final String REQUEST = "devices.keelson.io/request";
  private static final String STICK = "usb.keelson.io/stick";
  private static final String ADAPTER = "usb.keelson.io/adapter";
  private static final String STICK_SERIAL = "KEELSON0815";
  private static final String ADAPTER_SERIAL = "KEELSON4711";

  @RegisterExtension static final TestNode node = TestNode.bare();

  private static Qemu qemu;

  @BeforeAll
  static void start() throws Exception {
    qemu = Qemu.connect();
    Path definitions = node.folder("devices.d");
    Files.writeString(
        definitions.resolve("usb.toml"),
        """
        [[usb]]
        resource = "%s"
        serial = "%s"

        [[usb]]
        resource = "%s"
        vendor = "0403"
        product = "6001"
        """
            .formatted(STICK, STICK_SERIAL, ADAPTER));
    node.set("devices.definitions_dir", "\"" + definitions + "\"");
    node.set("devices.look_interval", "\"1h\""); // the kernel tells
    node.writeConfiguration();
    node.start();
  }

  @AfterEach
  void plugOut() throws IOException {
    qemu.plugOutAll();
  }

  @AfterAll
  static void close() throws IOException {
    qemu.close();
  }

  private static void plugInStick(int port) throws IOException {
    qemu.plugIn(
        "stick",
        "usb-storage",
        Map.of("bus", "usb.0", "port", "" + port, "drive", "stick", "serial", STICK_SERIAL));
  }

  private static void plugInAdapter(int port) throws IOException {
    qemu.plugIn(
        "adapter",
        "usb-serial",
        Map.of(
            "bus",
            "usb.0",
            "port",
            "" + port,
            "chardev",
            "nothing",
            "always-plugged",
            true,
            "serial",
            ADAPTER_SERIAL));
  }

  @Test
  void aStickThatComesBackUnderAnotherNumberIsInItsContainerAgain() throws Exception {
    Cri cri = node.cri();
    plugInStick(1);
    NodeDevice device = awaitHealthy(STICK);
    PodSandboxConfig pod = node.pod("stick").build();
    String podId = cri.runPod(pod);
    String holder =
        cri.run(
            podId,
            node.sleeper("holder")
                .putAnnotations(REQUEST, STICK + "=serial:" + STICK_SERIAL)
                .build(),
            pod);
    String other = cri.run(podId, node.sleeper("other").build(), pod);

    Path disk = awaitDisk();
    Path bus = busNode(STICK_SERIAL);
    Waits.until(() -> has(holder, disk) && has(holder, bus), "disk and bus node are in it");
    write(holder, disk, "ours");
    assertThat(has(other, disk)).isFalse();
    assertThat(openAsNode(other, disk)).contains("Operation not permitted");

    qemu.plugOut("stick");
    Waits.until(() -> !has(holder, disk) && !has(holder, bus), "disk and bus node have gone");
    Waits.until(() -> !devices(STICK).getFirst().getHealthy(), "it is known to be away");
    assertThatThrownBy(
            () ->
                cri.run(
                    podId, node.sleeper("late").putAnnotations(REQUEST, STICK + "=1").build(), pod))
        .hasMessageContaining("RESOURCE_EXHAUSTED");

    plugInStick(2);
    Path diskAgain = awaitDisk();
    Path busAgain = busNode(STICK_SERIAL);
    assertThat(busAgain).isNotEqualTo(bus);
    Waits.until(() -> has(holder, diskAgain) && has(holder, busAgain), "both are back");
    assertThat(cri.output(holder, "head", "-c", "4", diskAgain.toString())).isEqualTo("ours");
    assertThat(openAsNode(other, diskAgain)).contains("Operation not permitted");
    assertThat(awaitHealthy(STICK).getId()).isEqualTo(device.getId());
    assertThat(devices(STICK)).hasSize(1);
  }

  @Test
  void anAdapterIsPluggedIntoAndOutOfAContainerThatRuns() throws Exception {
    Cri cri = node.cri();
    PodSandboxConfig pod = node.pod("adapter").build();
    String container = cri.run(cri.runPod(pod), node.sleeper("main").build(), pod);
    Path terminal = Path.of("/dev/ttyUSB0");

    plugInAdapter(3);
    NodeDevice device = awaitHealthy(ADAPTER);
    Waits.until(() -> Files.exists(terminal), "the host has a terminal");
    assertThat(has(container, terminal)).isFalse();
    attach(container);
    Waits.until(() -> has(container, terminal), "so has the container");
    Waits.until(() -> settings(container, terminal).contains("baud"), "it may be used");

    qemu.plugOut("adapter");
    Waits.until(() -> !has(container, terminal), "it is out");
    plugInAdapter(4);
    Waits.until(() -> settings(container, terminal).contains("baud"), "it is in again");
    assertThat(awaitHealthy(ADAPTER).getId()).isEqualTo(device.getId());

    String node = openAsNode(container, terminal);
    assertThat(node).doesNotContain("Operation not permitted");
    var _ =
        cri.devices()
            .detach(
                DetachDevicesRequest.newBuilder()
                    .setContainerId(container)
                    .setResource(ADAPTER)
                    .build());
    assertThat(has(container, terminal)).isFalse();
    assertThat(openAsNode(container, terminal)).contains("Operation not permitted");
    assertThat(cri.exec(container, "head", "-c", "1", "/dev/zero").getExitCode()).isZero();
  }

  private static void attach(String container) {
    var _ =
        node.cri()
            .devices()
            .attach(
                AttachDevicesRequest.newBuilder()
                    .setContainerId(container)
                    .setRequest(ADAPTER + "=1")
                    .build());
  }

  private static List<NodeDevice> devices(String resource) {
    return node.cri().devicesOf(resource);
  }

  private static NodeDevice awaitHealthy(String resource) {
    Waits.until(
        () -> devices(resource).stream().anyMatch(NodeDevice::getHealthy), resource + " is there");
    return devices(resource).getFirst();
  }

  /** The only disk behind SCSI. */
  private static Path awaitDisk() throws IOException {
    Waits.until(() -> disks().size() == 1, "the host has the disk");
    return Path.of("/dev", disks().getFirst());
  }

  private static List<String> disks() {
    String[] names = Path.of("/sys/block").toFile().list((_, name) -> name.startsWith("sd"));
    return names == null ? List.of() : List.of(names);
  }

  private static Path busNode(String serial) throws IOException {
    try (DirectoryStream<Path> devices =
        Files.newDirectoryStream(Path.of("/sys/bus/usb/devices"))) {
      for (Path device : devices) {
        if (Files.exists(device.resolve("serial"))
            && Files.readString(device.resolve("serial")).strip().equals(serial)) {
          return Path.of(
              "/dev/bus/usb/%03d/%03d"
                  .formatted(number(device.resolve("busnum")), number(device.resolve("devnum"))));
        }
      }
    }
    throw new AssertionError("no USB device says that its serial number is " + serial);
  }

  private static int number(Path file) throws IOException {
    return Integer.parseInt(Files.readString(file).strip());
  }

  private static boolean has(String container, Path path) {
    return node.cri().exec(container, "ls", path.toString()).getExitCode() == 0;
  }

  private static void write(String container, Path disk, String text) {
    String command = "printf %s | dd of=%s conv=fsync".formatted(text, disk);
    assertThat(node.cri().exec(container, "sh", "-c", command).getExitCode()).isZero();
  }

  /** What the driver says, over the node. */
  private static String settings(String container, Path terminal) {
    return node.cri().exec(container, "stty", "-F", terminal.toString()).getStdout().toStringUtf8();
  }

  /** What a container hears that makes itself a node of the same number, and opens it. */
  private static String openAsNode(String container, Path device) throws IOException {
    String command = HostNode.of(device).remade("/tmp/it") + " && stty -F /tmp/it";
    return node.cri().exec(container, "sh", "-c", command).getStderr().toStringUtf8();
  }
}
