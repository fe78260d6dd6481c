package io.keelson.integration;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Status;
import io.keelson.integration.harness.MetricsEndpoint;
import io.keelson.integration.harness.MisbehavingDriver;
import io.keelson.integration.harness.MisbehavingDriver.Misdeed;
import io.keelson.integration.harness.Shell;
import io.keelson.integration.harness.TestNode;
import io.keelson.integration.harness.VolumeCalls;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import io.keelson.proto.cri.v1.SELinuxOption;
import io.keelson.proto.csi.v1.ControllerModifyVolumeRequest;
import io.keelson.proto.csi.v1.DeleteVolumeGroupSnapshotRequest;
import io.keelson.proto.csi.v1.NodePublishVolumeRequest;
import io.keelson.proto.csi.v1.NodeStageVolumeRequest;
import io.keelson.proto.csi.v1.Snapshot;
import io.keelson.proto.csi.v1.VolumeCapability;
import io.keelson.proto.csi.v1.VolumeGroupSnapshot;
import io.keelson.proto.node.v1.ListDriversRequest;
import io.keelson.proto.node.v1.Publication;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Drivers that do wrong: no volume is lost, published twice, or left behind. */
class MisbehavingDriverIT {

  @RegisterExtension static final TestNode node = TestNode.create();

  @Order(Integer.MAX_VALUE) // when the node is there
  @RegisterExtension
  static final MisbehavingDriver driver = MisbehavingDriver.of(node);

  private static final MetricsEndpoint METRICS = MetricsEndpoint.of(node);

  private final VolumeCalls volumes = new VolumeCalls(node);

  static {
    node.set("volumes.call_timeout", "\"3s\"");
    node.set("volumes.operation_timeout", "\"12s\"");
    node.set("volumes.probe_interval", "\"1s\"");
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
    assertThat(volumes.mounts()).isEmpty();
    assertThat(driver.attached()).isZero();
  }

  @Test
  void oneThatIsBusyIsAskedAgain() {
    driver.next("NodeStageVolume", Misdeed.ABORTS, Misdeed.ABORTS, Misdeed.ABORTS);
    node.cri().runPod(pod());
    assertThat(driver.calls("NodeStageVolume")).isEqualTo(4);
    assertThat(driver.calls("NodePublishVolume")).isEqualTo(1);
    assertThat(volumes.mounts()).hasSize(2);
  }

  @Test
  void oneThatHangsIsAskedAgain() {
    driver.next("NodePublishVolume", Misdeed.HANGS);
    driver.next("ControllerPublishVolume", Misdeed.FALLS_SILENT);
    node.cri().runPod(pod());
    assertThat(driver.calls("NodePublishVolume")).isEqualTo(2);
    assertThat(driver.calls("ControllerPublishVolume")).isEqualTo(2);
    assertThat(volumes.mounts()).hasSize(2);
  }

