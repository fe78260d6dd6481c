package io.keelson.integration;

import static org.assertj.core.api.Assertions.assertThat;

import io.keelson.integration.harness.DyingDaemon;
import io.keelson.integration.harness.MisbehavingDriver;
import io.keelson.integration.harness.TestNode;
import io.keelson.integration.harness.VolumeCalls;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import io.keelson.proto.csi.v1.ControllerModifyVolumeRequest;
import io.keelson.proto.csi.v1.NodeExpandVolumeRequest;
import io.keelson.proto.csi.v1.NodeStageVolumeRequest;
import io.keelson.proto.csi.v1.Snapshot;
import io.keelson.proto.node.v1.DescribeStorageRequest;
import io.keelson.proto.node.v1.Publication;
import io.keelson.proto.node.v1.VolumeStatus;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The daemon dies at each step of the journal of volumes. After its next start and the caller's
 * retry a volume is published once, and in the end nothing is mounted, staged, attached or
 * recorded.
 */
class VolumeFaultPointsIT {

  private static final Path SOURCES = Path.of("../csi-client/src/main/java/io/keelson/csi");

  @RegisterExtension static final TestNode node = TestNode.create();

  @Order(Integer.MAX_VALUE) // when the node is there
  @RegisterExtension
  static final MisbehavingDriver driver = MisbehavingDriver.of(node);

  private static final DyingDaemon daemon = new DyingDaemon(node);

  private final VolumeCalls volumes = new VolumeCalls(node);

  static {
    node.set("volumes.call_timeout", "\"5s\"");
  }

  /** Every point that the volumes name, so that a new one is tested from its first day. */
  static Stream<String> points() throws IOException {
    return DyingDaemon.points(SOURCES);
  }

  static Stream<String> pointsOfALife() throws IOException {
    return points().filter(point -> !isOfAChange(point));
  }

  static Stream<String> pointsOfChanges() throws IOException {
    return points().filter(VolumeFaultPointsIT::isOfAChange);
  }

  private static boolean isOfAChange(String point) {
    return point.startsWith("ExpandVolume:")
        || point.startsWith("ModifyVolume:")
        || point.contains("Snapshot");
  }

  @Test
  void allTransitionsHavePoints() throws IOException {
    assertThat(points().map(point -> point.substring(0, point.indexOf(':'))).distinct())
        .contains(
            "CreateVolume",
            "PublishVolume",
            "UnpublishVolume",
            "RetireVolume",
            "DeleteVolume",
            "ExpandVolume",
            "ModifyVolume",
            "SnapshotVolume",
            "DeleteSnapshot",
            "SnapshotGroup",
            "DeleteSnapshotGroup");
    assertThat(points().count()).isGreaterThan(30);
  }

  @ParameterizedTest
  @MethodSource("pointsOfALife")
  void diesOnceInTheVolumesLife(String point) throws Exception {
    daemon.dieAt(point);

    String name = "v" + Integer.toHexString(point.hashCode());
    VolumeStatus made =
        daemon.survive(
            () -> volumes.create(VolumeCalls.request(name, MisbehavingDriver.NAME, 2).build()));
    assertThat(made.getSource().getCsi().getVolumeId()).isNotEmpty();
    PodSandboxConfig pod =
        node.pod("faulty")
            .putAnnotations("volumes.keelson.io/d", "{\"volume\": \"" + name + "\"}")
            .build();
    String podId = daemon.survive(() -> node.cri().runPod(pod));
    Waits.until(() -> publications().size() == 1, "one publication alone");
    Publication publication = publications().getFirst();
    assertThat(publication.getPodId()).isEqualTo(podId);
    assertThat(publication.getState()).isEqualTo("published");
    Waits.until(() -> volumes.mounts().size() == 2, "staged once, published once");
    assertThat(volumes.mounts()).contains(publication.getPath());
    assertThat(driver.last(NodeStageVolumeRequest.class).getPublishContextMap())
        .containsEntry("device", "test-device");

    daemon.survive(() -> node.cri().stopPod(podId));
    Waits.until(() -> volumes.mounts().isEmpty(), "nothing is mounted any more");
    Waits.until(
        () -> volumes.list().stream().allMatch(each -> each.getState().equals("idle")),
        "the volume is idle");
    daemon.survive(() -> node.cri().removePod(podId));
    daemon.survive(() -> volumes.delete(name));
    assertThat(volumes.list()).isEmpty();
    assertThat(driver.attached()).as("attached").isZero();
    assertThat(node.base().resolve("driver/volumes")).isEmptyDirectory();
    assertThat(daemon.hasDied()).as("the daemon has died at " + point).isTrue();
  }

  @ParameterizedTest
  @MethodSource("pointsOfChanges")
  void diesWhileAVolumeIsChanged(String point) throws Exception {
    volumes.create(VolumeCalls.request("v", MisbehavingDriver.NAME, 2).build());
    daemon.dieAt(point);

    long size = 4 * VolumeCalls.MIB;
    VolumeStatus grown = daemon.survive(() -> volumes.expand("v", size));
    assertThat(grown.getCapacityBytes()).isEqualTo(size);
    Publication publication = daemon.survive(() -> volumes.publish("p", VolumeCalls.named("v")));
    assertThat(driver.last(NodeExpandVolumeRequest.class).getVolumePath())
        .as("what is due on the node")
        .isEqualTo(publication.getPath());
    List<String> mounts = volumes.mounts();
    assertThat(mounts).as("staged once, published once").hasSize(2);
    daemon.survive(() -> volumes.modify("v", "tier", "fast"));
    assertThat(driver.last(ControllerModifyVolumeRequest.class).getMutableParametersMap())
        .containsEntry("tier", "fast");
    if (point.contains("SnapshotGroup")) {
      String group = daemon.survive(() -> volumes.snapshotGroup("g", "v")).getGroupSnapshotId();
      daemon.survive(() -> volumes.deleteGroup(MisbehavingDriver.NAME, group));
    } else if (point.contains("Snapshot")) {
      String snapshot = daemon.survive(() -> volumes.snapshot("v", "s")).getSnapshotId();
      assertThat(snapshots()).containsExactly(snapshot);
      daemon.survive(() -> VolumeCalls.deleteSnapshot(node, MisbehavingDriver.NAME, snapshot));
      assertThat(snapshots()).isEmpty();
    }
    assertThat(volumes.mounts()).as("published as before").isEqualTo(mounts);
    assertThat(daemon.hasDied()).as("the daemon has died at " + point).isTrue();
    volumes.unpublish("p");
    volumes.delete("v");
    assertThat(volumes.mounts()).isEmpty();
  }

  private static List<String> snapshots() {
    return node
        .cri()
        .volumes()
        .describeStorage(
            DescribeStorageRequest.newBuilder().setDriver(MisbehavingDriver.NAME).build())
        .getSnapshotsList()
        .stream()
        .map(Snapshot::getSnapshotId)
        .toList();
  }

  private List<Publication> publications() {
    return volumes.list().stream()
        .flatMap(volume -> volume.getPublicationsList().stream())
        .toList();
  }
}
