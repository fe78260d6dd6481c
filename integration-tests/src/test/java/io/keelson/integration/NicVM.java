package io.keelson.integration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keelson.integration.harness.ContainerGroup;
import io.keelson.integration.harness.Cri;
import io.keelson.integration.harness.Shell;
import io.keelson.integration.harness.TestNode;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Virtual functions of a network card (SR-IOV), and children of one by ipvlan. */
class NicVM {

  private static final String REQUEST = "devices.keelson.io/request";
  private static final String FUNCTION = "nic.keelson.io/function";
  private static final String CHILD = "nic.keelson.io/child";
  private static final Path INTERFACES = Path.of("/sys/class/net");

  @RegisterExtension static final TestNode node = TestNode.bare();

  private static String card;

  /** The first virtual function, as it is on the host. */
  private String function;

  private String mac;

  @BeforeAll
  static void start() throws Exception {
    card = ofDriver("igb");
    Shell.output("ip", "link", "set", card, "up");
    assertThat(functionsOfCard()).isEqualTo("0");
    Path definitions = node.folder("devices.d");
    Files.writeString(
        definitions.resolve("nic.toml"),
        """
        [[nic]]
        resource = "%s"
        kind = "sriov"
        parents = ["%s"]
        count = 2
        name = "fast%%d"
        mtu = 1400
        addresses = ["192.168.78.5/24"]

        [[nic]]
        resource = "%s"
        kind = "ipvlan"
        parents = ["%s"]
        shares = 2
        """
            .formatted(FUNCTION, card, CHILD, card));
    node.set("devices.definitions_dir", "\"" + definitions + "\"");
    node.writeConfiguration();
    node.start();
    assertThat(functionsOfCard()).as("made on demand").isEqualTo("2");
    Waits.until(() -> healthy(FUNCTION) == 2, "the functions have their interfaces");
  }

  @BeforeEach
  void lookAtTheFunction() throws IOException {
    try (DirectoryStream<Path> names =
        Files.newDirectoryStream(INTERFACES.resolve(card).resolve("device/virtfn0/net"))) {
      function = names.iterator().next().getFileName().toString();
    }
    mac = Files.readString(INTERFACES.resolve(function).resolve("address")).strip();
    Shell.output("ip", "link", "set", function, "mtu", "1450", "alias", "port 7");
    Shell.output("ip", "link", "set", function, "up");
    Waits.until(() -> healthy(FUNCTION) == 2, "both are home");
  }

  @AfterEach
  void forget() {
    Shell.run(List.of("ip", "link", "set", function, "alias", ""));
  }

  @Test
  void aFunctionIsLentUnderTheNameAskedForAndComesHomeAsItWas() throws Exception {
    Cri cri = node.cri();
    String container = runWithFunction("first");
    assertIsInPod(container);
    String _ = runWithFunction("second");
    assertThatThrownBy(() -> runWithFunction("third")).hasMessageContaining("RESOURCE_EXHAUSTED");
    cri.pods().forEach(pod -> cri.stopPod(pod.getId()));
    assertIsHome();
  }

  @Test
  void aFunctionStaysInItsPodWhenTheDaemonIsKilledAndComesHomeWithItsEnd() throws Exception {
    String container = runWithFunction("killed");
    node.killAndStart();
    assertIsInPod(container);
    node.removeAllPods();
    assertIsHome();
  }

  /** The kernel hands hardware back by itself then, under the pod's name for it. */
  @Test
  void aFunctionOfALostNamespaceIsFoundAndRestored() throws Exception {
    String container = runWithFunction("lost");
    node.daemon().kill();
    for (long pid : ContainerGroup.pids(container)) {
      Shell.run(List.of("kill", "-9", "" + pid)); // the first one takes the others with it
    }
    Files.readAllLines(Path.of("/proc/self/mountinfo")).stream()
        .filter(line -> line.contains(" - nsfs "))
        .map(line -> line.split(" ", -1)[4])
        .filter(target -> target.startsWith(node.base().toString()))
        .forEach(target -> Shell.output("umount", target));
    Waits.until(() -> Files.exists(INTERFACES.resolve("fast0")), "the kernel has handed it back");
    node.daemon().start();
    node.cri().reconnect();
    assertIsHome();
  }

  @Test
  void childrenOfOneCardReachEachOther() throws Exception {
    Cri cri = node.cri();
    String one = runWithChild("one", "192.168.79.1/24");
    String two = runWithChild("two", "192.168.79.2/24");
    String cardMac = Files.readString(INTERFACES.resolve(card).resolve("address")).strip();
    assertThat(cri.output(one, "ip", "link", "show", "net0")).contains(cardMac, "UP");
    assertThat(cri.output(two, "ping", "-c", "1", "-w", "30", "192.168.79.1"))
        .contains("1 packets received");
  }

  private static String runWithFunction(String name) {
    PodSandboxConfig pod = node.pod(name).putAnnotations(REQUEST, FUNCTION + "=1").build();
    return node.cri().run(node.cri().runPod(pod), node.sleeper("main").build(), pod);
  }

  private static String runWithChild(String name, String address) {
    PodSandboxConfig pod = node.pod(name).putAnnotations(REQUEST, CHILD + "=1").build();
    String container = node.cri().run(node.cri().runPod(pod), node.sleeper("main").build(), pod);
    String pid = "" + ContainerGroup.pids(container).getFirst();
    Shell.output("nsenter", "-t", pid, "-n", "ip", "addr", "add", address, "dev", "net0");
    return container;
  }

  private void assertIsInPod(String container) {
    assertThat(node.cri().output(container, "ip", "addr", "show", "fast0"))
        .contains(mac, "mtu 1400", "192.168.78.5/24", "UP");
    assertThat(INTERFACES.resolve(function)).doesNotExist();
  }

  private void assertIsHome() {
    assertThat(Shell.output("ip", "-d", "addr", "show", function))
        .contains(mac, "mtu 1450", "alias port 7", ",UP")
        .doesNotContain("192.168.78.5");
    assertThat(INTERFACES.resolve("fast0")).doesNotExist();
    assertThat(node.root().resolve("devices/nics")).isEmptyDirectory();
  }

  private static long healthy(String resource) {
    return node.cri().devicesOf(resource).stream()
        .filter(device -> device.getHealthy() && !device.getAttributesMap().isEmpty())
        .count();
  }

  private static String functionsOfCard() throws IOException {
    return Files.readString(INTERFACES.resolve(card).resolve("device/sriov_numvfs")).strip();
  }

  private static String ofDriver(String driver) throws IOException {
    try (DirectoryStream<Path> links = Files.newDirectoryStream(INTERFACES)) {
      for (Path link : links) {
        Path its = link.resolve("device/driver");
        if (Files.exists(its) && its.toRealPath().endsWith(driver)) {
          return link.getFileName().toString();
        }
      }
    }
    throw new AssertionError("no interface has the driver " + driver);
  }
}
