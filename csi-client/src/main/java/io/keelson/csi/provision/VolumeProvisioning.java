package io.keelson.csi.provision;

import io.keelson.csi.driver.CallPolicy;
import io.keelson.csi.driver.Driver;
import io.keelson.csi.driver.DriverInfo;
import io.keelson.csi.driver.DriverRegistry;
import io.keelson.csi.driver.Operation;
import io.keelson.csi.kind.CsiRequests;
import io.keelson.csi.kind.SecretFolders;
import io.keelson.csi.volume.Place;
import io.keelson.csi.volume.Provisioned;
import io.keelson.csi.volume.Volumes;
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
import io.keelson.proto.csi.v1.ValidateVolumeCapabilitiesRequest;
import io.keelson.proto.csi.v1.ValidateVolumeCapabilitiesResponse;
import io.keelson.proto.csi.v1.Volume;
import io.keelson.proto.csi.v1.VolumeContentSource;
import io.keelson.proto.node.v1.CreateVolumeRequest;
import io.keelson.proto.node.v1.CsiVolume;
import io.keelson.proto.node.v1.VolumeSource;
import io.keelson.proto.node.v1.VolumeStatus;
import io.keelson.proto.record.v1.VolumeRecord;
import io.keelson.sandbox.error.FailedPreconditionException;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.error.UnsupportedException;
import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/** Makes, changes and deletes volumes by their CSI drivers. Safe for use by many threads. */
public final class VolumeProvisioning {

  private static final Pattern NAME = Pattern.compile("[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?");

  private final Volumes volumes;
  private final DriverRegistry drivers;
  private final SecretFolders secrets;
  private final CallPolicy policy;

  public VolumeProvisioning(
      Volumes volumes, DriverRegistry drivers, SecretFolders secrets, CallPolicy policy) {
    this.volumes = volumes;
    this.drivers = drivers;
    this.secrets = secrets;
    this.policy = policy;
  }

  /** Makes a volume; the same request again answers the volume that is there. */
  public VolumeStatus create(CreateVolumeRequest request, Operation.Listener listener)
      throws IOException {
    validate(request);
    Operation operation = operation(listener);
    return volumes.provisioned().create(request, () -> make(request, operation));
  }

  private static void validate(CreateVolumeRequest request) {
    if (!NAME.matcher(request.getName()).matches()) {
      throw new InvalidRequestException(
          "\"" + request.getName() + "\" is no name of a volume (a-z, 0-9, '-', '.')");
    }
    CsiVolume volume = request.getVolume();
    if (volume.getDriver().isEmpty()) {
      throw new InvalidRequestException("the request names no driver");
    }
    if (!volume.getVolumeId().isEmpty()
        || volume.getVolumeContextCount() > 0
        || volume.getEphemeral()) {
      throw new InvalidRequestException(
          "a new volume has no volumeId, no volumeContext and is not ephemeral");
    }
  }

