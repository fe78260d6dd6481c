package io.keelson.csi.provision;

import io.keelson.csi.driver.CallPolicy;
import io.keelson.csi.driver.Driver;
import io.keelson.csi.driver.DriverRegistry;
import io.keelson.csi.driver.Operation;
import io.keelson.csi.kind.SecretFolders;
import io.keelson.csi.volume.Volumes;
import io.keelson.proto.csi.v1.ControllerServiceCapability;
import io.keelson.proto.csi.v1.CreateSnapshotRequest;
import io.keelson.proto.csi.v1.CreateVolumeGroupSnapshotRequest;
import io.keelson.proto.csi.v1.DeleteVolumeGroupSnapshotRequest;
import io.keelson.proto.csi.v1.GetSnapshotRequest;
import io.keelson.proto.csi.v1.GetVolumeGroupSnapshotRequest;
import io.keelson.proto.csi.v1.GroupControllerServiceCapability;
import io.keelson.proto.csi.v1.Snapshot;
import io.keelson.proto.csi.v1.VolumeGroupSnapshot;
import io.keelson.proto.node.v1.CsiVolume;
import io.keelson.proto.node.v1.DeleteSnapshotGroupRequest;
import io.keelson.proto.node.v1.DeleteSnapshotRequest;
import io.keelson.proto.node.v1.SnapshotGroupRequest;
import io.keelson.proto.node.v1.SnapshotVolumeRequest;
import io.keelson.proto.record.v1.VolumeRecord;
import io.keelson.sandbox.FaultPoints;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.error.NotFoundException;
import io.keelson.sandbox.error.UnavailableException;
import io.keelson.sandbox.error.UnsupportedException;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Snapshots of volumes and of groups of volumes. The daemon keeps no record of them: their names
 * make the calls safe to be made again, and the driver lists them.
 */
public final class SnapshotOperations {

  private static final Logger LOG = LoggerFactory.getLogger(SnapshotOperations.class);
  private static final String PREFIX = "keelson-";

  private final Volumes volumes;
  private final DriverRegistry drivers;
  private final SecretFolders secrets;
  private final CallPolicy policy;
  private final FaultPoints faults;

  public SnapshotOperations(
      Volumes volumes,
      DriverRegistry drivers,
      SecretFolders secrets,
      CallPolicy policy,
      FaultPoints faults) {
    this.volumes = volumes;
    this.drivers = drivers;
    this.secrets = secrets;
    this.policy = policy;
    this.faults = faults;
  }

  /** Freezes the content of a volume; ends when the snapshot can be used. */
  public Snapshot create(SnapshotVolumeRequest request, Operation.Listener listener)
      throws IOException {
    requireName(request.getName());
    Operation operation = operation(listener);
    VolumeRecord record = volumes.provisioned().get(request.getVolume());
    CsiVolume volume = record.getSource().getCsi();
    Driver driver = drivers.get(volume.getDriver(), operation);
    require(driver, ControllerServiceCapability.RPC.Type.CREATE_DELETE_SNAPSHOT, operation);
    CreateSnapshotRequest call =
        CreateSnapshotRequest.newBuilder()
            .setName(PREFIX + request.getName())
            .setSourceVolumeId(volume.getVolumeId())
            .putAllSecrets(secrets.text(volume.getSecret()))
            .putAllParameters(request.getParametersMap())
            .build();
    Volumes.Call<Snapshot> taking =
        () ->
            driver
                .controller(
                    "CreateSnapshot",
                    request.getName(),
                    operation,
                    stub -> stub.createSnapshot(call))
                .getSnapshot();
    Snapshot snapshot = volumes.alone(record.getKey(), taking);
    faults.reached("SnapshotVolume:taken");
    while (!snapshot.getReadyToUse()) {
      if (!operation.waitASecond()) {
        throw new UnavailableException(
            "snapshot " + snapshot.getSnapshotId() + " is taken but can't be used yet");
      }
      snapshot =
          driver.info(operation).can(ControllerServiceCapability.RPC.Type.GET_SNAPSHOT)
              ? look(driver, snapshot.getSnapshotId(), call.getSecretsMap(), operation)
              : volumes.alone(record.getKey(), taking);
    }
    return snapshot;
  }

  private static Snapshot look(
      Driver driver, String id, Map<String, String> secret, Operation operation) {
    GetSnapshotRequest call =
        GetSnapshotRequest.newBuilder().setSnapshotId(id).putAllSecrets(secret).build();
    return driver
        .controller("GetSnapshot", id, operation, stub -> stub.getSnapshot(call))
        .getSnapshot();
  }

  /** Harmless if it is gone. */
  public void delete(DeleteSnapshotRequest request, Operation.Listener listener)
      throws IOException {
    Operation operation = operation(listener);
    Driver driver = drivers.get(request.getDriver(), operation);
    require(driver, ControllerServiceCapability.RPC.Type.CREATE_DELETE_SNAPSHOT, operation);
    io.keelson.proto.csi.v1.DeleteSnapshotRequest call =
        io.keelson.proto.csi.v1.DeleteSnapshotRequest.newBuilder()
            .setSnapshotId(request.getSnapshotId())
            .putAllSecrets(secrets.text(request.getSecret()))
            .build();
    untilUnknown(
        () ->
            driver.controller(
                "DeleteSnapshot",
                request.getSnapshotId(),
                operation,
                stub -> stub.deleteSnapshot(call)));
    faults.reached("DeleteSnapshot:deleted");
  }

