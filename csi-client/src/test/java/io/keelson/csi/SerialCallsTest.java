package io.keelson.csi;

import static org.assertj.core.api.Assertions.assertThat;

import io.keelson.csi.driver.Operation;
import io.keelson.proto.csi.v1.VolumeCapability.AccessMode.Mode;
import io.keelson.proto.node.v1.ModifyVolumeRequest;
import io.keelson.proto.node.v1.SnapshotGroupRequest;
import io.keelson.proto.node.v1.SnapshotVolumeRequest;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Calls for one volume never meet, calls for different volumes do. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class SerialCallsTest {

  /** No change is so impatient here that it goes while the driver is still at a question. */
  @RegisterExtension
  final NodeUnderTest node = new NodeUnderTest(Duration.ofSeconds(10), Duration.ofSeconds(30));

  @Test
  void aDriverNeverSeesTwoCallsForOneVolume() throws Exception {
    node.create("v", Mode.SINGLE_NODE_MULTI_WRITER);
    node.publish("first", "v");
    node.driver().isSlow(20);
    NodeVolumes volumes = node.volumes();
    Operation.Listener nobody = Operation.Listener.NONE;
    atOnce(
        List.of(
            () -> node.publish("a", "v"),
            () -> node.publish("b", "v"),
            () -> volumes.provisioning().expand("v", 2 * NodeUnderTest.MIB, nobody),
            () ->
                volumes
                    .provisioning()
                    .modify(ModifyVolumeRequest.newBuilder().setName("v").build(), nobody),
            () ->
                volumes
                    .snapshots()
                    .create(
                        SnapshotVolumeRequest.newBuilder().setVolume("v").setName("s").build(),
                        nobody),
            () ->
                volumes
                    .snapshots()
                    .createGroup(
                        SnapshotGroupRequest.newBuilder().setName("g").addVolumes("v").build(),
                        nobody),
            () -> volumes.queries().stats("v"),
            () -> volumes.queries().volume("v"),
            () -> volumes.provisioning().validate("v")));
    atOnce(List.of(() -> unpublish("first"), () -> unpublish("a"), () -> unpublish("b")));

    assertThat(node.driver().mostForOneVolume()).isOne();
    assertThat(node.driver().methods())
        .contains(
            "NodePublishVolume",
            "ControllerExpandVolume",
            "NodeExpandVolume",
            "ControllerModifyVolume",
            "CreateSnapshot",
            "CreateVolumeGroupSnapshot",
            "NodeGetVolumeStats",
            "ControllerGetVolume",
            "ValidateVolumeCapabilities",
            "NodeUnpublishVolume");
  }

  @Test
  void callsForTwoVolumesAreUnderWayTogether() throws Exception {
    for (String method :
        List.of(
            "ControllerPublishVolume",
            "NodeStageVolume",
            "NodePublishVolume",
            "NodeUnpublishVolume",
            "NodeUnstageVolume",
            "ControllerUnpublishVolume",
            "CreateVolume",
            "DeleteVolume")) {
      node.driver().meet(method, 2);
    }
    atOnce(List.of(() -> node.create("v"), () -> node.create("w")));
    atOnce(List.of(() -> node.publish("v", "v"), () -> node.publish("w", "w")));
    atOnce(List.of(() -> unpublish("v"), () -> unpublish("w")));
    atOnce(List.of(() -> delete("v"), () -> delete("w")));
    assertThat(node.driver().storage.volumes).isEmpty();
  }

  private Boolean unpublish(String id) throws Exception {
    node.unpublish(id);
    return Boolean.TRUE;
  }

  private Boolean delete(String name) throws Exception {
    node.delete(name);
    return Boolean.TRUE;
  }

  private static void atOnce(List<Callable<?>> calls) throws Exception {
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<? extends Future<?>> all = calls.stream().map(threads::submit).toList();
      for (Future<?> each : all) {
        each.get();
      }
    }
  }
}
