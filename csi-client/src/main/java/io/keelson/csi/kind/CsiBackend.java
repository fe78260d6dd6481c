package io.keelson.csi.kind;

import io.keelson.csi.driver.Driver;
import io.keelson.csi.driver.DriverInfo;
import io.keelson.csi.driver.DriverRegistry;
import io.keelson.csi.driver.Operation;
import io.keelson.csi.driver.Redaction;
import io.keelson.csi.volume.MountTable;
import io.keelson.csi.volume.VolumeBackend;
import io.keelson.csi.volume.VolumeFolders;
import io.keelson.linux.KernelThreads;
import io.keelson.proto.csi.v1.ControllerPublishVolumeRequest;
import io.keelson.proto.csi.v1.ControllerServiceCapability;
import io.keelson.proto.csi.v1.ControllerUnpublishVolumeRequest;
import io.keelson.proto.csi.v1.NodePublishVolumeRequest;
import io.keelson.proto.csi.v1.NodeServiceCapability;
import io.keelson.proto.csi.v1.NodeStageVolumeRequest;
import io.keelson.proto.csi.v1.NodeUnpublishVolumeRequest;
import io.keelson.proto.csi.v1.NodeUnstageVolumeRequest;
import io.keelson.proto.node.v1.CsiVolume;
import io.keelson.proto.node.v1.VolumeSource;
import io.keelson.proto.record.v1.PublicationRecord;
import io.keelson.proto.record.v1.VolumeRecord;
import io.keelson.sandbox.error.FailedPreconditionException;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.error.KeelsonException;
import io.keelson.sandbox.error.NotFoundException;
import io.keelson.sandbox.error.OperationFailedException;
import io.keelson.sandbox.error.UnsupportedException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Volumes of CSI drivers (CSI spec, "Volume Lifecycle"). A driver that does not know a volume any
 * more is believed only where nothing is mounted.
 */
public final class CsiBackend implements VolumeBackend {

  private static final Logger LOG = LoggerFactory.getLogger(CsiBackend.class);

  private final DriverRegistry drivers;
  private final SecretFolders secrets;
  private final GroupOwnership ownership;
  private final KernelThreads kernelThreads;
  private final VolumeFolders folders;
  private final boolean unmountForgotten;

  /**
   * @param unmountForgotten what a driver has forgotten and left mounted is unmounted by the daemon
   */
  public CsiBackend(
      DriverRegistry drivers,
      SecretFolders secrets,
      KernelThreads kernelThreads,
      VolumeFolders folders,
      boolean unmountForgotten) {
    this.drivers = drivers;
    this.secrets = secrets;
    this.ownership = new GroupOwnership(kernelThreads);
    this.kernelThreads = kernelThreads;
    this.folders = folders;
    this.unmountForgotten = unmountForgotten;
  }

  @Override
  public String key(VolumeSource source, String publicationId) {
    CsiVolume volume = source.getCsi();
    if (volume.getDriver().isEmpty()) {
      throw new InvalidRequestException("the CSI volume names no driver");
    }
    if (volume.getEphemeral() && !volume.getVolumeId().isEmpty()) {
      throw new InvalidRequestException("an ephemeral CSI volume has no volumeId of its own");
    }
    if (volume.getEphemeral()) {
      return Keys.of(volume.getDriver(), "ephemeral " + publicationId);
    }
    if (volume.getVolumeId().isEmpty()) {
      throw new InvalidRequestException(
          "the volume of CSI driver " + volume.getDriver() + " has no volumeId");
    }
    return Keys.of(volume.getDriver(), volume.getVolumeId());
  }

  @Override
  public Steps steps(VolumeRecord volume, Operation operation) throws IOException {
    CsiVolume csi = volume.getSource().getCsi();
    if (csi.getEphemeral()) {
      return Steps.NONE;
    }
    DriverInfo info = driver(volume, operation).info(operation);
    return new Steps(
        info.can(ControllerServiceCapability.RPC.Type.PUBLISH_UNPUBLISH_VOLUME),
        info.can(NodeServiceCapability.RPC.Type.STAGE_UNSTAGE_VOLUME),
        info.nodeId(),
        info.maxVolumes());
  }

  @Override
  public Map<String, String> attach(VolumeRecord volume, Operation operation) throws IOException {
    CsiVolume csi = volume.getSource().getCsi();
    Driver driver = driver(volume, operation);
    ControllerPublishVolumeRequest request =
        ControllerPublishVolumeRequest.newBuilder()
            .setVolumeId(csi.getVolumeId())
            .setNodeId(volume.getNodeId())
            .setVolumeCapability(
                CsiRequests.capability(csi, volume.getSelinuxLabel(), driver.info(operation)))
            .putAllVolumeContext(csi.getVolumeContextMap())
            .putAllSecrets(secrets.text(csi.getSecret()))
            .build();
    return driver
        .controller(
            "ControllerPublishVolume",
            csi.getVolumeId(),
            operation,
            stub -> stub.controllerPublishVolume(request))
        .getPublishContextMap();
  }

  @Override
  public void detach(VolumeRecord volume, Operation operation) throws IOException {
    CsiVolume csi = volume.getSource().getCsi();
    ControllerUnpublishVolumeRequest request =
        ControllerUnpublishVolumeRequest.newBuilder()
            .setVolumeId(csi.getVolumeId())
            .setNodeId(volume.getNodeId())
            .putAllSecrets(secrets.text(csi.getSecret()))
            .build();
    try {
      driver(volume, operation)
          .controller(
              "ControllerUnpublishVolume",
              csi.getVolumeId(),
              operation,
              stub -> stub.controllerUnpublishVolume(request));
    } catch (NotFoundException | UnsupportedException e) {
      forgotten(volume, e); // it is attached nowhere then; this node has unstaged it before
    }
  }

