package io.keelson.csi.volume;

import io.keelson.proto.node.v1.VolumeSource;
import io.keelson.proto.record.v1.PublicationRecord;
import io.keelson.proto.record.v1.VolumeRecord;
import io.keelson.sandbox.RecordStore;
import io.keelson.sandbox.RecordStore.Durability;
import io.keelson.sandbox.error.NotFoundException;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/**
 * All volumes and publications: the records on disk, and the index of them in memory. A volume's
 * lock is held for each change of it or of its publications; reading takes none.
 */
final class VolumeTable {

  /** Work on one volume, which is locked meanwhile. */
  @FunctionalInterface
  interface Work<T> {
    T run(VolumeEntry volume) throws IOException;
  }

  private final Duration courtesy;
  private final RecordStore<VolumeRecord> volumeRecords;
  private final RecordStore<PublicationRecord> publicationRecords;
  private final Map<String, VolumeEntry> volumes = new ConcurrentHashMap<>();
  private final Map<String, String> keyOfPublication = new ConcurrentHashMap<>();

  /**
   * @param courtesy of {@link Turns}
   */
  VolumeTable(VolumeFolders folders, Duration courtesy) throws IOException {
    this.courtesy = courtesy;
    volumeRecords = new RecordStore<>(folders.volumeRecords(), VolumeRecord.parser());
    publicationRecords =
        new RecordStore<>(folders.publicationRecords(), PublicationRecord.parser());
  }

  /**
   * Runs the work on a volume, which is made in memory if it is not there; one that has nothing to
   * remember after the work is forgotten again.
   */
  <T> T withVolume(VolumeRecord initial, Work<T> work) throws IOException {
    while (true) {
      VolumeEntry volume =
          volumes.computeIfAbsent(initial.getKey(), key -> new VolumeEntry(initial, courtesy));
      volume.turns().change().lock();
      try {
        if (!volume.removed()) {
          return work.run(volume);
        }
      } finally {
        forgetIfEmpty(volume);
        volume.turns().change().unlock();
      }
    }
  }

  /** Runs the work on a volume if it is there. */
  <T> Optional<T> withVolume(String key, Work<T> work) throws IOException {
    VolumeEntry volume = volumes.get(key);
    if (volume == null) {
      return Optional.empty();
    }
    volume.turns().change().lock();
    try {
      return volume.removed() ? Optional.empty() : Optional.of(work.run(volume));
    } finally {
      forgetIfEmpty(volume);
      volume.turns().change().unlock();
    }
  }

  /** Runs a question about a volume if it is there; what changes the volume goes first. */
  <T> Optional<T> ask(String key, Turns.Work<T> question) throws IOException {
    VolumeEntry volume = volumes.get(key);
    return volume == null
        ? Optional.empty()
        : volume
            .turns()
            .ask(() -> volume.removed() ? Optional.empty() : Optional.of(question.run()));
  }

  private void forgetIfEmpty(VolumeEntry volume) {
    boolean idle =
        switch (volume.phase()) {
          case VOLUME_PHASE_IDLE, UNRECOGNIZED -> true;
          default -> false;
        };
    if (idle && !volume.isProvisioned() && volume.publications().isEmpty()) {
      volume.setRemoved();
      volumes.remove(volume.key(), volume);
    }
  }

  Collection<VolumeEntry> all() {
    return List.copyOf(volumes.values());
  }

  Optional<VolumeEntry> find(String key) {
    return Optional.ofNullable(volumes.get(key));
  }

  /** The volume that CreateVolume has made under this name. */
  Optional<VolumeEntry> named(String name) {
    return volumes.values().stream().filter(each -> each.record().getName().equals(name)).findAny();
  }

  /**
   * As {@link #named}.
   *
   * @throws NotFoundException if there is none
   */
  VolumeEntry require(String name) {
    return named(name).orElseThrow(() -> notThere(name));
  }