  /** Freezes volumes of one driver at the same moment; ends when the snapshots can be used. */
  public VolumeGroupSnapshot createGroup(SnapshotGroupRequest request, Operation.Listener listener)
      throws IOException {
    requireName(request.getName());
    Operation operation = operation(listener);
    List<VolumeRecord> records =
        request.getVolumesList().stream().map(volumes.provisioned()::get).toList();
    List<CsiVolume> members = records.stream().map(record -> record.getSource().getCsi()).toList();
    if (members.isEmpty() || members.stream().map(CsiVolume::getDriver).distinct().count() > 1) {
      throw new InvalidRequestException("a group has volumes, all of one driver");
    }
    Driver driver = drivers.get(members.getFirst().getDriver(), operation);
    requireGroups(driver, operation);
    CreateVolumeGroupSnapshotRequest call =
        CreateVolumeGroupSnapshotRequest.newBuilder()
            .setName(PREFIX + request.getName())
            .addAllSourceVolumeIds(members.stream().map(CsiVolume::getVolumeId).toList())
            .putAllSecrets(secrets.text(members.getFirst().getSecret()))
            .putAllParameters(request.getParametersMap())
            .build();
    VolumeGroupSnapshot group =
        volumes.alone(
            records.stream().map(VolumeRecord::getKey).toList(),
            () ->
                driver
                    .group(
                        "CreateVolumeGroupSnapshot",
                        request.getName(),
                        operation,
                        stub -> stub.createVolumeGroupSnapshot(call))
                    .getGroupSnapshot());
    faults.reached("SnapshotGroup:taken");
    return group.getReadyToUse() ? group : awaitReady(driver, group, call, operation);
  }

  private static VolumeGroupSnapshot awaitReady(
      Driver driver,
      VolumeGroupSnapshot first,
      CreateVolumeGroupSnapshotRequest call,
      Operation operation)
      throws IOException {
    GetVolumeGroupSnapshotRequest look =
        GetVolumeGroupSnapshotRequest.newBuilder()
            .setGroupSnapshotId(first.getGroupSnapshotId())
            .addAllSnapshotIds(
                first.getSnapshotsList().stream().map(Snapshot::getSnapshotId).toList())
            .putAllSecrets(call.getSecretsMap())
            .build();
    while (operation.waitASecond()) {
      VolumeGroupSnapshot now =
          driver
              .group(
                  "GetVolumeGroupSnapshot",
                  first.getGroupSnapshotId(),
                  operation,
                  stub -> stub.getVolumeGroupSnapshot(look))
              .getGroupSnapshot();
      if (now.getReadyToUse()) {
        return now;
      }
    }
    throw new UnavailableException(
        "group snapshot " + first.getGroupSnapshotId() + " is taken but can't be used yet");
  }

  /** Harmless if it is gone. */
  public void deleteGroup(DeleteSnapshotGroupRequest request, Operation.Listener listener)
      throws IOException {
    Operation operation = operation(listener);
    Driver driver = drivers.get(request.getDriver(), operation);
    requireGroups(driver, operation);
    DeleteVolumeGroupSnapshotRequest call =
        DeleteVolumeGroupSnapshotRequest.newBuilder()
            .setGroupSnapshotId(request.getGroupSnapshotId())
            .addAllSnapshotIds(request.getSnapshotIdsList())
            .putAllSecrets(secrets.text(request.getSecret()))
            .build();
    untilUnknown(
        () ->
            driver.group(
                "DeleteVolumeGroupSnapshot",
                request.getGroupSnapshotId(),
                operation,
                stub -> stub.deleteVolumeGroupSnapshot(call)));
    faults.reached("DeleteSnapshotGroup:deleted");
  }

  /** What a driver does not know any more is deleted. */
  private static void untilUnknown(Runnable deletion) {
    try {
      deletion.run();
    } catch (NotFoundException e) {
      LOG.atWarn()
          .addKeyValue("words", e.getMessage())
          .log("a CSI driver does not know a snapshot that is to be deleted");
    }
  }

  private Operation operation(Operation.Listener listener) {
    return Operation.of(policy.operationTimeout(), listener);
  }

  private static void requireName(String name) {
    if (name.isEmpty()) {
      throw new InvalidRequestException("a snapshot has a name");
    }
  }

  private static void require(
      Driver driver, ControllerServiceCapability.RPC.Type capability, Operation operation) {
    if (!driver.info(operation).can(capability)) {
      throw new UnsupportedException(
          "CSI driver " + driver.name() + " does not have the capability " + capability);
    }
  }

  private static void requireGroups(Driver driver, Operation operation) {
    if (!driver
        .info(operation)
        .can(GroupControllerServiceCapability.RPC.Type.CREATE_DELETE_GET_VOLUME_GROUP_SNAPSHOT)) {
      throw new UnsupportedException("CSI driver " + driver.name() + " has no snapshots of groups");
    }
  }
}
