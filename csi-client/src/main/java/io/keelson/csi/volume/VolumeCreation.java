package io.keelson.csi.volume;

import io.keelson.csi.driver.Operation;
import io.keelson.proto.node.v1.CreateVolumeRequest;
import io.keelson.proto.record.v1.VolumePhase;
import io.keelson.proto.record.v1.VolumeRecord;
import io.keelson.sandbox.FaultPoints;
import io.keelson.sandbox.RecordStore.Durability;
import io.keelson.sandbox.error.FailedPreconditionException;
import io.keelson.sandbox.error.KeelsonException;
import java.io.IOException;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Has drivers create and delete volumes. What is asked for is recorded before the driver is asked
 * and stays recorded until its outcome is known. Callers hold the volume's lock.
 */
final class VolumeCreation {

  private static final Logger LOG = LoggerFactory.getLogger(VolumeCreation.class);

  private final VolumeTable table;
  private final ProvisioningCalls calls;
  private final FaultPoints faults;

  VolumeCreation(VolumeTable table, ProvisioningCalls calls, FaultPoints faults) {
    this.table = table;
    this.calls = calls;
    this.faults = faults;
  }

  /**
   * Asks the driver for a volume.
   *
   * @param first the driver was not asked for it before: what it refuses then is forgotten
   */
  void create(VolumeEntry volume, boolean first, Operation operation) throws IOException {
    ProvisioningCalls.Creation creation = prepare(volume, first, operation);
    table.save(volume, volume.record(), Durability.POWER);
    faults.reached("CreateVolume:recorded");
    ProvisioningCalls.Made made;
    try {
      made = creation.make();
    } catch (IOException | KeelsonException e) {
      if (first && Refusals.isRefused(e, operation)) {
        forget(volume);
      }
      throw e;
    }
    faults.reached("CreateVolume:created");
    table.save(
        volume,
        volume.record().toBuilder()
            .setSource(made.source())
            .setCapacityBytes(made.capacityBytes())
            .setPhase(VolumePhase.VOLUME_PHASE_IDLE)
            .build(),
        Durability.POWER);
    faults.reached("CreateVolume:create-recorded");
  }

  /** What fails here has left nothing anywhere. */
  private ProvisioningCalls.Creation prepare(VolumeEntry volume, boolean first, Operation operation)
      throws IOException {
    try {
      CreateVolumeRequest request = volume.record().getRequest();
      Optional<VolumeRecord> original =
          request.getFromVolume().isEmpty()
              ? Optional.empty()
              : Optional.of(table.require(request.getFromVolume()).record());
      return calls.creation(request, original, operation);
    } catch (IOException | KeelsonException e) {
      if (first) {
        forget(volume);
      }
      throw e;
    }
  }

  /** Has the driver delete a volume, after it was found out whether it ever made it. */
  void delete(VolumeEntry volume, Operation operation) throws IOException {
    if (volume.phase() == VolumePhase.VOLUME_PHASE_CREATING && !findOut(volume, operation)) {
      forget(volume);
      return;
    }
    requireHere(volume);
    VolumeRecord deleting =
        volume.record().toBuilder().setPhase(VolumePhase.VOLUME_PHASE_DELETING).build();
    table.save(volume, deleting, Durability.POWER);
    faults.reached("DeleteVolume:recorded");
    calls.delete(deleting, operation);
    faults.reached("DeleteVolume:deleted");
    forget(volume);
    faults.reached("DeleteVolume:forgotten");
  }

  /**
   * Whether the driver made the volume is not known: asking once more tells its id.
   *
   * @return false if the driver refuses it now, and can't be asked what it did before
   */
  private boolean findOut(VolumeEntry volume, Operation operation) throws IOException {
    try {
      ProvisioningCalls.Made made = prepare(volume, false, operation).make();
      volume.record(
          volume.record().toBuilder()
              .setSource(made.source())
              .setPhase(VolumePhase.VOLUME_PHASE_IDLE)
              .build());
      return true;
    } catch (KeelsonException e) {
      if (!Refusals.isRefused(e, operation)) {
        throw e;
      }
      LOG.atWarn()
          .addKeyValue("volume", volume.record().getName())
          .addKeyValue("words", e.getMessage())
          .log("a volume that was being made is forgotten: its driver refuses it");
      return false;
    }
  }

  private static void requireHere(VolumeEntry volume) {
    switch (volume.phase()) {
      case VOLUME_PHASE_IDLE, VOLUME_PHASE_DELETING -> {}
      case VOLUME_PHASE_CREATING,
          VOLUME_PHASE_ATTACHING,
          VOLUME_PHASE_ATTACHED,
          VOLUME_PHASE_STAGING,
          VOLUME_PHASE_STAGED,
          VOLUME_PHASE_UNSTAGING,
          VOLUME_PHASE_DETACHING,
          UNRECOGNIZED ->
          throw new FailedPreconditionException(
              "volume \"" + volume.record().getName() + "\" is still on its way from the node");
    }
  }

  private void forget(VolumeEntry volume) throws IOException {
    table.forget(
        volume,
        volume.record().toBuilder().clearName().setPhase(VolumePhase.VOLUME_PHASE_IDLE).build());
  }
}
