package io.keelson.csi.volume;

import io.keelson.csi.driver.Operation;
import io.keelson.proto.record.v1.PublicationPhase;
import io.keelson.proto.record.v1.PublicationRecord;
import io.keelson.sandbox.FaultPoints;
import io.keelson.sandbox.error.KeelsonException;
import java.io.IOException;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * Takes a publication away, and with the last one of a volume also what staged and attached it.
 * Each step is harmless when done twice.
 */
final class UnpublishVolume {

  private final VolumeTable table;
  private final VolumeBackends backends;
  private final VolumeFolders folders;
  private final Journey journey;
  private final FaultPoints faults;

  UnpublishVolume(
      VolumeTable table,
      VolumeBackends backends,
      VolumeFolders folders,
      Journey journey,
      FaultPoints faults) {
    this.table = table;
    this.backends = backends;
    this.folders = folders;
    this.journey = journey;
    this.faults = faults;
  }

  /** Harmless if there is no such publication. */
  void unpublish(String id, Operation operation) throws IOException {
    unpublish(id, operation, _ -> true);
  }

  /** As {@link #unpublish}, but a publication that is complete (again) stays. */
  void clear(String id, Operation operation) throws IOException {
    unpublish(
        id, operation, each -> each.getPhase() != PublicationPhase.PUBLICATION_PHASE_PUBLISHED);
  }

  private void unpublish(String id, Operation operation, Predicate<PublicationRecord> which)
      throws IOException {
    Optional<PublicationRecord> found = table.publication(id);
    if (found.isEmpty()) {
      return;
    }
    table.withVolume(
        found.get().getVolumeKey(),
        volume -> {
          Optional<PublicationRecord> publication = volume.publication(id).filter(which);
          if (publication.isPresent()) {
            reportTrouble(volume, () -> take(volume, publication.get(), operation));
          }
          return Boolean.TRUE;
        });
  }

  /** Takes a volume back that has no publications. */
  void retire(String volumeKey, Operation operation) throws IOException {
    table.withVolume(
        volumeKey,
        volume -> {
          reportTrouble(volume, () -> retire(volume, operation));
          return Boolean.TRUE;
        });
  }

  private interface Work {
    void run() throws IOException;
  }

  private static void reportTrouble(VolumeEntry volume, Work work) throws IOException {
    try {
      work.run();
      volume.settled();
    } catch (IOException | KeelsonException e) {
      volume.troubled(e, VolumeTable.now());
      throw e;
    }
  }

  /** The volume's lock is held. */
  void take(VolumeEntry volume, PublicationRecord publication, Operation operation)
      throws IOException {
    VolumeBackend backend = backends.of(volume.record().getSource());
    if (publication.getPhase() != PublicationPhase.PUBLICATION_PHASE_UNPUBLISHING) {
      table.save(
          volume,
          publication.toBuilder().setPhase(PublicationPhase.PUBLICATION_PHASE_UNPUBLISHING).build(),
          backend.durability());
    }
    faults.reached("UnpublishVolume:recorded");
    backend.unpublish(volume.record(), publication, folders.target(publication.getId()), operation);
    faults.reached("UnpublishVolume:unpublished");
    folders.removeTarget(publication.getId());
    faults.reached("UnpublishVolume:target-removed");
    // As long as the publication is remembered its volume is: the last one goes after the volume.
    if (volume.publications().size() <= 1) {
      journey.back(volume, operation);
    }
    table.forget(volume, publication);
    faults.reached("UnpublishVolume:forgotten");
  }

  private void retire(VolumeEntry volume, Operation operation) throws IOException {
    if (volume.publications().isEmpty()) {
      journey.back(volume, operation);
    }
  }
}
