package io.keelson.csi.local;

import io.grpc.stub.StreamObserver;
import io.keelson.csi.quota.FileSystemUsage;
import io.keelson.linux.LoopDevices;
import io.keelson.linux.MountInfo;
import io.keelson.proto.csi.v1.CapacityRange;
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
import io.keelson.proto.csi.v1.VolumeCapability;
import io.keelson.proto.csi.v1.VolumeUsage;
import io.keelson.proto.record.v1.LocalVolumeRecord;
import io.keelson.proto.record.v1.LocalVolumeRecord.Layout;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** What the local driver does on the node (CSI spec, "Node Service RPC"). */
final class NodeService extends NodeGrpc.NodeImplBase {

  private static final String EPHEMERAL = "csi.storage.k8s.io/ephemeral";
  private static final List<NodeServiceCapability.RPC.Type> CAPABILITIES =
      List.of(
          NodeServiceCapability.RPC.Type.STAGE_UNSTAGE_VOLUME,
          NodeServiceCapability.RPC.Type.GET_VOLUME_STATS,
          NodeServiceCapability.RPC.Type.EXPAND_VOLUME,
          NodeServiceCapability.RPC.Type.SINGLE_NODE_MULTI_WRITER);

  private final LocalStore store;
  private final Provisioner provisioner;
  private final NodeMounts mounts;
  private final Topologies topologies;
  private final String nodeId;

  NodeService(
      LocalStore store,
      Provisioner provisioner,
      NodeMounts mounts,
      Topologies topologies,
      String nodeId) {
    this.store = store;
    this.provisioner = provisioner;
    this.mounts = mounts;
    this.topologies = topologies;
    this.nodeId = nodeId;
  }

  @Override
  public void nodeGetCapabilities(
      NodeGetCapabilitiesRequest request, StreamObserver<NodeGetCapabilitiesResponse> answers) {
    Failures.answer(
        answers,
        () ->
            NodeGetCapabilitiesResponse.newBuilder()
                .addAllCapabilities(
                    CAPABILITIES.stream()
                        .map(
                            type ->
                                NodeServiceCapability.newBuilder()
                                    .setRpc(NodeServiceCapability.RPC.newBuilder().setType(type))
                                    .build())
                        .toList())
                .build());
  }

  @Override
  public void nodeGetInfo(NodeGetInfoRequest request, StreamObserver<NodeGetInfoResponse> answers) {
    Failures.answer(
        answers,
        () ->
            NodeGetInfoResponse.newBuilder()
                .setNodeId(nodeId)
                .setAccessibleTopology(topologies.here())
                .build());
  }

  @Override
  public void nodeStageVolume(
      NodeStageVolumeRequest request, StreamObserver<NodeStageVolumeResponse> answers) {
    Failures.answer(
        answers,
        () -> {
          String id = Failures.required(request.getVolumeId(), "volume_id");
          Path staging = path(request.getStagingTargetPath(), "staging_target_path");
          VolumeCapability capability = checked(request.getVolumeCapability());
          try (LocalStore.Held _ = store.hold(id)) {
            stage(volume(id, capability), staging, capability);
          }
          return NodeStageVolumeResponse.getDefaultInstance();
        });
  }

  private void stage(LocalVolumeRecord volume, Path staging, VolumeCapability capability)
      throws IOException {
    Path content = store.volumes().content(volume);
    if (capability.hasBlock()) {
      LoopDevices.attach(content, false);
    } else if (volume.getLayout() == Layout.LAYOUT_IMAGE) {
      mounts.mountImage(content, staging, capability.getMount());
    } else {
      mounts.bind(content, staging, true, false);
    }
  }

  @Override
  public void nodeUnstageVolume(
      NodeUnstageVolumeRequest request, StreamObserver<NodeUnstageVolumeResponse> answers) {
    Failures.answer(
        answers,
        () -> {
          String id = Failures.required(request.getVolumeId(), "volume_id");
          Path staging = path(request.getStagingTargetPath(), "staging_target_path");
          try (LocalStore.Held _ = store.hold(id)) {
            LocalVolumeRecord volume = store.volumes().get(id);
            mounts.unmount(staging);
            if (volume.getLayout() == Layout.LAYOUT_IMAGE) {
              NodeMounts.detachLoops(store.volumes().image(id));
            }
          }
          return NodeUnstageVolumeResponse.getDefaultInstance();
        });
  }

  @Override
  public void nodePublishVolume(
      NodePublishVolumeRequest request, StreamObserver<NodePublishVolumeResponse> answers) {
    Failures.answer(
        answers,
        () -> {
          String id = Failures.required(request.getVolumeId(), "volume_id");
          Path target = path(request.getTargetPath(), "target_path");
          VolumeCapability capability = checked(request.getVolumeCapability());
          Map<String, String> context = request.getVolumeContextMap();
          if (context.getOrDefault(EPHEMERAL, "").equals("true")) {
            publishEphemeral(id, context, target);
            return NodePublishVolumeResponse.getDefaultInstance();
          }
          Path staging = path(request.getStagingTargetPath(), "staging_target_path");
          try (LocalStore.Held _ = store.hold(id)) {
            LocalVolumeRecord volume = volume(id, capability);
            SecondCalls.checkAlone(
                id,
                store.volumes().content(volume),
                capability.getAccessMode().getMode(),
                staging,
                target);
            if (capability.hasBlock()) {
              Path image = store.volumes().image(id);
              mounts.bind(LoopDevices.attach(image, request.getReadonly()), target, false, false);
            } else {
              if (!NodeMounts.isMounted(staging)) {
                throw Failures.precondition("volume " + id + " is not staged at " + staging);
              }
              SecondCalls.checkSame(id, target, request.getReadonly());
              mounts.bind(staging, target, true, request.getReadonly());
            }
          }
          return NodePublishVolumeResponse.getDefaultInstance();
        });
  }

