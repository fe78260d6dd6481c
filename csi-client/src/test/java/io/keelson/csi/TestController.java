package io.keelson.csi;

import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import io.keelson.proto.csi.v1.ControllerExpandVolumeRequest;
import io.keelson.proto.csi.v1.ControllerExpandVolumeResponse;
import io.keelson.proto.csi.v1.ControllerGetCapabilitiesRequest;
import io.keelson.proto.csi.v1.ControllerGetCapabilitiesResponse;
import io.keelson.proto.csi.v1.ControllerGetVolumeRequest;
import io.keelson.proto.csi.v1.ControllerGetVolumeResponse;
import io.keelson.proto.csi.v1.ControllerGrpc;
import io.keelson.proto.csi.v1.ControllerModifyVolumeRequest;
import io.keelson.proto.csi.v1.ControllerModifyVolumeResponse;
import io.keelson.proto.csi.v1.ControllerPublishVolumeRequest;
import io.keelson.proto.csi.v1.ControllerPublishVolumeResponse;
import io.keelson.proto.csi.v1.ControllerServiceCapability;
import io.keelson.proto.csi.v1.ControllerUnpublishVolumeRequest;
import io.keelson.proto.csi.v1.ControllerUnpublishVolumeResponse;
import io.keelson.proto.csi.v1.CreateSnapshotRequest;
import io.keelson.proto.csi.v1.CreateSnapshotResponse;
import io.keelson.proto.csi.v1.CreateVolumeRequest;
import io.keelson.proto.csi.v1.CreateVolumeResponse;
import io.keelson.proto.csi.v1.DeleteSnapshotRequest;
import io.keelson.proto.csi.v1.DeleteSnapshotResponse;
import io.keelson.proto.csi.v1.DeleteVolumeRequest;
import io.keelson.proto.csi.v1.DeleteVolumeResponse;
import io.keelson.proto.csi.v1.GetCapacityRequest;
import io.keelson.proto.csi.v1.GetCapacityResponse;
import io.keelson.proto.csi.v1.GetSnapshotRequest;
import io.keelson.proto.csi.v1.GetSnapshotResponse;
import io.keelson.proto.csi.v1.ListSnapshotsRequest;
import io.keelson.proto.csi.v1.ListSnapshotsResponse;
import io.keelson.proto.csi.v1.ListVolumesRequest;
import io.keelson.proto.csi.v1.ListVolumesResponse;
import io.keelson.proto.csi.v1.Snapshot;
import io.keelson.proto.csi.v1.ValidateVolumeCapabilitiesRequest;
import io.keelson.proto.csi.v1.ValidateVolumeCapabilitiesResponse;
import io.keelson.proto.csi.v1.Volume;
import java.util.List;
import java.util.function.Consumer;

/** The Controller service of a {@link TestDriver}. */
final class TestController extends ControllerGrpc.ControllerImplBase {

  private final TestStorage storage;

  TestController(TestStorage storage) {
    this.storage = storage;
  }

  private static <A> void answer(StreamObserver<A> answers, A answer) {
    answers.onNext(answer);
    answers.onCompleted();
  }

  @Override
  public void controllerGetCapabilities(
      ControllerGetCapabilitiesRequest request,
      StreamObserver<ControllerGetCapabilitiesResponse> answers) {
    ControllerGetCapabilitiesResponse.Builder answer =
        ControllerGetCapabilitiesResponse.newBuilder();
    storage.controller.forEach(
        type ->
            answer.addCapabilities(
                ControllerServiceCapability.newBuilder()
                    .setRpc(ControllerServiceCapability.RPC.newBuilder().setType(type))));
    answer(answers, answer.build());
  }

  @Override
  public void createVolume(
      CreateVolumeRequest request, StreamObserver<CreateVolumeResponse> answers) {
    String id = "id-of-" + request.getName();
    long bytes = request.getCapacityRange().getRequiredBytes();
    if (storage.volumes.getOrDefault(id, bytes) != bytes) {
      answers.onError(Status.ALREADY_EXISTS.asRuntimeException());
      return;
    }
    storage.volumes.put(id, bytes);
    answer(answers, CreateVolumeResponse.newBuilder().setVolume(volume(id)).build());
  }

  private Volume volume(String id) {
    return Volume.newBuilder()
        .setVolumeId(id)
        .setCapacityBytes(storage.volumes.getOrDefault(id, 0L))
        .putAllVolumeContext(TestStorage.VOLUME_CONTEXT)
        .build();
  }

  @Override
  public void deleteVolume(
      DeleteVolumeRequest request, StreamObserver<DeleteVolumeResponse> answers) {
    storage.volumes.remove(request.getVolumeId());
    answer(answers, DeleteVolumeResponse.getDefaultInstance());
  }

