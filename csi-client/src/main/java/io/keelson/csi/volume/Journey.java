package io.keelson.csi.volume;

import io.keelson.csi.driver.Operation;
import io.keelson.linux.BootId;
import io.keelson.proto.record.v1.VolumePhase;
import io.keelson.proto.record.v1.VolumeRecord;
import io.keelson.sandbox.FaultPoints;
import io.keelson.sandbox.RecordStore.Durability;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/**
 * A volume's way to the node and back: idle, attached, staged. Every step is recorded before it is
 * taken; the record of its success may be lost with the power, as the step is then taken again or
 * back. Callers hold the volume's lock.
 */
final class Journey {

  private final VolumeTable table;
  private final VolumeBackends backends;
  private final VolumeFolders folders;
  private final FaultPoints faults;
  private final String bootId;

  Journey(VolumeTable table, VolumeBackends backends, VolumeFolders folders, FaultPoints faults)
      throws IOException {
    this.table = table;
    this.backends = backends;
    this.folders = folders;
    this.faults = faults;
    this.bootId = BootId.current();
  }

  String bootId() {
    return bootId;
  }

  /** Attaches and stages as far as the volume's kind does so; ends what was half undone first. */
  void forward(VolumeEntry volume, Operation operation) throws IOException {
    settle(volume, operation);
    VolumeBackend backend = backends.of(volume.record().getSource());
    VolumeBackend.Steps steps = backend.steps(volume.record(), operation);
    if (steps.attach() && before(volume, VolumePhase.VOLUME_PHASE_ATTACHED)) {
      attach(volume, backend, steps.nodeId(), operation);
    }
    if (steps.stage() && before(volume, VolumePhase.VOLUME_PHASE_STAGED)) {
      stage(volume, backend, operation);
    }
  }

  /** Unstages and detaches what nobody uses any more. */
  void back(VolumeEntry volume, Operation operation) throws IOException {
    switch (volume.phase()) {
      case VOLUME_PHASE_STAGING, VOLUME_PHASE_STAGED, VOLUME_PHASE_UNSTAGING -> {
        unstage(volume, operation);
        if (volume.record().getAttachable()) {
          detach(volume, operation);
        }
      }
      case VOLUME_PHASE_ATTACHING, VOLUME_PHASE_ATTACHED, VOLUME_PHASE_DETACHING ->
          detach(volume, operation);
      case VOLUME_PHASE_IDLE, VOLUME_PHASE_CREATING, VOLUME_PHASE_DELETING, UNRECOGNIZED -> {}
    }
  }

  /**
   * A step back that was begun is ended; what was staged before a reboot, or is in doubt, is staged
   * anew if nothing is mounted.
   */
  private void settle(VolumeEntry volume, Operation operation) throws IOException {
    boolean lost =
        isStaged(volume.phase())
            && !volume.record().getBootId().equals(bootId)
            && !MountTable.read().isMounted(folders.staging(volume.key()));
    if (lost || volume.phase() == VolumePhase.VOLUME_PHASE_UNSTAGING) {
      unstage(volume, operation);
    } else if (volume.phase() == VolumePhase.VOLUME_PHASE_DETACHING) {
      detach(volume, operation);
    }
  }

  /** The volume may not be staged any more, whatever its record says. */
  void doubt(VolumeEntry volume) {
    volume.record(volume.record().toBuilder().clearBootId().build());
  }

  private static boolean isStaged(VolumePhase phase) {
    return phase == VolumePhase.VOLUME_PHASE_STAGED || phase == VolumePhase.VOLUME_PHASE_STAGING;
  }

  private static boolean before(VolumeEntry volume, VolumePhase phase) {
    return volume.phase().getNumber() < phase.getNumber();
  }

  private void attach(VolumeEntry volume, VolumeBackend backend, String nodeId, Operation operation)
      throws IOException {
    intend(
        volume,
        volume.record().toBuilder()
            .setPhase(VolumePhase.VOLUME_PHASE_ATTACHING)
            .setAttachable(true)
            .setNodeId(nodeId));
    faults.reached("PublishVolume:attaching");
    Map<String, String> context = backend.attach(volume.record(), operation);
    faults.reached("PublishVolume:attached");
    record(
        volume,
        volume.record().toBuilder()
            .setPhase(VolumePhase.VOLUME_PHASE_ATTACHED)
            .clearPublishContext()
            .putAllPublishContext(context));
    faults.reached("PublishVolume:attach-recorded");
  }

  private void stage(VolumeEntry volume, VolumeBackend backend, Operation operation)
      throws IOException {
    intend(
        volume,
        volume.record().toBuilder()
            .setPhase(VolumePhase.VOLUME_PHASE_STAGING)
            .setStageable(true)
            .setBootId(bootId));
    faults.reached("PublishVolume:staging");
    Path staging = Files.createDirectories(folders.staging(volume.key()));
    backend.stage(volume.record(), staging, operation);
    faults.reached("PublishVolume:staged");
    record(volume, volume.record().toBuilder().setPhase(VolumePhase.VOLUME_PHASE_STAGED));
    faults.reached("PublishVolume:stage-recorded");
  }

  private void unstage(VolumeEntry volume, Operation operation) throws IOException {
    if (volume.phase() != VolumePhase.VOLUME_PHASE_UNSTAGING) {
      intend(volume, volume.record().toBuilder().setPhase(VolumePhase.VOLUME_PHASE_UNSTAGING));
    }
    faults.reached("RetireVolume:unstaging");
    backends
        .of(volume.record().getSource())
        .unstage(volume.record(), folders.staging(volume.key()), operation);
    faults.reached("RetireVolume:unstaged");
    folders.removeStaging(volume.key());
    VolumeRecord.Builder next = volume.record().toBuilder().clearStageable().clearBootId();
    if (volume.record().getAttachable()) {
      record(volume, next.setPhase(VolumePhase.VOLUME_PHASE_ATTACHED));
    } else {
      idle(volume, next);
    }
    faults.reached("RetireVolume:unstage-recorded");
  }

  private void detach(VolumeEntry volume, Operation operation) throws IOException {
    if (volume.phase() != VolumePhase.VOLUME_PHASE_DETACHING) {
      intend(volume, volume.record().toBuilder().setPhase(VolumePhase.VOLUME_PHASE_DETACHING));
    }
    faults.reached("RetireVolume:detaching");
    backends.of(volume.record().getSource()).detach(volume.record(), operation);
    faults.reached("RetireVolume:detached");
    idle(volume, volume.record().toBuilder().clearAttachable().clearPublishContext().clearNodeId());
    faults.reached("RetireVolume:detach-recorded");
  }

  /** What may have been begun is known after any crash. */
  private void intend(VolumeEntry volume, VolumeRecord.Builder next) throws IOException {
    table.save(volume, next.build(), Durability.POWER);
  }

  private void record(VolumeEntry volume, VolumeRecord.Builder next) throws IOException {
    table.save(volume, next.build(), Durability.DAEMON);
  }

  private void idle(VolumeEntry volume, VolumeRecord.Builder next) throws IOException {
    VolumeRecord idle = next.setPhase(VolumePhase.VOLUME_PHASE_IDLE).build();
    if (volume.isProvisioned()) {
      table.save(volume, idle, Durability.POWER);
    } else {
      table.forget(volume, idle);
    }
  }
}
