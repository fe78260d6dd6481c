package io.keelson.csi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keelson.csi.driver.Operation;
import io.keelson.proto.csi.v1.ControllerServiceCapability;
import io.keelson.proto.csi.v1.ListVolumesRequest;
import io.keelson.proto.csi.v1.Snapshot;
import io.keelson.proto.csi.v1.Volume;
import io.keelson.proto.csi.v1.VolumeGroupSnapshot;
import io.keelson.proto.node.v1.DeleteSnapshotGroupRequest;
import io.keelson.proto.node.v1.DeleteSnapshotRequest;
import io.keelson.proto.node.v1.DescribeStorageRequest;
import io.keelson.proto.node.v1.DescribeStorageResponse;
import io.keelson.proto.node.v1.SnapshotGroupRequest;
import io.keelson.proto.node.v1.SnapshotVolumeRequest;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Snapshots, groups of them, and what a driver tells page by page. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class SnapshotsTest {

  @RegisterExtension final NodeUnderTest node = new NodeUnderTest();

  private Snapshot snapshot(String name) throws IOException {
    return node.volumes()
        .snapshots()
        .create(
            SnapshotVolumeRequest.newBuilder().setVolume("v").setName(name).build(),
            Operation.Listener.NONE);
  }

  private void deleteSnapshot(String id) throws IOException {
    node.volumes()
        .snapshots()
        .delete(
            DeleteSnapshotRequest.newBuilder().setDriver(TestDriver.NAME).setSnapshotId(id).build(),
            Operation.Listener.NONE);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aSnapshotThatIsNotReadyIsLookedAtUntilItIs(boolean canLook) throws IOException {
    if (!canLook) {
      node.driver().storage.controller.remove(ControllerServiceCapability.RPC.Type.GET_SNAPSHOT);
      node.restart(); // it may have asked already what the driver can
    }
    node.create("v");
    node.driver().storage.looksUntilReady.set(2);
    Snapshot snapshot = snapshot("s");
    assertThat(snapshot.getReadyToUse()).isTrue();
    assertThat(node.driver().calls("GetSnapshot")).isEqualTo(canLook ? 2 : 0);
    assertThat(node.driver().calls("CreateSnapshot")).isEqualTo(canLook ? 1 : 3);

    deleteSnapshot(snapshot.getSnapshotId());
    assertThat(node.driver().storage.snapshots).isEmpty();
    deleteSnapshot(snapshot.getSnapshotId());
    node.driver().next("DeleteSnapshot", Misdeed.FORGETS);
    deleteSnapshot(snapshot.getSnapshotId());
  }

  @Test
  void aKillBehindTheCallAndTheCallersRetryEndInOneSnapshot() throws IOException {
    node.create("v");
    node.dieAt("SnapshotVolume:taken");
    assertThatThrownBy(() -> snapshot("s")).isInstanceOf(NodeUnderTest.Killed.class);
    node.restart();
    String id = snapshot("s").getSnapshotId();
    assertThat(node.driver().storage.snapshots).containsOnlyKeys(id);

    node.dieAt("DeleteSnapshot:deleted");
    assertThatThrownBy(() -> deleteSnapshot(id)).isInstanceOf(NodeUnderTest.Killed.class);
    node.restart();
    deleteSnapshot(id);
    assertThat(node.driver().storage.snapshots).isEmpty();
  }

  @Test
  void aKillBehindTheCallAndTheCallersRetryEndInOneGroup() throws IOException {
    node.create("v");
    node.dieAt("SnapshotGroup:taken");
    assertThatThrownBy(this::group).isInstanceOf(NodeUnderTest.Killed.class);
    node.restart();
    String id = group().getGroupSnapshotId();
    assertThat(node.driver().storage.groups).containsExactly(id);

    node.dieAt("DeleteSnapshotGroup:deleted");
    assertThatThrownBy(() -> deleteGroup(id)).isInstanceOf(NodeUnderTest.Killed.class);
    node.restart();
    deleteGroup(id);
    assertThat(node.driver().storage.groups).isEmpty();
  }

  private VolumeGroupSnapshot group() throws IOException {
    return node.volumes()
        .snapshots()
        .createGroup(
            SnapshotGroupRequest.newBuilder().setName("g").addVolumes("v").build(),
            Operation.Listener.NONE);
  }

  private void deleteGroup(String id) throws IOException {
    node.volumes()
        .snapshots()
        .deleteGroup(
            DeleteSnapshotGroupRequest.newBuilder()
                .setDriver(TestDriver.NAME)
                .setGroupSnapshotId(id)
                .build(),
            Operation.Listener.NONE);
  }

  @Test
  void listsAreReadPageByPage() throws IOException {
    node.create("v");
    for (String name : List.of("a", "b", "c", "d")) {
      node.create(name);
    }
    for (String name : List.of("1", "2", "3")) {
      snapshot(name);
    }
    DescribeStorageResponse storage =
        node.volumes()
            .queries()
            .describe(DescribeStorageRequest.newBuilder().setDriver(TestDriver.NAME).build());

    assertThat(storage.getVolumesList())
        .extracting(Volume::getVolumeId)
        .containsExactlyElementsOf(node.driver().storage.volumes.keySet());
    assertThat(storage.getSnapshotsList())
        .extracting(Snapshot::getSnapshotId)
        .containsExactlyElementsOf(node.driver().storage.snapshots.keySet());
    assertThat(node.driver().requests(ListVolumesRequest.class))
        .extracting(ListVolumesRequest::getStartingToken)
        .containsExactly("", "2", "4");
    assertThat(node.driver().calls("ListSnapshots")).isEqualTo(2);
  }
}
