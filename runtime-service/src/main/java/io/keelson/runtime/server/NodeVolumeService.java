package io.keelson.runtime.server;

import io.grpc.StatusRuntimeException;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.keelson.csi.NodeVolumes;
import io.keelson.csi.volume.PublicationRequest;
import io.keelson.proto.node.v1.CreateVolumeRequest;
import io.keelson.proto.node.v1.DeleteSnapshotGroupRequest;
import io.keelson.proto.node.v1.DeleteSnapshotRequest;
import io.keelson.proto.node.v1.DeleteVolumeRequest;
import io.keelson.proto.node.v1.DescribeStorageRequest;
import io.keelson.proto.node.v1.DescribeStorageResponse;
import io.keelson.proto.node.v1.DescribeVolumeRequest;
import io.keelson.proto.node.v1.DescribeVolumeResponse;
import io.keelson.proto.node.v1.ExpandVolumeRequest;
import io.keelson.proto.node.v1.ListDriversRequest;
import io.keelson.proto.node.v1.ListDriversResponse;
import io.keelson.proto.node.v1.ListVolumesRequest;
import io.keelson.proto.node.v1.ListVolumesResponse;
import io.keelson.proto.node.v1.ModifyVolumeRequest;
import io.keelson.proto.node.v1.PublishVolumeRequest;
import io.keelson.proto.node.v1.SnapshotBlocksRequest;
import io.keelson.proto.node.v1.SnapshotBlocksResponse;
import io.keelson.proto.node.v1.SnapshotGroupRequest;
import io.keelson.proto.node.v1.SnapshotVolumeRequest;
import io.keelson.proto.node.v1.UnpublishVolumeRequest;
import io.keelson.proto.node.v1.VolumeProgress;
import io.keelson.proto.node.v1.VolumeServiceGrpc.VolumeServiceImplBase;
import io.keelson.proto.node.v1.VolumeStatsRequest;
import io.keelson.proto.node.v1.VolumeStatsResponse;
import io.keelson.sandbox.error.InvalidRequestException;
import java.io.IOException;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** {@code keelson.node.v1.VolumeService}: volumes for whoever is no kubelet. */
public final class NodeVolumeService extends VolumeServiceImplBase {

  private static final Pattern ID =
      Pattern.compile("[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?");

  private static final Logger log = LoggerFactory.getLogger(NodeVolumeService.class);

  private final NodeVolumes volumes;

  public NodeVolumeService(NodeVolumes volumes) {
    this.volumes = volumes;
  }

  @Override
  public void createVolume(CreateVolumeRequest request, StreamObserver<VolumeProgress> answers) {
    answer(
        answers,
        steps ->
            VolumeProgress.newBuilder()
                .setVolume(volumes.provisioning().create(request, steps::step)));
  }

  @Override
  public void deleteVolume(DeleteVolumeRequest request, StreamObserver<VolumeProgress> answers) {
    gone(answers, steps -> volumes.provisioning().delete(request.getName(), steps::step));
  }

  @Override
  public void publishVolume(PublishVolumeRequest request, StreamObserver<VolumeProgress> answers) {
    answer(
        answers,
        steps ->
            VolumeProgress.newBuilder()
                .setPublication(
                    volumes
                        .volumes()
                        .publish(
                            PublicationRequest.ofNode(id(request.getId()), request.getSource()),
                            steps::step)));
  }

  @Override
  public void unpublishVolume(
      UnpublishVolumeRequest request, StreamObserver<VolumeProgress> answers) {
    gone(answers, steps -> volumes.volumes().unpublish(id(request.getId()), steps::step));
  }

  @Override
  public void expandVolume(ExpandVolumeRequest request, StreamObserver<VolumeProgress> answers) {
    answer(
        answers,
        steps ->
            VolumeProgress.newBuilder()
                .setVolume(
                    volumes
                        .provisioning()
                        .expand(request.getName(), request.getSizeBytes(), steps::step)));
  }

  @Override
  public void modifyVolume(ModifyVolumeRequest request, StreamObserver<VolumeProgress> answers) {
    answer(
        answers,
        steps ->
            VolumeProgress.newBuilder()
                .setVolume(volumes.provisioning().modify(request, steps::step)));
  }

