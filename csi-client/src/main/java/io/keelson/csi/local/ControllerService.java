package io.keelson.csi.local;

import com.google.protobuf.Int64Value;
import io.grpc.stub.StreamObserver;
import io.keelson.linux.FileSystemSpace;
import io.keelson.proto.csi.v1.ControllerExpandVolumeRequest;
import io.keelson.proto.csi.v1.ControllerExpandVolumeResponse;
import io.keelson.proto.csi.v1.ControllerGetCapabilitiesRequest;
import io.keelson.proto.csi.v1.ControllerGetCapabilitiesResponse;
import io.keelson.proto.csi.v1.ControllerGetVolumeRequest;
import io.keelson.proto.csi.v1.ControllerGetVolumeResponse;
import io.keelson.proto.csi.v1.ControllerGrpc;
import io.keelson.proto.csi.v1.ControllerServiceCapability;
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
import io.keelson.proto.csi.v1.ValidateVolumeCapabilitiesRequest;
import io.keelson.proto.csi.v1.ValidateVolumeCapabilitiesResponse;
import io.keelson.proto.csi.v1.VolumeCondition;
import io.keelson.proto.csi.v1.VolumeContentSource;
import io.keelson.proto.record.v1.LocalVolumeRecord;
import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import java.util.stream.Stream;

/** Volumes and snapshots of the local driver (CSI spec, "Controller Service RPC"). */
final class ControllerService extends ControllerGrpc.ControllerImplBase {

  private static final List<ControllerServiceCapability.RPC.Type> CAPABILITIES =
      List.of(
          ControllerServiceCapability.RPC.Type.CREATE_DELETE_VOLUME,
          ControllerServiceCapability.RPC.Type.LIST_VOLUMES,
          ControllerServiceCapability.RPC.Type.GET_CAPACITY,
          ControllerServiceCapability.RPC.Type.CREATE_DELETE_SNAPSHOT,
          ControllerServiceCapability.RPC.Type.LIST_SNAPSHOTS,
          ControllerServiceCapability.RPC.Type.GET_SNAPSHOT,
          ControllerServiceCapability.RPC.Type.CLONE_VOLUME,
          ControllerServiceCapability.RPC.Type.EXPAND_VOLUME,
          ControllerServiceCapability.RPC.Type.GET_VOLUME,
          ControllerServiceCapability.RPC.Type.VOLUME_CONDITION,
          ControllerServiceCapability.RPC.Type.SINGLE_NODE_MULTI_WRITER);

  private final LocalStore store;
  private final Provisioner provisioner;
  private final Snapshots snapshots;
  private final Topologies topologies;

  ControllerService(
      LocalStore store, Provisioner provisioner, Snapshots snapshots, Topologies topologies) {
    this.store = store;
    this.provisioner = provisioner;
    this.snapshots = snapshots;
    this.topologies = topologies;
  }

  @Override
  public void controllerGetCapabilities(
      ControllerGetCapabilitiesRequest request,
      StreamObserver<ControllerGetCapabilitiesResponse> answers) {
    Failures.answer(
        answers,
        () ->
            ControllerGetCapabilitiesResponse.newBuilder()
                .addAllCapabilities(
                    CAPABILITIES.stream()
                        .map(
                            type ->
                                ControllerServiceCapability.newBuilder()
                                    .setRpc(
                                        ControllerServiceCapability.RPC.newBuilder().setType(type))
                                    .build())
                        .toList())
                .build());
  }