  @Test
  void oneThatDiesAfterItsWorkIsUsedWhenItIsBack() throws Exception {
    driver.next("NodePublishVolume", Misdeed.DIES_AFTER_WORK);
    Thread restart =
        Thread.ofVirtual()
            .start(
                () -> {
                  Waits.until(() -> !driver.isRunning(), "its death");
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
    assertThat(volumes.mounts()).as("published once").hasSize(2);
  }

  @Test
  void whatFailsAfterTheWorkIsUndone() {
    driver.next("NodePublishVolume", Misdeed.FAILS_AFTER_WORK);
    assertThat(Failures.of(() -> node.cri().runPod(pod())).message())
        .contains("NodePublishVolume")
        .contains("on command");
    assertThat(volumes.mounts()).isEmpty();
    assertThat(driver.attached()).isZero();
    node.cri().runPod(pod());
    assertThat(volumes.mounts()).hasSize(2);
  }

  @Test
  void oneThatLiesIsFoundOut() {
    driver.next("NodePublishVolume", Misdeed.LIES);
    assertThat(Failures.of(() -> node.cri().runPod(pod())).message())
        .contains("nothing is mounted");
    assertThat(volumes.mounts()).isEmpty();
  }

  @Test
  void oneThatForgetsIsNotBelievedAsLongAsTheVolumeIsMounted() {
    String id = node.cri().runPod(pod());
    driver.always("NodeUnpublishVolume", Misdeed.FORGETS);
    node.cri().stopPod(id);
    assertThat(volumes.list())
        .as("the pod is gone, the volume is remembered")
        .singleElement()
        .satisfies(
            volume -> {
              assertThat(volume.getTrouble()).contains("still mounted");
              assertThat(volume.getFailedAttempts()).isPositive();
            });
    assertThat(volumes.mounts()).hasSize(2);
    driver.behave();
    Waits.until(() -> volumes.mounts().isEmpty(), "the next try, in the background");
  }

  @Test
  void aDeadDriverDoesNotHoldUpAPodsEnd() throws IOException {
    String id = node.cri().runPod(pod());
    assertThat(byState("published")).isEqualTo(1);
    driver.close();
    node.cri().stopPod(id);
    node.cri().removePod(id);
    assertThat(volumes.list().getFirst().getTrouble()).contains("UNAVAILABLE");
    assertThat(METRICS.get("/debug")).contains("volume v is ", "UNAVAILABLE");
    assertThat(Shell.run(node.keelson("volumes")).output().lines())
        .as("the table of volumes, with the column of troubles")
        .satisfiesExactly(
            header -> assertThat(header).startsWith("VOLUME").endsWith("TROUBLE"),
            row -> assertThat(row).startsWith("v ").containsPattern("[0-9]+ x: .*UNAVAILABLE"));
    assertThat(byState("stuck")).isEqualTo(1);
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
    Waits.until(
        () -> volumes.mounts().isEmpty(), "the volume is taken away when the driver is back");
  }

  @Test
  void aVolumeIsModified() {
    volumes.modify("v", "tier", "fast");
    ControllerModifyVolumeRequest seen = driver.last(ControllerModifyVolumeRequest.class);
    assertThat(seen.getMutableParametersMap()).containsExactly(Map.entry("tier", "fast"));
    assertThat(seen.getVolumeId()).isEqualTo(idOf("v"));
  }

  @Test
  void aGroupIsFrozenAndUsedOnlyWhenItIsReady() {
    volumes.create(VolumeCalls.request("w", MisbehavingDriver.NAME, 2).build());
    VolumeGroupSnapshot group = volumes.snapshotGroup("g", "v", "w");
    assertThat(group.getReadyToUse()).isTrue();
    assertThat(group.getSnapshotsList())
        .extracting(Snapshot::getSnapshotId)
        .containsExactly("of-" + idOf("v"), "of-" + idOf("w"));
    volumes.deleteGroup(MisbehavingDriver.NAME, group.getGroupSnapshotId(), "of-" + idOf("v"));
    assertThat(driver.last(DeleteVolumeGroupSnapshotRequest.class).getGroupSnapshotId())
        .isEqualTo(group.getGroupSnapshotId());
    volumes.delete("w");
  }

  @Test
  void theLabelOfAPodIsAMountOption() {
    driver.next("NodeStageVolume", Misdeed.LIES); // no kernel without SELinux mounts with a label
    PodSandboxConfig.Builder pod =
        node.pod("labelled")
            .putAnnotations(
                "volumes.keelson.io/d",
                "{\"csi\": {\"driver\": \"%s\", \"volumeId\": \"%s\", \"selinuxMount\": true}}"
                    .formatted(MisbehavingDriver.NAME, idOf("v")));
    pod.getLinuxBuilder()
        .getSecurityContextBuilder()
        .setSelinuxOptions(SELinuxOption.newBuilder().setLevel("s0:c1,c2"));
    assertThat(Failures.code(() -> node.cri().runPod(pod.build()))).isNotEqualTo(Status.Code.OK);
    for (VolumeCapability capability :
        List.of(
            driver.last(NodeStageVolumeRequest.class).getVolumeCapability(),
            driver.last(NodePublishVolumeRequest.class).getVolumeCapability())) {
      assertThat(capability.getMount().getMountFlagsList())
          .containsExactly("context=\"system_u:object_r:container_file_t:s0:c1,c2\"");
    }
  }

  /** As after a reboot; and the driver has troubles of its own. */
  @Test
  void whatIsNotMountedAnyMoreIsPublishedAgain() throws IOException {
    Publication publication = volumes.publish("kept", VolumeCalls.named("v"));
    Path file = Files.writeString(Path.of(publication.getPath(), "file"), "kept");
    List<String> before = volumes.mounts();
    node.daemon().kill();
    before.reversed().forEach(mount -> Shell.output("umount", mount));
    driver.next("NodePublishVolume", Misdeed.LIES, Misdeed.FAILS_AFTER_WORK);
    node.daemon().start();
    node.cri().reconnect();
    Waits.until(() -> driver.calls("NodePublishVolume") == 4, "the third try");
    Waits.until(() -> volumes.mounts().size() == before.size(), "what was mounted is so again");
    assertThat(volumes.mounts()).containsExactlyInAnyOrderElementsOf(before);
    assertThat(file).hasContent("kept");
    Waits.until(() -> volumes.list().getFirst().getTrouble().isEmpty(), "no trouble any more");
    volumes.unpublish("kept");
  }

  private static double byState(String state) {
    return MetricsEndpoint.value(
        METRICS.get("/metrics"), "keelson_volumes{state=\"" + state + "\",}");
  }

  private String idOf(String volume) {
    return volumes.list().stream()
        .filter(each -> each.getName().equals(volume))
        .map(each -> each.getSource().getCsi().getVolumeId())
        .findFirst()
        .orElseThrow();
  }

  private static PodSandboxConfig pod() {
    return node.pod("user").putAnnotations("volumes.keelson.io/d", "{\"volume\": \"v\"}").build();
  }
}
