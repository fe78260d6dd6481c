package io.keelson.csi.local;

import io.grpc.stub.StreamObserver;
import io.keelson.proto.csi.v1.BlockMetadataType;
import io.keelson.proto.csi.v1.GetMetadataAllocatedRequest;
import io.keelson.proto.csi.v1.GetMetadataAllocatedResponse;
import io.keelson.proto.csi.v1.GetMetadataDeltaRequest;
import io.keelson.proto.csi.v1.GetMetadataDeltaResponse;
import io.keelson.proto.csi.v1.SnapshotMetadataGrpc;
import io.keelson.proto.record.v1.LocalVolumeRecord;
import io.keelson.proto.record.v1.LocalVolumeRecord.Layout;

/** Which blocks of snapshots hold data (CSI spec, "Snapshot Metadata Service RPCs"). */
final class SnapshotMetadataService extends SnapshotMetadataGrpc.SnapshotMetadataImplBase {

  private final LocalStore store;

  SnapshotMetadataService(LocalStore store) {
    this.store = store;
  }

  @Override
  public void getMetadataAllocated(
      GetMetadataAllocatedRequest request, StreamObserver<GetMetadataAllocatedResponse> answers) {
    Failures.stream(
        answers,
        () -> {
          LocalVolumeRecord snapshot = snapshot(request.getSnapshotId(), "snapshot_id");
          check(snapshot, request.getStartingOffset(), request.getMaxResults());
          ImageBlocks blocks =
              new ImageBlocks(
                  request.getStartingOffset(),
                  request.getMaxResults(),
                  some ->
                      answers.onNext(
                          GetMetadataAllocatedResponse.newBuilder()
                              .setBlockMetadataType(BlockMetadataType.VARIABLE_LENGTH)
                              .setVolumeCapacityBytes(snapshot.getCapacityBytes())
                              .addAllBlockMetadata(some)
                              .build()));
          try (LocalStore.Held _ = store.hold(snapshot.getId())) {
            blocks.allocated(store.snapshots().image(snapshot.getId()));
          }
        });
  }

  @Override
  public void getMetadataDelta(
      GetMetadataDeltaRequest request, StreamObserver<GetMetadataDeltaResponse> answers) {
    Failures.stream(
        answers,
        () -> {
          LocalVolumeRecord base = snapshot(request.getBaseSnapshotId(), "base_snapshot_id");
          LocalVolumeRecord target = snapshot(request.getTargetSnapshotId(), "target_snapshot_id");
          check(target, request.getStartingOffset(), request.getMaxResults());
          if (!base.getSourceVolumeId().equals(target.getSourceVolumeId())) {
            throw Failures.invalid("the snapshots are of different volumes");
          }
          if (base.getId().equals(target.getId())) {
            return;
          }
          ImageBlocks blocks =
              new ImageBlocks(
                  request.getStartingOffset(),
                  request.getMaxResults(),
                  some ->
                      answers.onNext(
                          GetMetadataDeltaResponse.newBuilder()
                              .setBlockMetadataType(BlockMetadataType.VARIABLE_LENGTH)
                              .setVolumeCapacityBytes(target.getCapacityBytes())
                              .addAllBlockMetadata(some)
                              .build()));
          try (LocalStore.Held _ = store.hold(base.getId());
              LocalStore.Held _ = store.hold(target.getId())) {
            blocks.changed(
                store.snapshots().image(base.getId()), store.snapshots().image(target.getId()));
          }
        });
  }

  private LocalVolumeRecord snapshot(String id, String field) {
    LocalVolumeRecord snapshot = store.snapshots().get(Failures.required(id, field));
    if (snapshot.getLayout() != Layout.LAYOUT_IMAGE) {
      throw Failures.precondition(id + " is one of a folder, which has no blocks");
    }
    if (!snapshot.getReady()) {
      throw Failures.precondition(id + " is not taken yet");
    }
    return snapshot;
  }

  private static void check(LocalVolumeRecord snapshot, long offset, int maxResults) {
    if (offset < 0 || offset > snapshot.getCapacityBytes()) {
      throw Failures.outOfRange("starting_offset is not in the snapshot");
    }
    if (maxResults < 0) {
      throw Failures.invalid("max_results is negative");
    }
  }
}