  @Override
  public void createVolume(
      CreateVolumeRequest request, StreamObserver<CreateVolumeResponse> answers) {
    Failures.answer(
        answers,
        () -> {
          Failures.required(request.getName(), "name");
          boolean block = Capabilities.check(request.getVolumeCapabilitiesList());
          if (!topologies.areMet(request.getAccessibilityRequirements())) {
            throw Failures.outOfRange("the volume is wanted where this node is not");
          }
          VolumeContentSource source = request.getVolumeContentSource();
          if (request.hasVolumeContentSource()
              && source.getTypeCase() == VolumeContentSource.TypeCase.TYPE_NOT_SET) {
            throw Failures.invalid("volume_content_source names nothing");
          }
          LocalVolumeRecord volume =
              provisioner.create(
                  new Provisioner.Wish(
                      request.getName(),
                      request.getCapacityRange(),
                      block,
                      request.getParametersMap(),
                      source.getSnapshot().getSnapshotId(),
                      source.getVolume().getVolumeId()));
          return CreateVolumeResponse.newBuilder()
              .setVolume(Messages.volume(volume, topologies))
              .build();
        });
  }

  @Override
  public void deleteVolume(
      DeleteVolumeRequest request, StreamObserver<DeleteVolumeResponse> answers) {
    Failures.answer(
        answers,
        () -> {
          provisioner.delete(Failures.required(request.getVolumeId(), "volume_id"));
          return DeleteVolumeResponse.getDefaultInstance();
        });
  }

  @Override
  public void validateVolumeCapabilities(
      ValidateVolumeCapabilitiesRequest request,
      StreamObserver<ValidateVolumeCapabilitiesResponse> answers) {
    Failures.answer(
        answers,
        () -> {
          String id = Failures.required(request.getVolumeId(), "volume_id");
          if (request.getVolumeCapabilitiesCount() == 0) {
            throw Failures.invalid("volume_capabilities are missing");
          }
          LocalVolumeRecord volume = store.volumes().get(id);
          boolean all =
              request.getVolumeCapabilitiesList().stream()
                  .allMatch(each -> Capabilities.fits(each, volume.getLayout()));
          if (!all) {
            return ValidateVolumeCapabilitiesResponse.newBuilder()
                .setMessage("the volume can't be used in all of these ways")
                .build();
          }
          return ValidateVolumeCapabilitiesResponse.newBuilder()
              .setConfirmed(
                  ValidateVolumeCapabilitiesResponse.Confirmed.newBuilder()
                      .addAllVolumeCapabilities(request.getVolumeCapabilitiesList()))
              .build();
        });
  }

  @Override
  public void listVolumes(ListVolumesRequest request, StreamObserver<ListVolumesResponse> answers) {
    Failures.answer(
        answers,
        () -> {
          List<LocalVolumeRecord> ready =
              store.volumes().all().stream().filter(LocalVolumeRecord::getReady).toList();
          Pages<LocalVolumeRecord> page =
              Pages.of(
                  ready,
                  LocalVolumeRecord::getId,
                  request.getStartingToken(),
                  request.getMaxEntries());
          return ListVolumesResponse.newBuilder()
              .addAllEntries(
                  page.entries().stream()
                      .map(
                          each ->
                              ListVolumesResponse.Entry.newBuilder()
                                  .setVolume(Messages.volume(each, topologies))
                                  .setStatus(
                                      ListVolumesResponse.VolumeStatus.newBuilder()
                                          .setVolumeCondition(condition(each)))
                                  .build())
                      .toList())
              .setNextToken(page.next())
              .build();
        });
  }

  @Override
  public void controllerGetVolume(
      ControllerGetVolumeRequest request, StreamObserver<ControllerGetVolumeResponse> answers) {
    Failures.answer(
        answers,
        () -> {
          LocalVolumeRecord volume =
              store.volumes().get(Failures.required(request.getVolumeId(), "volume_id"));
          return ControllerGetVolumeResponse.newBuilder()
              .setVolume(Messages.volume(volume, topologies))
              .setStatus(
                  ControllerGetVolumeResponse.VolumeStatus.newBuilder()
                      .setVolumeCondition(condition(volume)))
              .build();
        });
  }

  private VolumeCondition condition(LocalVolumeRecord volume) {
    boolean there = Files.exists(store.volumes().content(volume));
    return VolumeCondition.newBuilder()
        .setAbnormal(!there)
        .setMessage(there ? "the content is there" : "the content is gone from the disk")
        .build();
  }