  private Provisioned.Made make(CreateVolumeRequest request, Operation operation)
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
    source(request, info).ifPresent(call::setVolumeContentSource);
    if (!info.topology().isEmpty()) {
      Topology here = Topology.newBuilder().putAllSegments(info.topology()).build();
      call.setAccessibilityRequirements(
          TopologyRequirement.newBuilder().addRequisite(here).addPreferred(here));
    }
    Volume volume =
        driver
            .controller(
                "CreateVolume",
                request.getName(),
                operation,
                stub -> stub.createVolume(call.build()))
            .getVolume();
    if (volume.getVolumeId().isEmpty()) {
      throw new FailedPreconditionException(
          "CSI driver " + wanted.getDriver() + " made a volume and gave it no id");
    }
    CsiVolume made =
        wanted.toBuilder()
            .setVolumeId(volume.getVolumeId())
            .putAllVolumeContext(volume.getVolumeContextMap())
            .build();
    return new Provisioned.Made(
        VolumeSource.newBuilder().setCsi(made).build(), volume.getCapacityBytes());
  }

  private Optional<VolumeContentSource> source(CreateVolumeRequest request, DriverInfo info) {
    return switch (request.getContentCase()) {
      case FROM_SNAPSHOT_ID ->
          Optional.of(
              VolumeContentSource.newBuilder()
                  .setSnapshot(
                      VolumeContentSource.SnapshotSource.newBuilder()
                          .setSnapshotId(request.getFromSnapshotId()))
                  .build());
      case FROM_VOLUME -> {
        require(info, ControllerServiceCapability.RPC.Type.CLONE_VOLUME);
        VolumeRecord source = volumes.provisioned().get(request.getFromVolume());
        if (!source.getSource().getCsi().getDriver().equals(info.name())) {
          throw new InvalidRequestException("a volume and its clone have the same driver");
        }
        yield Optional.of(
            VolumeContentSource.newBuilder()
                .setVolume(
                    VolumeContentSource.VolumeSource.newBuilder()
                        .setVolumeId(source.getSource().getCsi().getVolumeId()))
                .build());
      }
      case CONTENT_NOT_SET -> Optional.empty();
    };
  }

  /** Deletes a volume. Harmless if there is none of this name. */
  public void delete(String name, Operation.Listener listener) throws IOException {
    Operation operation = operation(listener);
    volumes
        .provisioned()
        .delete(
            name,
            volume -> {
              CsiVolume csi = volume.getSource().getCsi();
              DeleteVolumeRequest call =
                  DeleteVolumeRequest.newBuilder()
                      .setVolumeId(csi.getVolumeId())
                      .putAllSecrets(secrets.text(csi.getSecret()))
                      .build();
              drivers
                  .get(csi.getDriver(), operation)
                  .controller("DeleteVolume", name, operation, stub -> stub.deleteVolume(call));
            },
            request -> make(request, operation));
  }

  /** Makes a volume larger, at the controller and where it is published. */
  public VolumeStatus expand(String name, long bytes, Operation.Listener listener)
      throws IOException {
    if (bytes <= 0) {
      throw new InvalidRequestException("the new size must be positive");
    }
    Operation operation = operation(listener);
    return volumes
        .provisioned()
        .change(name, (volume, place) -> expand(volume, place, bytes, operation));
  }

  private long expand(VolumeRecord volume, Optional<Place> place, long bytes, Operation operation)
      throws IOException {
    CsiVolume csi = volume.getSource().getCsi();
    Driver driver = drivers.get(csi.getDriver(), operation);
    DriverInfo info = driver.info(operation);
    CapacityRange range = CapacityRange.newBuilder().setRequiredBytes(bytes).build();
    Map<String, String> secret = secrets.text(csi.getSecret());
    long capacity = bytes;
    boolean node = info.can(NodeServiceCapability.RPC.Type.EXPAND_VOLUME);
    boolean controller = info.can(ControllerServiceCapability.RPC.Type.EXPAND_VOLUME);
    if (!node && !controller) {
      throw new UnsupportedException("CSI driver " + info.name() + " can't expand volumes");
    }
    if (controller) {
      ControllerExpandVolumeRequest call =
          ControllerExpandVolumeRequest.newBuilder()
              .setVolumeId(csi.getVolumeId())
              .setCapacityRange(range)
              .setVolumeCapability(CsiRequests.capability(csi, "", info))
              .putAllSecrets(secret)
              .build();
      ControllerExpandVolumeResponse answer =
          driver.controller(
              "ControllerExpandVolume",
              volume.getName(),
              operation,
              stub -> stub.controllerExpandVolume(call));
      capacity = answer.getCapacityBytes();
      node = node && answer.getNodeExpansionRequired();
    }
    if (node && place.isPresent()) {
      NodeExpandVolumeRequest.Builder call =
          NodeExpandVolumeRequest.newBuilder()
              .setVolumeId(csi.getVolumeId())
              .setVolumePath(place.get().path().toString())
              .setCapacityRange(range)
              .setVolumeCapability(CsiRequests.capability(csi, volume.getSelinuxLabel(), info))
              .putAllSecrets(secret);
      if (volume.getStageable()) {
        call.setStagingTargetPath(place.get().staging().toString());
      }
      driver.node(
          "NodeExpandVolume",
          volume.getName(),
          operation,
          stub -> stub.nodeExpandVolume(call.build()));
    }
    return capacity;
  }

  /** Changes what the driver lets be changed. */
  public VolumeStatus modify(
      String name, Map<String, String> parameters, Operation.Listener listener) throws IOException {
    Operation operation = operation(listener);
    return volumes
        .provisioned()
        .change(
            name,
            (volume, _) -> {
              CsiVolume csi = volume.getSource().getCsi();
              Driver driver = drivers.get(csi.getDriver(), operation);
              require(driver.info(operation), ControllerServiceCapability.RPC.Type.MODIFY_VOLUME);
              ControllerModifyVolumeRequest call =
                  ControllerModifyVolumeRequest.newBuilder()
                      .setVolumeId(csi.getVolumeId())
                      .putAllSecrets(secrets.text(csi.getSecret()))
                      .putAllMutableParameters(parameters)
                      .build();
              driver.controller(
                  "ControllerModifyVolume",
                  name,
                  operation,
                  stub -> stub.controllerModifyVolume(call));
              return volume.getCapacityBytes();
            });
  }

  /**
   * Asks the driver whether a volume can be used as its record says.
   *
   * @return why not, {@code ""} if it can
   */
  public String validate(String name) throws IOException {
    Operation operation = Operation.of(policy.callTimeout(), Operation.Listener.NONE);
    VolumeRecord volume = volumes.provisioned().get(name);
    CsiVolume csi = volume.getSource().getCsi();
    Driver driver = drivers.get(csi.getDriver(), operation);
    ValidateVolumeCapabilitiesRequest call =
        ValidateVolumeCapabilitiesRequest.newBuilder()
            .setVolumeId(csi.getVolumeId())
            .putAllVolumeContext(csi.getVolumeContextMap())
            .addVolumeCapabilities(CsiRequests.capability(csi, "", driver.info(operation)))
            .putAllSecrets(secrets.text(csi.getSecret()))
            .build();
    ValidateVolumeCapabilitiesResponse answer =
        driver.controller(
            "ValidateVolumeCapabilities",
            name,
            operation,
            stub -> stub.validateVolumeCapabilities(call));
    return answer.hasConfirmed() ? "" : answer.getMessage();
  }

  private Operation operation(Operation.Listener listener) {
    return Operation.of(policy.operationTimeout(), listener);
  }

  private static void require(DriverInfo info, ControllerServiceCapability.RPC.Type capability) {
    if (!info.can(capability)) {
      throw new UnsupportedException(
          "CSI driver " + info.name() + " does not have the capability " + capability);
    }
  }
}