  /** A folder that lives and dies with its publication. */
  private void publishEphemeral(String id, Map<String, String> context, Path target)
      throws IOException {
    LocalVolumeRecord volume = provisioner.createEphemeral(id, context.getOrDefault("size", ""));
    try (LocalStore.Held _ = store.hold(id)) {
      if (volume.getLayout() == Layout.LAYOUT_IMAGE) {
        mounts.mountImage(
            store.volumes().image(id), target, VolumeCapability.MountVolume.getDefaultInstance());
      } else {
        mounts.bind(store.volumes().data(id), target, true, false);
      }
    }
  }

  @Override
  public void nodeUnpublishVolume(
      NodeUnpublishVolumeRequest request, StreamObserver<NodeUnpublishVolumeResponse> answers) {
    Failures.answer(
        answers,
        () -> {
          String id = Failures.required(request.getVolumeId(), "volume_id");
          Path target = path(request.getTargetPath(), "target_path");
          LocalVolumeRecord volume = store.volumes().get(id);
          try (LocalStore.Held _ = store.hold(id)) {
            mounts.unmount(target);
            Files.deleteIfExists(target);
            if (volume.getEphemeral() && volume.getLayout() == Layout.LAYOUT_IMAGE) {
              NodeMounts.detachLoops(store.volumes().image(id));
            }
          }
          if (volume.getEphemeral()) {
            provisioner.delete(id);
          }
          return NodeUnpublishVolumeResponse.getDefaultInstance();
        });
  }

  @Override
  public void nodeGetVolumeStats(
      NodeGetVolumeStatsRequest request, StreamObserver<NodeGetVolumeStatsResponse> answers) {
    Failures.answer(
        answers,
        () -> {
          String id = Failures.required(request.getVolumeId(), "volume_id");
          Path path = Path.of(Failures.required(request.getVolumePath(), "volume_path"));
          LocalVolumeRecord volume = store.volumes().get(id);
          if (!NodeMounts.isMounted(path)) {
            throw Failures.notFound("volume " + volume.getId() + " is not at " + path);
          }
          return Files.isDirectory(path) ? usage(path) : deviceUsage(volume);
        });
  }

  private static NodeGetVolumeStatsResponse usage(Path path) throws IOException {
    return NodeGetVolumeStatsResponse.newBuilder().addAllUsage(FileSystemUsage.of(path)).build();
  }

  private static NodeGetVolumeStatsResponse deviceUsage(LocalVolumeRecord volume) {
    return NodeGetVolumeStatsResponse.newBuilder()
        .addUsage(
            VolumeUsage.newBuilder()
                .setUnit(VolumeUsage.Unit.BYTES)
                .setTotal(volume.getCapacityBytes()))
        .build();
  }

  @Override
  public void nodeExpandVolume(
      NodeExpandVolumeRequest request, StreamObserver<NodeExpandVolumeResponse> answers) {
    Failures.answer(
        answers,
        () -> {
          String id = Failures.required(request.getVolumeId(), "volume_id");
          Path path = Path.of(Failures.required(request.getVolumePath(), "volume_path"));
          CapacityRange range = request.getCapacityRange();
          try (LocalStore.Held _ = store.hold(id)) {
            LocalVolumeRecord volume = store.volumes().get(id);
            MountInfo mount =
                NodeMounts.find(path)
                    .orElseThrow(() -> Failures.notFound("volume " + id + " is not at " + path));
            if (range.getLimitBytes() > 0 && range.getLimitBytes() < volume.getCapacityBytes()) {
              throw Failures.outOfRange("the volume is larger than that already");
            }
            if (volume.getLayout() == Layout.LAYOUT_IMAGE && Files.isDirectory(path)) {
              mounts.growFileSystem(Path.of(mount.source()), path, mount.type());
            }
            return NodeExpandVolumeResponse.newBuilder()
                .setCapacityBytes(volume.getCapacityBytes())
                .build();
          }
        });
  }

  private LocalVolumeRecord volume(String id, VolumeCapability capability) {
    LocalVolumeRecord volume = store.volumes().get(id);
    if (!Capabilities.fits(capability, volume.getLayout())) {
      throw Failures.invalid("volume " + id + " can't be used in this way");
    }
    return volume;
  }

  private static VolumeCapability checked(VolumeCapability capability) {
    Capabilities.check(capability);
    return capability;
  }

  private static Path path(String text, String field) {
    Failures.required(text, field);
    if (!text.startsWith("/")) {
      throw Failures.invalid(field + " is not an absolute path");
    }
    return Path.of(text).normalize();
  }
}