  @Override
  public void snapshotVolume(
      SnapshotVolumeRequest request, StreamObserver<VolumeProgress> answers) {
    answer(
        answers,
        steps ->
            VolumeProgress.newBuilder()
                .setSnapshot(volumes.snapshots().create(request, steps::step)));
  }

  @Override
  public void deleteSnapshot(
      DeleteSnapshotRequest request, StreamObserver<VolumeProgress> answers) {
    gone(answers, steps -> volumes.snapshots().delete(request, steps::step));
  }

  @Override
  public void snapshotGroup(SnapshotGroupRequest request, StreamObserver<VolumeProgress> answers) {
    answer(
        answers,
        steps ->
            VolumeProgress.newBuilder()
                .setGroup(volumes.snapshots().createGroup(request, steps::step)));
  }

  @Override
  public void deleteSnapshotGroup(
      DeleteSnapshotGroupRequest request, StreamObserver<VolumeProgress> answers) {
    gone(answers, steps -> volumes.snapshots().deleteGroup(request, steps::step));
  }

  @Override
  public void snapshotBlocks(
      SnapshotBlocksRequest request, StreamObserver<SnapshotBlocksResponse> answers) {
    Answers.many(answers, sink -> volumes.snapshotBlocks().list(request, sink));
  }

  @Override
  public void describeVolume(
      DescribeVolumeRequest request, StreamObserver<DescribeVolumeResponse> answers) {
    Answers.one(
        answers,
        () ->
            volumes.queries().volume(request.getName()).toBuilder()
                .setUnusable(volumes.provisioning().validate(request.getName()))
                .build());
  }

  @Override
  public void volumeStats(VolumeStatsRequest request, StreamObserver<VolumeStatsResponse> answers) {
    Answers.one(answers, () -> volumes.queries().stats(request.getName()));
  }

  @Override
  public void listVolumes(ListVolumesRequest request, StreamObserver<ListVolumesResponse> answers) {
    Answers.one(
        answers,
        () -> ListVolumesResponse.newBuilder().addAllVolumes(volumes.health().list()).build());
  }

  @Override
  public void listDrivers(ListDriversRequest request, StreamObserver<ListDriversResponse> answers) {
    Answers.one(
        answers,
        () -> ListDriversResponse.newBuilder().addAllDrivers(volumes.queries().drivers()).build());
  }

  @Override
  public void describeStorage(
      DescribeStorageRequest request, StreamObserver<DescribeStorageResponse> answers) {
    Answers.one(answers, () -> volumes.queries().describe(request));
  }

  private static String id(String id) {
    if (!ID.matcher(id).matches()) {
      throw new InvalidRequestException(
          "\"" + id + "\" is no id of a publication (1 to 63 of a-z, A-Z, 0-9, '-', '.', '_')");
    }
    return id;
  }

  private interface Work {
    VolumeProgress.Builder run(VolumeSteps steps) throws IOException;
  }

  /** Steps as they come, then the result. */
  private static void answer(StreamObserver<VolumeProgress> answers, Work work) {
    Answers.one(answers, () -> work.run(new VolumeSteps(answers)).build());
  }

  private interface Removal {
    void run(VolumeSteps steps) throws IOException;
  }

  /** Steps as they come, and at the end that it is gone. */
  private static void gone(StreamObserver<VolumeProgress> answers, Removal removal) {
    answer(
        answers,
        steps -> {
          removal.run(steps);
          return VolumeProgress.newBuilder().setGone(true);
        });
  }

  /** Tells a caller of the steps; all come on the call's own thread. */
  private record VolumeSteps(StreamObserver<VolumeProgress> answers) {
    /** A caller that has gone does not keep the work from being done. */
    void step(String step, int attempt, String failure) {
      if (answers instanceof ServerCallStreamObserver<VolumeProgress> call && call.isCancelled()) {
        return;
      }
      try {
        answers.onNext(
            VolumeProgress.newBuilder()
                .setStep(step)
                .setAttempt(attempt)
                .setMessage(failure)
                .build());
      } catch (StatusRuntimeException | IllegalStateException e) {
        log.atDebug().setCause(e).log("the caller has gone while a volume is at work");
      }
    }
  }
}