  @Override
  public void controllerPublishVolume(
      ControllerPublishVolumeRequest request,
      StreamObserver<ControllerPublishVolumeResponse> answers) {
    storage.attached.add(request.getVolumeId());
    answer(
        answers,
        ControllerPublishVolumeResponse.newBuilder()
            .putAllPublishContext(TestStorage.PUBLISH_CONTEXT)
            .build());
  }

  @Override
  public void controllerUnpublishVolume(
      ControllerUnpublishVolumeRequest request,
      StreamObserver<ControllerUnpublishVolumeResponse> answers) {
    storage.attached.remove(request.getVolumeId());
    answer(answers, ControllerUnpublishVolumeResponse.getDefaultInstance());
  }

  @Override
  public void validateVolumeCapabilities(
      ValidateVolumeCapabilitiesRequest request,
      StreamObserver<ValidateVolumeCapabilitiesResponse> answers) {
    answer(
        answers,
        ValidateVolumeCapabilitiesResponse.newBuilder()
            .setConfirmed(ValidateVolumeCapabilitiesResponse.Confirmed.getDefaultInstance())
            .build());
  }

  @Override
  public void controllerGetVolume(
      ControllerGetVolumeRequest request, StreamObserver<ControllerGetVolumeResponse> answers) {
    answer(
        answers,
        ControllerGetVolumeResponse.newBuilder().setVolume(volume(request.getVolumeId())).build());
  }

  @Override
  public void getCapacity(GetCapacityRequest request, StreamObserver<GetCapacityResponse> answers) {
    answer(answers, GetCapacityResponse.newBuilder().setAvailableCapacity(1).build());
  }

  @Override
  public void listVolumes(ListVolumesRequest request, StreamObserver<ListVolumesResponse> answers) {
    ListVolumesResponse.Builder answer = ListVolumesResponse.newBuilder();
    answer.setNextToken(
        page(
            storage.volumes.keySet().stream().toList(),
            request.getStartingToken(),
            id -> answer.addEntriesBuilder().setVolume(volume(id))));
    answer(answers, answer.build());
  }

  @Override
  public void listSnapshots(
      ListSnapshotsRequest request, StreamObserver<ListSnapshotsResponse> answers) {
    ListSnapshotsResponse.Builder answer = ListSnapshotsResponse.newBuilder();
    answer.setNextToken(
        page(
            storage.snapshots.keySet().stream().toList(),
            request.getStartingToken(),
            id -> answer.addEntriesBuilder().setSnapshot(snapshot(id))));
    answer(answers, answer.build());
  }

  /** Answers the token of the next page, {@code ""} if this is the last one. */
  private static String page(List<String> all, String token, Consumer<String> add) {
    int begin = token.isEmpty() ? 0 : Integer.parseInt(token);
    int end = Math.min(all.size(), begin + TestStorage.PAGE);
    all.subList(begin, end).forEach(add);
    return end == all.size() ? "" : Integer.toString(end);
  }

  @Override
  public void createSnapshot(
      CreateSnapshotRequest request, StreamObserver<CreateSnapshotResponse> answers) {
    String id = "id-of-" + request.getName();
    storage.snapshots.put(id, request.getSourceVolumeId());
    answer(answers, CreateSnapshotResponse.newBuilder().setSnapshot(look(id)).build());
  }

  @Override
  public void getSnapshot(GetSnapshotRequest request, StreamObserver<GetSnapshotResponse> answers) {
    answer(
        answers,
        GetSnapshotResponse.newBuilder().setSnapshot(look(request.getSnapshotId())).build());
  }

  private Snapshot look(String id) {
    boolean ready = storage.looksUntilReady.getAndUpdate(n -> Math.max(0, n - 1)) == 0;
    return snapshot(id).toBuilder().setReadyToUse(ready).build();
  }

  private Snapshot snapshot(String id) {
    return Snapshot.newBuilder()
        .setSnapshotId(id)
        .setSourceVolumeId(storage.snapshots.getOrDefault(id, ""))
        .build();
  }

  @Override
  public void deleteSnapshot(
      DeleteSnapshotRequest request, StreamObserver<DeleteSnapshotResponse> answers) {
    storage.snapshots.remove(request.getSnapshotId());
    answer(answers, DeleteSnapshotResponse.getDefaultInstance());
  }

  @Override
  public void controllerExpandVolume(
      ControllerExpandVolumeRequest request,
      StreamObserver<ControllerExpandVolumeResponse> answers) {
    long bytes =
        storage.volumes.merge(
            request.getVolumeId(), request.getCapacityRange().getRequiredBytes(), Math::max);
    answer(
        answers,
        ControllerExpandVolumeResponse.newBuilder()
            .setCapacityBytes(bytes)
            .setNodeExpansionRequired(true)
            .build());
  }

  @Override
  public void controllerModifyVolume(
      ControllerModifyVolumeRequest request,
      StreamObserver<ControllerModifyVolumeResponse> answers) {
    answer(answers, ControllerModifyVolumeResponse.getDefaultInstance());
  }
}
