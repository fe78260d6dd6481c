package io.keelson.csi.volume;

import io.keelson.csi.driver.Operation;
import io.keelson.proto.node.v1.ModifyVolumeRequest;
import io.keelson.proto.record.v1.PublicationPhase;
import io.keelson.proto.record.v1.PublicationRecord;
import io.keelson.proto.record.v1.VolumeRecord;
import io.keelson.sandbox.FaultPoints;
import io.keelson.sandbox.RecordStore.Durability;
import io.keelson.sandbox.error.KeelsonException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Expands and modifies volumes. What is asked for is recorded before the driver is asked and stays
 * recorded until its outcome is known; the node's part of an expansion stays due until the volume
 * is published for writing. Callers hold the volume's lock.
 */
final class VolumeChanges {

  private final VolumeTable table;
  private final VolumeFolders folders;
  private final ProvisioningCalls calls;
  private final FaultPoints faults;

  VolumeChanges(
      VolumeTable table, VolumeFolders folders, ProvisioningCalls calls, FaultPoints faults) {
    this.table = table;
    this.folders = folders;
    this.calls = calls;
    this.faults = faults;
  }

  /** Something has begun and its outcome is not known, or is due and can be done now. */
  boolean isUnfinished(VolumeEntry volume) {
    VolumeRecord record = volume.record();
    return record.getExpandingToBytes() > 0
        || record.hasModification()
        || (record.getNodeExpansionBytes() > 0 && writable(volume).isPresent());
  }

  /** Goes on with what has begun. */
  void finish(VolumeEntry volume, Operation operation) throws IOException {
    finishModification(volume, operation);
    finishExpansion(volume, operation);
  }

  /** An expansion that has begun is replaced: it may ask for more than can be had. */
  void expand(VolumeEntry volume, long bytes, Operation operation) throws IOException {
    save(volume, volume.record().toBuilder().setExpandingToBytes(bytes));
    finishExpansion(volume, operation);
  }

  private void finishExpansion(VolumeEntry volume, Operation operation) throws IOException {
    if (volume.record().getExpandingToBytes() > 0) {
      expandAtController(volume, operation);
    }
    Optional<Path> path = writable(volume);
    if (path.isPresent()) {
      expandOnNode(volume, path.get(), operation);
    }
  }

  private void expandAtController(VolumeEntry volume, Operation operation) throws IOException {
    faults.reached("ExpandVolume:recorded");
    long bytes = volume.record().getExpandingToBytes();
    ProvisioningCalls.Expanded expanded;
    try {
      expanded = calls.expand(volume.record(), bytes, operation);
    } catch (IOException | KeelsonException e) {
      if (Refusals.isRefused(e, operation)) {
        save(volume, volume.record().toBuilder().clearExpandingToBytes());
      }
      throw e;
    }
    faults.reached("ExpandVolume:expanded");
    VolumeRecord.Builder next =
        volume.record().toBuilder()
            .clearExpandingToBytes()
            .setCapacityBytes(expanded.capacityBytes());
    if (expanded.onNode()) {
      next.setNodeExpansionBytes(Math.max(bytes, volume.record().getNodeExpansionBytes()));
    }
    save(volume, next);
    faults.reached("ExpandVolume:expand-recorded");
  }

  /**
   * Does the node's part of an expansion if it is due.
   *
   * @param path where the volume is published for writing
   */
  void expandOnNode(VolumeEntry volume, Path path, Operation operation) throws IOException {
    long bytes = volume.record().getNodeExpansionBytes();
    if (bytes == 0) {
      return;
    }
    Place place = new Place(volume.record(), path, folders.staging(volume.key()));
    long capacity = calls.expandOnNode(place, bytes, operation);
    faults.reached("ExpandVolume:expanded-on-node");
    save(volume, volume.record().toBuilder().clearNodeExpansionBytes().setCapacityBytes(capacity));
    faults.reached("ExpandVolume:node-recorded");
  }

  private static Optional<Path> writable(VolumeEntry volume) {
    return volume.publications().stream()
        .filter(each -> each.getPhase() == PublicationPhase.PUBLICATION_PHASE_PUBLISHED)
        .filter(each -> !each.getSource().getReadOnly())
        .map(PublicationRecord::getPath)
        .map(Path::of)
        .findFirst();
  }

  /** A modification that has begun is brought to its end first: it may be of other parameters. */
  void modify(VolumeEntry volume, ModifyVolumeRequest request, Operation operation)
      throws IOException {
    if (!volume.record().getModification().equals(request)) {
      finishModification(volume, operation);
      save(volume, volume.record().toBuilder().setModification(request));
    }
    finishModification(volume, operation);
  }

  private void finishModification(VolumeEntry volume, Operation operation) throws IOException {
    if (!volume.record().hasModification()) {
      return;
    }
    faults.reached("ModifyVolume:recorded");
    try {
      calls.modify(volume.record(), volume.record().getModification(), operation);
    } catch (IOException | KeelsonException e) {
      if (Refusals.isRefused(e, operation)) {
        save(volume, volume.record().toBuilder().clearModification());
      }
      throw e;
    }
    faults.reached("ModifyVolume:modified");
    save(volume, volume.record().toBuilder().clearModification());
    faults.reached("ModifyVolume:modify-recorded");
  }

  private void save(VolumeEntry volume, VolumeRecord.Builder next) throws IOException {
    table.save(volume, next.build(), Durability.POWER);
  }
}
