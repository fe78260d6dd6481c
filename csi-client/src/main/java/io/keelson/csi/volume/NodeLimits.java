package io.keelson.csi.volume;

import io.keelson.proto.record.v1.VolumePhase;
import io.keelson.sandbox.error.ResourceExhaustedException;
import java.io.IOException;
import java.util.HashSet;
import java.util.Set;

/**
 * Keeps to how many volumes a driver says that it can have on this node (CSI spec, {@code
 * max_volumes_per_node}): beyond that a machine has no place for another disk, and the driver would
 * fail late or hang. Safe for use by many threads.
 */
final class NodeLimits {

  private final VolumeTable table;

  /** Keys of volumes that are being published, and are not recorded yet perhaps. */
  private final Set<String> coming = new HashSet<>(); // guarded by this

  NodeLimits(VolumeTable table) {
    this.table = table;
  }

  /**
   * Publishes a volume, whose lock is held.
   *
   * @param limit volumes of its driver; 0 for none
   * @throws ResourceExhaustedException if it would be one too many
   */
  <T> T within(VolumeEntry volume, long limit, Turns.Work<T> publish) throws IOException {
    if (limit <= 0 || isHere(volume)) {
      return publish.run();
    }
    enter(volume, limit);
    try {
      return publish.run();
    } finally {
      leave(volume);
    }
  }

  private synchronized void enter(VolumeEntry volume, long limit) {
    String driver = driver(volume);
    long others =
        table.all().stream()
            .filter(other -> other != volume && driver(other).equals(driver))
            .filter(other -> isHere(other) || coming.contains(other.key()))
            .count();
    if (others >= limit) {
      throw new ResourceExhaustedException(
          "CSI driver %s can have %d volumes on this node, and has them: no room for volume %s"
              .formatted(driver, limit, volume.key()));
    }
    coming.add(volume.key());
  }

  private synchronized void leave(VolumeEntry volume) {
    coming.remove(volume.key());
  }

  private static String driver(VolumeEntry volume) {
    return volume.record().getSource().getCsi().getDriver();
  }

  private static boolean isHere(VolumeEntry volume) {
    VolumePhase phase = volume.phase();
    return !volume.publications().isEmpty()
        || switch (phase) {
          case VOLUME_PHASE_ATTACHING,
              VOLUME_PHASE_ATTACHED,
              VOLUME_PHASE_STAGING,
              VOLUME_PHASE_STAGED,
              VOLUME_PHASE_UNSTAGING,
              VOLUME_PHASE_DETACHING ->
              true;
          case VOLUME_PHASE_IDLE, VOLUME_PHASE_CREATING, VOLUME_PHASE_DELETING, UNRECOGNIZED ->
              false;
        };
  }
}