  @Override
  public void getCapacity(GetCapacityRequest request, StreamObserver<GetCapacityResponse> answers) {
    Failures.answer(
        answers,
        () -> {
          boolean elsewhere =
              request.hasAccessibleTopology()
                  && !request.getAccessibleTopology().equals(topologies.here());
          long available = elsewhere ? 0 : FileSystemSpace.of(store.root()).available();
          return GetCapacityResponse.newBuilder()
              .setAvailableCapacity(available)
              .setMaximumVolumeSize(Int64Value.of(available))
              .build();
        });
  }

  @Override
  public void createSnapshot(
      CreateSnapshotRequest request, StreamObserver<CreateSnapshotResponse> answers) {
    Failures.answer(
        answers,
        () -> {
          String name = Failures.required(request.getName(), "name");
          String volume = Failures.required(request.getSourceVolumeId(), "source_volume_id");
          return CreateSnapshotResponse.newBuilder()
              .setSnapshot(Messages.snapshot(snapshots.create(name, volume)))
              .build();
        });
  }

  @Override
  public void deleteSnapshot(
      DeleteSnapshotRequest request, StreamObserver<DeleteSnapshotResponse> answers) {
    Failures.answer(
        answers,
        () -> {
          snapshots.delete(Failures.required(request.getSnapshotId(), "snapshot_id"));
          return DeleteSnapshotResponse.getDefaultInstance();
        });
  }

  @Override
  public void listSnapshots(
      ListSnapshotsRequest request, StreamObserver<ListSnapshotsResponse> answers) {
    Failures.answer(
        answers,
        () -> {
          List<LocalVolumeRecord> wanted = wanted(request).toList();
          Pages<LocalVolumeRecord> page =
              Pages.of(
                  wanted,
                  LocalVolumeRecord::getId,
                  request.getStartingToken(),
                  request.getMaxEntries());
          return ListSnapshotsResponse.newBuilder()
              .addAllEntries(
                  page.entries().stream()
                      .map(
                          each ->
                              ListSnapshotsResponse.Entry.newBuilder()
                                  .setSnapshot(Messages.snapshot(each))
                                  .build())
                      .toList())
              .setNextToken(page.next())
              .build();
        });
  }

  private Stream<LocalVolumeRecord> wanted(ListSnapshotsRequest request) {
    return store.snapshots().all().stream()
        .filter(
            each ->
                request.getSnapshotId().isEmpty() || each.getId().equals(request.getSnapshotId()))
        .filter(
            each ->
                request.getSourceVolumeId().isEmpty()
                    || each.getSourceVolumeId().equals(request.getSourceVolumeId()));
  }

  @Override
  public void getSnapshot(GetSnapshotRequest request, StreamObserver<GetSnapshotResponse> answers) {
    Failures.answer(
        answers,
        () -> {
          String id = Failures.required(request.getSnapshotId(), "snapshot_id");
          return GetSnapshotResponse.newBuilder()
              .setSnapshot(Messages.snapshot(store.snapshots().get(id)))
              .build();
        });
  }

  @Override
  public void controllerExpandVolume(
      ControllerExpandVolumeRequest request,
      StreamObserver<ControllerExpandVolumeResponse> answers) {
    Failures.answer(answers, () -> expand(request));
  }

  private ControllerExpandVolumeResponse expand(ControllerExpandVolumeRequest request)
      throws IOException {
    String id = Failures.required(request.getVolumeId(), "volume_id");
    if (!request.hasCapacityRange()) {
      throw Failures.invalid("capacity_range is missing");
    }
    LocalVolumeRecord grown = provisioner.expand(id, request.getCapacityRange());
    return ControllerExpandVolumeResponse.newBuilder()
        .setCapacityBytes(grown.getCapacityBytes())
        .setNodeExpansionRequired(
            grown.getLayout() == LocalVolumeRecord.Layout.LAYOUT_IMAGE
                && !request.getVolumeCapability().hasBlock())
        .build();
  }
}
