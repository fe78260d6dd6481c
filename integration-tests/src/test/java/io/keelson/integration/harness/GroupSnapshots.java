package io.keelson.integration.harness;

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
import io.keelson.proto.csi.v1.PluginCapability;
import io.keelson.proto.csi.v1.Snapshot;
import io.keelson.proto.csi.v1.VolumeGroupSnapshot;
import java.util.List;

/**
 * Snapshots of groups that hold nothing. They can be used at the second look only, as those of
 * drivers that copy.
 */
final class GroupSnapshots extends GroupControllerGrpc.GroupControllerImplBase {

  static final PluginCapability CAPABILITY =
      PluginCapability.newBuilder()
          .setService(
              PluginCapability.Service.newBuilder()
                  .setType(PluginCapability.Service.Type.GROUP_CONTROLLER_SERVICE))
          .build();

  @Override
  public void groupControllerGetCapabilities(
      GroupControllerGetCapabilitiesRequest request,
      StreamObserver<GroupControllerGetCapabilitiesResponse> answers) {
    answers.onNext(
        GroupControllerGetCapabilitiesResponse.newBuilder()
            .addCapabilities(
                GroupControllerServiceCapability.newBuilder()
                    .setRpc(
                        GroupControllerServiceCapability.RPC
                            .newBuilder()
                            .setType(
                                GroupControllerServiceCapability.RPC
                                    .Type
                                    .CREATE_DELETE_GET_VOLUME_GROUP_SNAPSHOT)))
            .build());
    answers.onCompleted();
  }

  @Override
  public void createVolumeGroupSnapshot(
      CreateVolumeGroupSnapshotRequest request,
      StreamObserver<CreateVolumeGroupSnapshotResponse> answers) {
    List<String> snapshots =
        request.getSourceVolumeIdsList().stream().map(volume -> "of-" + volume).toList();
    answers.onNext(
        CreateVolumeGroupSnapshotResponse.newBuilder()
            .setGroupSnapshot(group(request.getName(), snapshots, false))
            .build());
    answers.onCompleted();
  }

  @Override
  public void getVolumeGroupSnapshot(
      GetVolumeGroupSnapshotRequest request,
      StreamObserver<GetVolumeGroupSnapshotResponse> answers) {
    answers.onNext(
        GetVolumeGroupSnapshotResponse.newBuilder()
            .setGroupSnapshot(
                group(request.getGroupSnapshotId(), request.getSnapshotIdsList(), true))
            .build());
    answers.onCompleted();
  }

  @Override
  public void deleteVolumeGroupSnapshot(
      DeleteVolumeGroupSnapshotRequest request,
      StreamObserver<DeleteVolumeGroupSnapshotResponse> answers) {
    answers.onNext(DeleteVolumeGroupSnapshotResponse.getDefaultInstance());
    answers.onCompleted();
  }

  private static VolumeGroupSnapshot group(String id, List<String> snapshots, boolean ready) {
    return VolumeGroupSnapshot.newBuilder()
        .setGroupSnapshotId(id)
        .addAllSnapshots(
            snapshots.stream()
                .map(each -> Snapshot.newBuilder().setSnapshotId(each).setReadyToUse(ready).build())
                .toList())
        .setReadyToUse(ready)
        .build();
  }
}
