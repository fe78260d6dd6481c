package io.keelson.csi;

import io.grpc.stub.StreamObserver;
import io.keelson.proto.csi.v1.CreateVolumeGroupSnapshotRequest;
import io.keelson.proto.csi.v1.CreateVolumeGroupSnapshotResponse;
import io.keelson.proto.csi.v1.DeleteVolumeGroupSnapshotRequest;
import io.keelson.proto.csi.v1.DeleteVolumeGroupSnapshotResponse;
import io.keelson.proto.csi.v1.GetVolumeGroupSnapshotRequest;
import io.keelson.proto.csi.v1.GetVolumeGroupSnapshotResponse;
import io.keelson.proto.csi.v1.GroupControllerGetCapabilitiesRequest;
import io.keelson.proto.csi.v1.GroupControllerGetCapabilitiesResponse;
import io.keelson.proto.csi.v1.GroupControllerGrpc;
import io.keelson.proto.csi.v1.GroupControllerServiceCapability;
import io.keelson.proto.csi.v1.VolumeGroupSnapshot;

/** The GroupController service of a {@link TestDriver}. */
final class TestGroups extends GroupControllerGrpc.GroupControllerImplBase {

  private final TestStorage storage;

  TestGroups(TestStorage storage) {
    this.storage = storage;
  }

  @Override
  public void groupControllerGetCapabilities(
      GroupControllerGetCapabilitiesRequest request,
      StreamObserver<GroupControllerGetCapabilitiesResponse> answers) {
    GroupControllerGetCapabilitiesResponse.Builder answer =
        GroupControllerGetCapabilitiesResponse.newBuilder();
    answer
        .addCapabilitiesBuilder()
        .getRpcBuilder()
        .setType(GroupControllerServiceCapability.RPC.Type.CREATE_DELETE_GET_VOLUME_GROUP_SNAPSHOT);
    answers.onNext(answer.build());
    answers.onCompleted();
  }

  @Override
  public void createVolumeGroupSnapshot(
      CreateVolumeGroupSnapshotRequest request,
      StreamObserver<CreateVolumeGroupSnapshotResponse> answers) {
    String id = "id-of-" + request.getName();
    storage.groups.add(id);
    answers.onNext(
        CreateVolumeGroupSnapshotResponse.newBuilder().setGroupSnapshot(group(id)).build());
    answers.onCompleted();
  }

  @Override
  public void getVolumeGroupSnapshot(
      GetVolumeGroupSnapshotRequest request,
      StreamObserver<GetVolumeGroupSnapshotResponse> answers) {
    answers.onNext(
        GetVolumeGroupSnapshotResponse.newBuilder()
            .setGroupSnapshot(group(request.getGroupSnapshotId()))
            .build());
    answers.onCompleted();
  }

  @Override
  public void deleteVolumeGroupSnapshot(
      DeleteVolumeGroupSnapshotRequest request,
      StreamObserver<DeleteVolumeGroupSnapshotResponse> answers) {
    storage.groups.remove(request.getGroupSnapshotId());
    answers.onNext(DeleteVolumeGroupSnapshotResponse.getDefaultInstance());
    answers.onCompleted();
  }

  private VolumeGroupSnapshot group(String id) {
    boolean ready = storage.looksUntilReady.getAndUpdate(n -> Math.max(0, n - 1)) == 0;
    return VolumeGroupSnapshot.newBuilder().setGroupSnapshotId(id).setReadyToUse(ready).build();
  }
}
