package io.keelson.csi;

import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import io.keelson.csi.volume.MountTable;
import io.keelson.linux.Mounts;
import io.keelson.proto.csi.v1.NodeExpandVolumeRequest;
import io.keelson.proto.csi.v1.NodeExpandVolumeResponse;
import io.keelson.proto.csi.v1.NodeGetCapabilitiesRequest;
import io.keelson.proto.csi.v1.NodeGetCapabilitiesResponse;
import io.keelson.proto.csi.v1.NodeGetInfoRequest;
import io.keelson.proto.csi.v1.NodeGetInfoResponse;
import io.keelson.proto.csi.v1.NodeGetVolumeStatsRequest;
import io.keelson.proto.csi.v1.NodeGetVolumeStatsResponse;
import io.keelson.proto.csi.v1.NodeGrpc;
import io.keelson.proto.csi.v1.NodePublishVolumeRequest;
import io.keelson.proto.csi.v1.NodePublishVolumeResponse;
import io.keelson.proto.csi.v1.NodeServiceCapability;
import io.keelson.proto.csi.v1.NodeStageVolumeRequest;
import io.keelson.proto.csi.v1.NodeStageVolumeResponse;
import io.keelson.proto.csi.v1.NodeUnpublishVolumeRequest;
import io.keelson.proto.csi.v1.NodeUnpublishVolumeResponse;
import io.keelson.proto.csi.v1.NodeUnstageVolumeRequest;
import io.keelson.proto.csi.v1.NodeUnstageVolumeResponse;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The Node service of a {@link TestDriver}: a volume is a tmpfs that is mounted and bound. */
final class TestNodeService extends NodeGrpc.NodeImplBase {

  private final TestStorage storage;

  TestNodeService(TestStorage storage) {
    this.storage = storage;
  }

  private interface Work {
    void run() throws IOException;
  }

  private static <A> void answer(StreamObserver<A> answers, A answer, Work work) {
    try {
      work.run();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    answers.onNext(answer);
    answers.onCompleted();
  }

  @Override
  public void nodeGetCapabilities(
      NodeGetCapabilitiesRequest request, StreamObserver<NodeGetCapabilitiesResponse> answers) {
    NodeGetCapabilitiesResponse.Builder answer = NodeGetCapabilitiesResponse.newBuilder();
    storage.node.forEach(
        type ->
            answer.addCapabilities(
                NodeServiceCapability.newBuilder()
                    .setRpc(NodeServiceCapability.RPC.newBuilder().setType(type))));
    answers.onNext(answer.build());
    answers.onCompleted();
  }

  @Override
  public void nodeGetInfo(NodeGetInfoRequest request, StreamObserver<NodeGetInfoResponse> answers) {
    answers.onNext(
        NodeGetInfoResponse.newBuilder()
            .setNodeId(TestStorage.NODE_ID)
            .setMaxVolumesPerNode(storage.mostOnNode)
            .build());
    answers.onCompleted();
  }

  @Override
  public void nodeStageVolume(
      NodeStageVolumeRequest request, StreamObserver<NodeStageVolumeResponse> answers) {
    answer(
        answers,
        NodeStageVolumeResponse.getDefaultInstance(),
        () -> mount(Path.of(request.getStagingTargetPath())));
  }

  private static void mount(Path path) throws IOException {
    if (!MountTable.read().isMounted(path)) {
      Files.createDirectories(path);
      Mounts.mount("tmpfs", path, "tmpfs", 0, "size=64k");
    }
  }

  @Override
  public void nodeUnstageVolume(
      NodeUnstageVolumeRequest request, StreamObserver<NodeUnstageVolumeResponse> answers) {
    answer(
        answers,
        NodeUnstageVolumeResponse.getDefaultInstance(),
        () -> unmount(Path.of(request.getStagingTargetPath())));
  }

  private static void unmount(Path path) throws IOException {
    while (MountTable.read().isMounted(path)) {
      Mounts.unmount(path, 0);
    }
  }

  @Override
  public void nodePublishVolume(
      NodePublishVolumeRequest request, StreamObserver<NodePublishVolumeResponse> answers) {
    Path target = Path.of(request.getTargetPath());
    boolean staged =
        storage.node.contains(NodeServiceCapability.RPC.Type.STAGE_UNSTAGE_VOLUME)
            || !request.getStagingTargetPath().isEmpty();
    answer(
        answers,
        NodePublishVolumeResponse.getDefaultInstance(),
        () -> {
          if (!staged) {
            mount(target);
          } else if (!MountTable.read().isMounted(target)) {
            Files.createDirectories(target);
            Mounts.bind(Path.of(request.getStagingTargetPath()), target);
          }
          if (request.getReadonly() && !storage.readOnlyIsIgnored) {
            Mounts.remount(target, Mounts.MS_RDONLY);
          }
        });
  }

  @Override
  public void nodeUnpublishVolume(
      NodeUnpublishVolumeRequest request, StreamObserver<NodeUnpublishVolumeResponse> answers) {
    answer(
        answers,
        NodeUnpublishVolumeResponse.getDefaultInstance(),
        () -> unmount(Path.of(request.getTargetPath())));
  }

  @Override
  public void nodeExpandVolume(
      NodeExpandVolumeRequest request, StreamObserver<NodeExpandVolumeResponse> answers) {
    try {
      if (!MountTable.read().isMounted(Path.of(request.getVolumePath()))) {
        answers.onError(Status.NOT_FOUND.asRuntimeException());
        return;
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    long bytes = request.getCapacityRange().getRequiredBytes();
    storage.fileSystems.put(request.getVolumeId(), bytes);
    answers.onNext(NodeExpandVolumeResponse.newBuilder().setCapacityBytes(bytes).build());
    answers.onCompleted();
  }

  @Override
  public void nodeGetVolumeStats(
      NodeGetVolumeStatsRequest request, StreamObserver<NodeGetVolumeStatsResponse> answers) {
    answers.onNext(NodeGetVolumeStatsResponse.getDefaultInstance());
    answers.onCompleted();
  }
}
