package io.keelson.csi.volume;

import io.keelson.proto.record.v1.PublicationPhase;
import io.keelson.proto.record.v1.PublicationRecord;
import io.keelson.proto.record.v1.VolumePhase;
import io.keelson.proto.record.v1.VolumeRecord;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentSkipListMap;
import org.jspecify.annotations.Nullable;

/** A volume in memory. Changed only under its lock; read without. */
final class VolumeEntry {

  /**
   * Why a volume does not get on.
   *
   * @param since nanoseconds since the epoch
   */
  record Trouble(String reason, long since, int attempts) {}

  private final Turns turns;
  private final Map<String, PublicationRecord> publications = new ConcurrentSkipListMap<>();
  private volatile VolumeRecord record;
  private volatile @Nullable Trouble trouble;
  private boolean removed;

  /**
   * @param courtesy of {@link Turns}
   */
  VolumeEntry(VolumeRecord record, Duration courtesy) {
    this.record = record;
    this.turns = new Turns(courtesy);
  }

  Turns turns() {
    return turns;
  }

  String key() {
    return record.getKey();
  }

  VolumeRecord record() {
    return record;
  }

  void record(VolumeRecord next) {
    record = next;
  }

  VolumePhase phase() {
    return record.getPhase();
  }

  /** Made by CreateVolume, and gone only with DeleteVolume. */
  boolean isProvisioned() {
    return !record.getName().isEmpty();
  }

  Collection<PublicationRecord> publications() {
    return List.copyOf(publications.values());
  }

  Optional<PublicationRecord> publication(String id) {
    return Optional.ofNullable(publications.get(id));
  }

  boolean isPublished() {
    return publications.values().stream()
        .anyMatch(each -> each.getPhase() == PublicationPhase.PUBLICATION_PHASE_PUBLISHED);
  }

  void put(PublicationRecord publication) {
    publications.put(publication.getId(), publication);
  }

  void remove(String publicationId) {
    publications.remove(publicationId);
  }

  @Nullable Trouble trouble() {
    return trouble;
  }

  void troubled(Throwable failure, long now) {
    Trouble before = trouble;
    trouble =
        new Trouble(
            String.valueOf(failure.getMessage()),
            before == null ? now : before.since(),
            before == null ? 1 : before.attempts() + 1);
  }

  void settled() {
    trouble = null;
  }

  boolean removed() {
    return removed;
  }

  void setRemoved() {
    removed = true;
  }
}