  static NotFoundException notThere(String name) {
    return new NotFoundException("there is no volume \"" + name + "\"");
  }

  /** The volume that CreateVolume has made if this is the same one, named by the driver's id. */
  Optional<VolumeEntry> provisionedAs(VolumeSource source) {
    return volumes.values().stream()
        .filter(VolumeEntry::isProvisioned)
        .filter(
            each ->
                source.hasCsi()
                    && !source.getCsi().getVolumeId().isEmpty()
                    && each.record()
                        .getSource()
                        .getCsi()
                        .getDriver()
                        .equals(source.getCsi().getDriver())
                    && each.record()
                        .getSource()
                        .getCsi()
                        .getVolumeId()
                        .equals(source.getCsi().getVolumeId()))
        .findAny();
  }

  Optional<PublicationRecord> publication(String id) {
    return Optional.ofNullable(keyOfPublication.get(id))
        .flatMap(this::find)
        .flatMap(volume -> volume.publication(id));
  }

  List<PublicationRecord> ofPod(String podId) {
    return volumes.values().stream()
        .flatMap(volume -> volume.publications().stream())
        .filter(publication -> publication.getPodId().equals(podId))
        .toList();
  }

  void save(VolumeEntry volume, VolumeRecord next, Durability durability) throws IOException {
    volumeRecords.save(volume.key(), next, durability);
    volume.record(next);
  }

  /** Nothing of the volume is left to be undone. */
  void forget(VolumeEntry volume, VolumeRecord idle) throws IOException {
    volumeRecords.delete(volume.key());
    volume.record(idle);
  }

  void save(VolumeEntry volume, PublicationRecord next, Durability durability) throws IOException {
    publicationRecords.save(next.getId(), next, durability);
    volume.put(next);
    keyOfPublication.put(next.getId(), volume.key());
  }

  void forget(VolumeEntry volume, PublicationRecord publication) throws IOException {
    publicationRecords.delete(publication.getId());
    volume.remove(publication.getId());
    keyOfPublication.remove(publication.getId());
  }

  /**
   * Reads what an earlier life of the daemon left; comes once, before any other call.
   *
   * @return what could not be read, by id
   */
  Map<String, String> load() throws IOException {
    Map<String, String> broken = new ConcurrentHashMap<>();
    RecordStore.Found<VolumeRecord> foundVolumes = volumeRecords.loadAll();
    foundVolumes
        .whole()
        .forEach((key, record) -> volumes.put(key, new VolumeEntry(record, courtesy)));
    broken.putAll(unreadable(volumeRecords, foundVolumes));
    RecordStore.Found<PublicationRecord> found = publicationRecords.loadAll();
    found
        .whole()
        .forEach(
            (id, publication) -> {
              volumes
                  .computeIfAbsent(publication.getVolumeKey(), key -> volumeOf(publication))
                  .put(publication);
              keyOfPublication.put(id, publication.getVolumeKey());
            });
    broken.putAll(unreadable(publicationRecords, found));
    return broken;
  }

  /** Without those behind which nothing stands; these go. */
  private static Map<String, String> unreadable(RecordStore<?> records, RecordStore.Found<?> found)
      throws IOException {
    Map<String, String> unreadable = new HashMap<>(found.broken());
    for (String id : found.unwritten()) {
      records.delete(id);
      unreadable.remove(id);
    }
    return unreadable;
  }

  /** A volume that is neither attached nor staged has no record of its own. */
  private VolumeEntry volumeOf(PublicationRecord publication) {
    return new VolumeEntry(
        VolumeRecord.newBuilder()
            .setKey(publication.getVolumeKey())
            .setSource(publication.getSource())
            .setCreatedAt(publication.getCreatedAt())
            .build(),
        courtesy);
  }

  static long now() {
    Instant now = Instant.now();
    return now.getEpochSecond() * 1_000_000_000L + now.getNano();
  }
}
