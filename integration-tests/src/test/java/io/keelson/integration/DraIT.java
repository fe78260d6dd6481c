package io.keelson.integration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keelson.integration.harness.Cri;
import io.keelson.integration.harness.DraDriver;
import io.keelson.integration.harness.DyingDaemon;
import io.keelson.integration.harness.TestNode;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Claims of dynamic resource allocation, by a driver in a process of its own. */
class DraIT {

  private static final String CLAIM = "team/big@uid-1";
  private static final String NAME = "gpu.example";
  private static final String[] WELL = {"cdi vendor.example/gpu=big"};

  @RegisterExtension static final TestNode node = TestNode.bare();

  private static final DyingDaemon daemon = new DyingDaemon(node);
  private static DraDriver driver;

  @BeforeAll
  static void start() throws Exception {
    Path cdi = node.folder("cdi");
    Files.writeString(
        cdi.resolve("gpu.yaml"),
        """
        cdiVersion: 0.6.0
        kind: vendor.example/gpu
        devices:
          - name: big
            containerEdits: {env: [GPU=big]}
        """);
    node.set("devices.cdi_dirs", "[\"" + cdi + "\"]");
    node.writeConfiguration();
    node.start();
    driver = DraDriver.start(node, NAME, WELL);
  }

  @AfterAll
  static void stop() throws Exception {
    driver.close();
  }

  @BeforeEach
  void behave() throws Exception {
    driver.says(WELL);
    driver.forgetCalls();
  }

  @AfterEach
  void nothingStaysPrepared() {
    node.removeAllPods();
    Waits.until(
        () -> node.root().resolve("devices/claims").toFile().list().length == 0, "all is returned");
  }

  @Test
  void aClaimsDevicesAreInAllContainersOfItsPodUntilItStops() throws Exception {
    Cri cri = node.cri();
    PodSandboxConfig pod = pod("claims");
    String podId = cri.runPod(pod);
    for (String name : new String[] {"one", "two"}) {
      String container = cri.run(podId, node.sleeper(name).build(), pod);
      assertThat(cri.output(container, "sh", "-c", "echo $GPU")).isEqualTo("big");
    }
    PodSandboxConfig other = node.pod("other").build();
    String without = cri.run(cri.runPod(other), node.sleeper("main").build(), other);
    assertThat(cri.output(without, "sh", "-c", "echo $GPU")).isEmpty();

    node.killAndStart();
    String later = cri.run(podId, node.sleeper("later").build(), pod);
    assertThat(cri.output(later, "sh", "-c", "echo $GPU")).isEqualTo("big");
    assertThat(driver.calls()).containsExactly("prepare " + CLAIM);
    cri.stopPod(podId);
    // Right after its start the daemon may not know the driver yet: it is asked a little later.
    Waits.until(() -> driver.calls().contains("unprepare " + CLAIM), "the end of the claim");
    assertThat(driver.calls()).containsExactly("prepare " + CLAIM, "unprepare " + CLAIM);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          refuse no such device | driver gpu.example, claim team/big: no such device
          silent                | driver gpu.example does not answer for claim team/big
          die                   | driver gpu.example: UNAVAILABLE
          cdi ../../etc/passwd  | claim team/big: CDI device name "../../etc/passwd" is not
          """)
  void aDriverThatFailsFailsThePod(String misdeed, String complaint) throws Exception {
    driver.says(misdeed);
    assertThatThrownBy(() -> node.cri().runPod(pod("fails"))).hasMessageContaining(complaint);
    if (misdeed.equals("die")) {
      driver.kill();
      driver.says(WELL);
      driver.start();
    }
    Waits.until(() -> driver.calls().contains("unprepare " + CLAIM), "it hears of the end");
  }

  @Test
  void aDriverThatHasDiedKeepsNoPodFromItsEnd() throws Exception {
    Cri cri = node.cri();
    String podId = cri.runPod(pod("stays"));
    driver.kill();
    cri.stopPod(podId);
    cri.removePod(podId);
    assertThat(driver.calls()).containsExactly("prepare " + CLAIM);
    node.restart(); // it is remembered
    driver.start();
    Waits.until(() -> driver.calls().contains("unprepare " + CLAIM), "the end of the claim");
  }

  static Stream<String> points() throws IOException {
    return DyingDaemon.points(Path.of("../device-plugins/src/main/java/io/keelson/device/dra"));
  }

  @ParameterizedTest
  @MethodSource("points")
  void nothingStaysPreparedWhereverTheDaemonDies(String point) throws Exception {
    Cri cri = node.cri();
    PodSandboxConfig pod = pod("killed");
    daemon.dieAt(point);
    String podId = daemon.survive(() -> cri.runPod(pod));
    String container = cri.run(podId, node.sleeper("main").build(), pod);
    assertThat(cri.output(container, "sh", "-c", "echo $GPU")).isEqualTo("big");
    daemon.survive(() -> cri.stopPod(podId));
    Waits.until(
        () -> node.root().resolve("devices/claims").toFile().list().length == 0, "all is returned");
    assertThat(driver.calls()).last().isEqualTo("unprepare " + CLAIM);
    assertThat(daemon.hasDied()).as("the daemon has died at " + point).isTrue();
  }

  private static PodSandboxConfig pod(String name) {
    return node.pod(name).putAnnotations("devices.keelson.io/claims", NAME + "=" + CLAIM).build();
  }
}