  @Override
  public void stage(VolumeRecord volume, Path staging, Operation operation) throws IOException {
    CsiVolume csi = volume.getSource().getCsi();
    Driver driver = driver(volume, operation);
    NodeStageVolumeRequest request =
        NodeStageVolumeRequest.newBuilder()
            .setVolumeId(csi.getVolumeId())
            .putAllPublishContext(volume.getPublishContextMap())
            .setStagingTargetPath(staging.toString())
            .setVolumeCapability(
                CsiRequests.capability(csi, volume.getSelinuxLabel(), driver.info(operation)))
            .putAllSecrets(secrets.text(csi.getSecret()))
            .putAllVolumeContext(csi.getVolumeContextMap())
            .build();
    driver.node(
        "NodeStageVolume", csi.getVolumeId(), operation, stub -> stub.nodeStageVolume(request));
  }

  @Override
  public void unstage(VolumeRecord volume, Path staging, Operation operation) throws IOException {
    String id = volume.getSource().getCsi().getVolumeId();
    Redaction staged = secrets.redaction(volume.getSource().getCsi().getSecret());
    NodeUnstageVolumeRequest request =
        NodeUnstageVolumeRequest.newBuilder()
            .setVolumeId(id)
            .setStagingTargetPath(staging.toString())
            .build();
    try {
      driver(volume, operation)
          .node(
              "NodeUnstageVolume",
              id,
              operation,
              stub -> staged.applyTo(stub).nodeUnstageVolume(request));
    } catch (NotFoundException | UnsupportedException e) {
      forgotten(volume, e);
      clear(staging, e);
    }
  }

  @Override
  public Path publish(
      VolumeRecord volume, PublicationRecord publication, Path target, Operation operation)
      throws IOException {
    CsiVolume csi = volume.getSource().getCsi();
    Driver driver = driver(volume, operation);
    DriverInfo info = driver.info(operation);
    NodePublishVolumeRequest.Builder request =
        NodePublishVolumeRequest.newBuilder()
            .setVolumeId(CsiRequests.volumeId(csi, publication.getId()))
            .putAllPublishContext(volume.getPublishContextMap())
            .setTargetPath(target.toString())
            .setVolumeCapability(CsiRequests.capability(csi, volume.getSelinuxLabel(), info))
            .setReadonly(publication.getSource().getReadOnly())
            .putAllSecrets(secrets.text(csi.getSecret()))
            .putAllVolumeContext(CsiRequests.context(csi, publication));
    if (volume.getStageable()) {
      request.setStagingTargetPath(folders.staging(volume.getKey()).toString());
    }
    driver.node(
        "NodePublishVolume",
        request.getVolumeId(),
        operation,
        stub -> stub.nodePublishVolume(request.build()));
    if (!isThere(csi, target, MountTable.read())) {
      throw new OperationFailedException(
          "CSI driver %s says that volume %s is published, but nothing is mounted at %s"
              .formatted(csi.getDriver(), request.getVolumeId(), target));
    }
    if (publication.getSource().getReadOnly() && !csi.getBlock()) {
      Targets.makeReadOnly(target, kernelThreads);
    }
    if (csi.hasFsGroup()
        && !csi.getBlock()
        && !publication.getSource().getReadOnly()
        && !CsiRequests.setsGroup(info)) {
      ownership.apply(target, csi.getFsGroup());
    }
    return target;
  }

  @Override
  public void unpublish(
      VolumeRecord volume, PublicationRecord publication, Path target, Operation operation)
      throws IOException {
    CsiVolume csi = volume.getSource().getCsi();
    Redaction published = secrets.redaction(csi.getSecret());
    NodeUnpublishVolumeRequest request =
        NodeUnpublishVolumeRequest.newBuilder()
            .setVolumeId(CsiRequests.volumeId(csi, publication.getId()))
            .setTargetPath(target.toString())
            .build();
    try {
      driver(volume, operation)
          .node(
              "NodeUnpublishVolume",
              request.getVolumeId(),
              operation,
              stub -> published.applyTo(stub).nodeUnpublishVolume(request));
    } catch (NotFoundException e) {
      forgotten(volume, e);
      clear(target, e);
    }
  }

  @Override
  public boolean isPublished(PublicationRecord publication, Path target, MountTable mounts) {
    try {
      return isThere(publication.getSource().getCsi(), target, mounts);
    } catch (IOException e) {
      return false;
    }
  }

  private static boolean isThere(CsiVolume volume, Path target, MountTable mounts)
      throws IOException {
    return volume.getBlock() ? mounts.isDevice(target) : mounts.isMounted(target);
  }

  private static void forgotten(VolumeRecord volume, KeelsonException words) {
    LOG.atWarn()
        .addKeyValue("volume", volume.getKey())
        .addKeyValue("words", words.getMessage())
        .log("a CSI driver does not know a volume that was used here, or how to take it back");
  }

  /** What a driver does not know is gone only where nothing is mounted. */
  private void clear(Path path, KeelsonException words) throws IOException {
    if (!MountTable.read().isMounted(path)) {
      return;
    }
    if (!unmountForgotten) {
      throw new FailedPreconditionException(
          words.getMessage() + "; but the volume is still mounted at " + path);
    }
    Targets.detach(path, kernelThreads);
    if (Files.isRegularFile(path)) {
      Files.delete(path);
    }
  }

  private Driver driver(VolumeRecord volume, Operation operation) throws IOException {
    return drivers.get(volume.getSource().getCsi().getDriver(), operation);
  }
}
