package io.keelson.integration;

import static org.assertj.core.api.Assertions.assertThat;

import io.keelson.integration.harness.MisbehavingDriver;
import io.keelson.integration.harness.MisbehavingDriver.Misdeed;
import io.keelson.integration.harness.Shell;
import io.keelson.integration.harness.TestNode;
import io.keelson.integration.harness.VolumeCalls;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import io.keelson.proto.node.v1.ListDriversRequest;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Drivers that do wrong: no volume is lost, published twice, or left behind. */
class MisbehavingDriverIT {

  @RegisterExtension static final TestNode node = TestNode.create();

  private static final MisbehavingDriver driver =
      new MisbehavingDriver(
          node.base().resolve("driver"), node.base().resolve("test").resolve("csi.sock"));

  private final VolumeCalls volumes = new VolumeCalls(node);

  static {
    node.set("volumes.drivers", "[\"" + node.base().resolve("test/csi.sock") + "\"]");
    node.set("volumes.call_timeout", "\"1s\"");
    node.set("volumes.operation_timeout", "\"8s\"");
    node.set("volumes.probe_interval", "\"1s\"");
  }

  @BeforeAll
  static void startDriver() throws IOException {
    driver.start();
  }

  @AfterAll
  static void endDriver() {
    driver.close();
  }

  @BeforeEach
  void makeVolume() {
    volumes.create(VolumeCalls.request("v", MisbehavingDriver.NAME, 2).build());
    driver.forgetCalls();
  }

  @AfterEach
  void nothingIsLeft() {
    driver.behave();
    node.removeAllPods();
    Waits.until(
        () -> volumes.list().stream().allMatch(each -> each.getPublicationsCount() == 0),
        "no publications");
    volumes.delete("v");
    assertThat(mounts()).isEmpty();
    assertThat(driver.attached()).isZero();
  }

  @Test
  void oneThatIsBusyIsAskedAgain() {
    driver.next("NodeStageVolume", Misdeed.ABORTS, Misdeed.ABORTS, Misdeed.ABORTS);
    node.cri().runPod(pod());
    assertThat(driver.calls("NodeStageVolume")).isEqualTo(4);
    assertThat(driver.calls("NodePublishVolume")).isEqualTo(1);
    assertThat(mounts()).hasSize(2);
  }

  @Test
  void oneThatHangsIsAskedAgain() {
    driver.next("NodePublishVolume", Misdeed.HANGS);
    driver.next("ControllerPublishVolume", Misdeed.FALLS_SILENT);
    node.cri().runPod(pod());
    assertThat(driver.calls("NodePublishVolume")).isEqualTo(2);
    assertThat(driver.calls("ControllerPublishVolume")).isEqualTo(2);
    assertThat(mounts()).hasSize(2);
  }

  @Test
  void oneThatDiesAfterItsWorkIsUsedWhenItIsBack() throws Exception {
    driver.next("NodePublishVolume", Misdeed.DIES_AFTER_WORK);
    Thread restart =
        Thread.ofVirtual()
            .start(
                () -> {
                  Waits.until(() -> driver.calls("NodePublishVolume") > 0, "the call");
                  try {
                    Thread.sleep(500);
                    driver.start();
                  } catch (IOException | InterruptedException e) {
                    throw new IllegalStateException(e);
                  }
                });
    node.cri().runPod(pod());
    restart.join();
    assertThat(driver.calls("NodePublishVolume")).isEqualTo(2);
    assertThat(mounts()).as("published once").hasSize(2);
  }

  @Test
  void whatFailsAfterTheWorkIsUndone() {
    driver.next("NodePublishVolume", Misdeed.FAILS_AFTER_WORK);
    assertThat(Failures.of(() -> node.cri().runPod(pod())).message())
        .contains("NodePublishVolume")
        .contains("on command");
    assertThat(mounts()).isEmpty();
    assertThat(driver.attached()).isZero();
    node.cri().runPod(pod());
    assertThat(mounts()).hasSize(2);
  }

  @Test
  void oneThatLiesIsFoundOut() {
    driver.next("NodePublishVolume", Misdeed.LIES);
    assertThat(Failures.of(() -> node.cri().runPod(pod())).message())
        .contains("nothing is mounted");
    assertThat(mounts()).isEmpty();
  }

  @Test
  void oneThatForgetsIsNotBelievedAsLongAsTheVolumeIsMounted() {
    String id = node.cri().runPod(pod());
    driver.next("NodeUnpublishVolume", Misdeed.FORGETS, Misdeed.FORGETS);
    node.cri().stopPod(id);
    assertThat(volumes.list())
        .as("the pod is gone, the volume is remembered")
        .singleElement()
        .satisfies(
            volume -> {
              assertThat(volume.getTrouble()).contains("still mounted");
              assertThat(volume.getFailedAttempts()).isPositive();
            });
    assertThat(mounts()).hasSize(2);
    Waits.until(() -> mounts().isEmpty(), "the next try, in the background");
  }

  @Test
  void aDeadDriverDoesNotHoldUpAPodsEnd() throws IOException {
    String id = node.cri().runPod(pod());
    driver.close();
    node.cri().stopPod(id);
    node.cri().removePod(id);
    assertThat(volumes.list().getFirst().getTrouble()).contains("UNAVAILABLE");
    Waits.until(
        () ->
            node
                .cri()
                .volumes()
                .listDrivers(ListDriversRequest.getDefaultInstance())
                .getDriversList()
                .stream()
                .anyMatch(each -> each.getState().equals("unreachable")),
        "the driver's state is seen");
    driver.start();
    Waits.until(() -> mounts().isEmpty(), "the volume is taken away when the driver is back");
  }

  private static PodSandboxConfig pod() {
    return node.pod("user").putAnnotations("volumes.keelson.io/d", "{\"volume\": \"v\"}").build();
  }

  private static List<String> mounts() {
    String prefix = node.root().resolve("volumes") + "/";
    return Shell.output("cat", "/proc/self/mountinfo")
        .lines()
        .map(line -> line.split(" ", -1)[4])
        .filter(target -> target.startsWith(prefix))
        .toList();
  }
}
