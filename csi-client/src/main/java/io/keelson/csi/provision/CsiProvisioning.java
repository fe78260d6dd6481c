package io.keelson.csi.provision;

import io.keelson.csi.driver.Driver;
import io.keelson.csi.driver.DriverInfo;
import io.keelson.csi.driver.DriverRegistry;
import io.keelson.csi.driver.Operation;
import io.keelson.csi.kind.CsiRequests;
import io.keelson.csi.kind.SecretFolders;
import io.keelson.csi.volume.Place;
import io.keelson.csi.volume.ProvisioningCalls;
import io.keelson.proto.csi.v1.CapacityRange;
import io.keelson.proto.csi.v1.ControllerExpandVolumeRequest;
import io.keelson.proto.csi.v1.ControllerExpandVolumeResponse;
import io.keelson.proto.csi.v1.ControllerModifyVolumeRequest;
import io.keelson.proto.csi.v1.ControllerServiceCapability;
import io.keelson.proto.csi.v1.DeleteVolumeRequest;
import io.keelson.proto.csi.v1.NodeExpandVolumeRequest;
import io.keelson.proto.csi.v1.NodeServiceCapability;
import io.keelson.proto.csi.v1.Topology;
import io.keelson.proto.csi.v1.TopologyRequirement;
import io.keelson.proto.csi.v1.Volume;
import io.keelson.proto.csi.v1.VolumeContentSource;
import io.keelson.proto.node.v1.CreateVolumeRequest;
import io.keelson.proto.node.v1.CsiVolume;
import io.keelson.proto.node.v1.ModifyVolumeRequest;
import io.keelson.proto.node.v1.VolumeSource;
import io.keelson.proto.record.v1.VolumeRecord;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.error.NotFoundException;
import io.keelson.sandbox.error.OperationFailedException;
import io.keelson.sandbox.error.UnsupportedException;
import java.io.IOException;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The calls that make, change and delete a volume of a CSI driver (CSI spec, "Controller Service
 * RPC", and "NodeExpandVolume").
 */
public final class CsiProvisioning implements ProvisioningCalls {

  private static final Logger LOG = LoggerFactory.getLogger(CsiProvisioning.class);

  private final DriverRegistry drivers;
  private final SecretFolders secrets;

  public CsiProvisioning(DriverRegistry drivers, SecretFolders secrets) {
    this.drivers = drivers;
    this.secrets = secrets;
  }

  @Override
  public Creation creation(
      CreateVolumeRequest request, Optional<VolumeRecord> original, Operation operation)
      throws IOException {
    CsiVolume wanted = request.getVolume();
    Driver driver = drivers.get(wanted.getDriver(), operation);
    DriverInfo info = driver.info(operation);
    require(info, ControllerServiceCapability.RPC.Type.CREATE_DELETE_VOLUME);
    io.keelson.proto.csi.v1.CreateVolumeRequest.Builder call =
        io.keelson.proto.csi.v1.CreateVolumeRequest.newBuilder()
            .setName("keelson-" + request.getName())
            .addVolumeCapabilities(CsiRequests.capability(wanted, "", info))
            .putAllParameters(request.getParametersMap())
            .putAllChangeableParameters(request.getChangeableParametersMap())
            .putAllSecrets(secrets.text(wanted.getSecret()));
    if (request.hasCapacity()) {
      call.setCapacityRange(request.getCapacity());
    }
    content(request, original, info).ifPresent(call::setVolumeContentSource);
    if (!info.topology().isEmpty()) {
      Topology here = Topology.newBuilder().putAllSegments(info.topology()).build();
      call.setAccessibilityRequirements(
          TopologyRequirement.newBuilder().addRequisite(here).addPreferred(here));
    }
    return () ->
        made(
            wanted,
            driver
                .controller(
                    "CreateVolume",
                    request.getName(),
                    operation,
                    stub -> stub.createVolume(call.build()))
                .getVolume());
  }

  private static Made made(CsiVolume wanted, Volume volume) {
    if (volume.getVolumeId().isEmpty()) {
      throw new OperationFailedException(
          "CSI driver " + wanted.getDriver() + " made a volume and gave it no id");
    }
    CsiVolume made =
        wanted.toBuilder()
            .setVolumeId(volume.getVolumeId())
            .putAllVolumeContext(volume.getVolumeContextMap())
            .build();
    return new Made(VolumeSource.newBuilder().setCsi(made).build(), volume.getCapacityBytes());
  }

  private static Optional<VolumeContentSource> content(
      CreateVolumeRequest request, Optional<VolumeRecord> original, DriverInfo info) {
    if (original.isPresent()) {
      require(info, ControllerServiceCapability.RPC.Type.CLONE_VOLUME);
      CsiVolume source = original.get().getSource().getCsi();
      if (!source.getDriver().equals(info.name())) {
        throw new InvalidRequestException("a volume and its clone have the same driver");
      }
      return Optional.of(
          VolumeContentSource.newBuilder()
              .setVolume(
                  VolumeContentSource.VolumeSource.newBuilder().setVolumeId(source.getVolumeId()))
              .build());
    }
    if (request.getFromSnapshotId().isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(
        VolumeContentSource.newBuilder()
            .setSnapshot(
                VolumeContentSource.SnapshotSource.newBuilder()
                    .setSnapshotId(request.getFromSnapshotId()))
            .build());
  }

  @Override
  public void delete(VolumeRecord volume, Operation operation) throws IOException {
    CsiVolume csi = volume.getSource().getCsi();
    DeleteVolumeRequest call =
        DeleteVolumeRequest.newBuilder()
            .setVolumeId(csi.getVolumeId())
            .putAllSecrets(secrets.text(csi.getSecret()))
            .build();
    Driver driver = drivers.get(csi.getDriver(), operation);
    try {
      driver.controller(
          "DeleteVolume", volume.getName(), operation, stub -> stub.deleteVolume(call));
    } catch (NotFoundException e) {
      LOG.atWarn()
          .addKeyValue("volume", volume.getName())
          .addKeyValue("words", e.getMessage())
          .log("a CSI driver does not know a volume that is to be deleted");
    }
  }

  @Override
  public Expanded expand(VolumeRecord volume, long bytes, Operation operation) throws IOException {
    CsiVolume csi = volume.getSource().getCsi();
    Driver driver = drivers.get(csi.getDriver(), operation);
    DriverInfo info = driver.info(operation);
    boolean node = info.can(NodeServiceCapability.RPC.Type.EXPAND_VOLUME);
    if (!info.can(ControllerServiceCapability.RPC.Type.EXPAND_VOLUME)) {
      if (!node) {
        throw new UnsupportedException("CSI driver " + info.name() + " can't expand volumes");
      }
      return new Expanded(volume.getCapacityBytes(), true);
    }
    ControllerExpandVolumeRequest call =
        ControllerExpandVolumeRequest.newBuilder()
            .setVolumeId(csi.getVolumeId())
            .setCapacityRange(CapacityRange.newBuilder().setRequiredBytes(bytes))
            .setVolumeCapability(CsiRequests.capability(csi, "", info))
            .putAllSecrets(secrets.text(csi.getSecret()))
            .build();
    ControllerExpandVolumeResponse answer =
        driver.controller(
            "ControllerExpandVolume",
            volume.getName(),
            operation,
            stub -> stub.controllerExpandVolume(call));
    return new Expanded(answer.getCapacityBytes(), answer.getNodeExpansionRequired() && node);
  }

  @Override
  public long expandOnNode(Place place, long bytes, Operation operation) throws IOException {
    VolumeRecord volume = place.volume();
    CsiVolume csi = volume.getSource().getCsi();
    Driver driver = drivers.get(csi.getDriver(), operation);
    DriverInfo info = driver.info(operation);
    NodeExpandVolumeRequest.Builder call =
        NodeExpandVolumeRequest.newBuilder()
            .setVolumeId(csi.getVolumeId())
            .setVolumePath(place.path().toString())
            .setCapacityRange(CapacityRange.newBuilder().setRequiredBytes(bytes))
            .setVolumeCapability(CsiRequests.capability(csi, volume.getSelinuxLabel(), info))
            .putAllSecrets(secrets.text(csi.getSecret()));
    if (volume.getStageable()) {
      call.setStagingTargetPath(place.staging().toString());
    }
    long capacity =
        driver
            .node(
                "NodeExpandVolume",
                volume.getName(),
                operation,
                stub -> stub.nodeExpandVolume(call.build()))
            .getCapacityBytes();
    return capacity > 0 ? capacity : Math.max(bytes, volume.getCapacityBytes());
  }

  @Override
  public void modify(VolumeRecord volume, ModifyVolumeRequest request, Operation operation)
      throws IOException {
    CsiVolume csi = volume.getSource().getCsi();
    Driver driver = drivers.get(csi.getDriver(), operation);
    require(driver.info(operation), ControllerServiceCapability.RPC.Type.MODIFY_VOLUME);
    ControllerModifyVolumeRequest call =
        ControllerModifyVolumeRequest.newBuilder()
            .setVolumeId(csi.getVolumeId())
            .putAllSecrets(secrets.text(csi.getSecret()))
            .putAllMutableParameters(request.getChangeableParametersMap())
            .build();
    driver.controller(
        "ControllerModifyVolume",
        volume.getName(),
        operation,
        stub -> stub.controllerModifyVolume(call));
  }

  private static void require(DriverInfo info, ControllerServiceCapability.RPC.Type capability) {
    if (!info.can(capability)) {
      throw new UnsupportedException(
          "CSI driver " + info.name() + " does not have the capability " + capability);
    }
  }
}
