package io.keelson.csi.volume;

import io.keelson.csi.driver.Operation;
import io.keelson.proto.node.v1.VolumeSource;
import io.keelson.proto.record.v1.PublicationPhase;
import io.keelson.proto.record.v1.PublicationRecord;
import io.keelson.proto.record.v1.VolumePhase;
import io.keelson.proto.record.v1.VolumeRecord;
import io.keelson.sandbox.FaultPoints;
import io.keelson.sandbox.RecordStore.Durability;
import io.keelson.sandbox.error.AlreadyExistsException;
import io.keelson.sandbox.error.FailedPreconditionException;
import io.keelson.sandbox.error.KeelsonException;
import io.keelson.sandbox.error.NotFoundException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;

/**
 * Publishes a volume: record, attach, stage, publish, record. What fails is undone; what can't be
 * undone now is left to the {@link Janitor}.
 */
final class PublishVolume {

  /** A caller that hears of a failure does not wait long for what is undone. */
  private static final Duration UNDO = Duration.ofSeconds(10);

  private final VolumeTable table;
  private final NodeLimits limits;
  private final VolumeBackends backends;
  private final VolumeFolders folders;
  private final Journey journey;
  private final VolumeChanges changes;
  private final UnpublishVolume unpublish;
  private final Janitor janitor;
  private final FaultPoints faults;

  PublishVolume(
      VolumeTable table,
      VolumeBackends backends,
      VolumeFolders folders,
      Journey journey,
      VolumeChanges changes,
      UnpublishVolume unpublish,
      Janitor janitor,
      FaultPoints faults) {
    this.table = table;
    this.limits = new NodeLimits(table);
    this.backends = backends;
    this.folders = folders;
    this.journey = journey;
    this.changes = changes;
    this.unpublish = unpublish;
    this.janitor = janitor;
    this.faults = faults;
  }

  /** Harmless if it is published already. */
  PublicationRecord publish(PublicationRequest request, Operation operation) throws IOException {
    VolumeRecord initial = volumeOf(request);
    PublicationRecord wanted =
        PublicationRecord.newBuilder()
            .setId(request.id())
            .setVolumeKey(initial.getKey())
            .setPodId(request.podId())
            .setName(request.name())
            .setPodName(request.podName())
            .setPodNamespace(request.podNamespace())
            .setPodUid(request.podUid())
            .setSource(sourceOf(initial, request.source()))
            .setCreatedAt(VolumeTable.now())
            .build();
    PublicationRecord there = table.publication(request.id()).orElse(null);
    if (there != null && !there.getVolumeKey().equals(initial.getKey())) {
      throw new AlreadyExistsException(
          "publication %s is one of volume %s".formatted(request.id(), there.getVolumeKey()));
    }
    VolumeTable.Work<PublicationRecord> work =
        volume -> publish(volume, initial, wanted, operation);
    if (request.source().getKindCase() == VolumeSource.KindCase.VOLUME) {
      // Deleted since it was found, it must not come back.
      return table
          .withVolume(initial.getKey(), work)
          .orElseThrow(() -> noVolume(request.source().getVolume()));
    }
    return table.withVolume(initial, work);
  }

  private PublicationRecord publish(
      VolumeEntry volume, VolumeRecord initial, PublicationRecord wanted, Operation operation)
      throws IOException {
    PublicationRecord there = volume.publication(wanted.getId()).orElse(null);
    if (there != null && !there.getSource().equals(wanted.getSource())) {
      throw new AlreadyExistsException(
          "publication " + wanted.getId() + " is there with another volume source");
    }
    if (there != null && there.getPhase() == PublicationPhase.PUBLICATION_PHASE_PUBLISHED) {
      return there;
    }
    if (there != null && there.getPhase() == PublicationPhase.PUBLICATION_PHASE_UNPUBLISHING) {
      unpublish.take(volume, there, operation);
    }
    adopt(volume, initial, wanted);
    long limit =
        backends.of(volume.record().getSource()).steps(volume.record(), operation).nodeLimit();
    return limits.within(volume, limit, () -> make(volume, wanted, operation));
  }

  /** Makes sure that the volume may be used as it is asked for now. */
  private void adopt(VolumeEntry volume, VolumeRecord initial, PublicationRecord wanted) {
    VolumePhase phase = volume.phase();
    if (phase == VolumePhase.VOLUME_PHASE_CREATING || phase == VolumePhase.VOLUME_PHASE_DELETING) {
      throw new FailedPreconditionException(
          "volume " + volume.record().getName() + " is being made or deleted");
    }
    boolean unused = phase == VolumePhase.VOLUME_PHASE_IDLE && volume.publications().isEmpty();
    boolean same =
        volume.record().getSource().equals(initial.getSource())
            && volume.record().getSelinuxLabel().equals(initial.getSelinuxLabel());
    if (!same && !unused) {
      throw new FailedPreconditionException(
          "volume "
              + volume.key()
              + " is in use in another way (file system, flags, access mode, secret or label)");
    }
    if (!same) {
      volume.record(
          volume.record().toBuilder()
              .setSource(initial.getSource())
              .setSelinuxLabel(initial.getSelinuxLabel())
              .build());
    }
    AccessModes.check(volume, wanted);
  }

  /** The volume's lock is held; the publication is not there or half made. */
  PublicationRecord make(VolumeEntry volume, PublicationRecord wanted, Operation operation)
      throws IOException {
    VolumeBackend backend = backends.of(volume.record().getSource());
    PublicationRecord publishing =
        wanted.toBuilder()
            .setPhase(PublicationPhase.PUBLICATION_PHASE_PUBLISHING)
            .setBootId(journey.bootId())
            .build();
    table.save(volume, publishing, backend.durability());
    try {
      faults.reached("PublishVolume:recorded");
      return mount(volume, publishing, operation);
    } catch (IOException | RuntimeException e) {
      undo(volume, publishing, e);
      throw e;
    }
  }

  /**
   * Makes a publication again that was made and is not mounted any more. If that fails it stays
   * recorded: nobody has asked for its end. The volume's lock is held.
   *
   * @param alone no other publication of the volume is mounted either, so it may not be staged
   */
  void restore(VolumeEntry volume, PublicationRecord published, boolean alone, Operation operation)
      throws IOException {
    try {
      if (alone) {
        journey.doubt(volume);
      }
      mount(volume, published.toBuilder().setBootId(journey.bootId()).build(), operation);
    } catch (IOException | KeelsonException e) {
      volume.troubled(e, VolumeTable.now());
      throw e;
    }
  }

  private PublicationRecord mount(
      VolumeEntry volume, PublicationRecord publication, Operation operation) throws IOException {
    journey.forward(volume, operation);
    Path target = folders.target(publication.getId());
    Files.createDirectories(Objects.requireNonNull(target.getParent()));
    VolumeBackend backend = backends.of(volume.record().getSource());
    Path path = backend.publish(volume.record(), publication, target, operation);
    faults.reached("PublishVolume:published");
    if (!publication.getSource().getReadOnly()) {
      changes.expandOnNode(volume, path, operation);
    }
    PublicationRecord published =
        publication.toBuilder()
            .setPhase(PublicationPhase.PUBLICATION_PHASE_PUBLISHED)
            .setPath(path.toString())
            .build();
    table.save(volume, published, Durability.DAEMON);
    faults.reached("PublishVolume:publish-recorded");
    volume.settled();
    return published;
  }

  private void undo(VolumeEntry volume, PublicationRecord publishing, Exception failure) {
    try {
      unpublish.take(volume, publishing, Operation.of(UNDO, Operation.Listener.NONE));
    } catch (IOException | KeelsonException e) {
      failure.addSuppressed(e);
      volume.troubled(e, VolumeTable.now());
      janitor.clear(publishing.getId());
    }
  }

  private VolumeRecord volumeOf(PublicationRequest request) {
    VolumeSource source = request.source();
    if (source.getKindCase() == VolumeSource.KindCase.VOLUME) {
      return table
          .named(source.getVolume())
          .map(
              volume -> volume.record().toBuilder().setSelinuxLabel(request.selinuxLabel()).build())
          .orElseThrow(() -> noVolume(source.getVolume()));
    }
    VolumeSource shared = source.toBuilder().clearReadOnly().build();
    String key = backends.of(source).key(source, request.id());
    return VolumeRecord.newBuilder()
        .setKey(table.provisionedAs(source).map(VolumeEntry::key).orElse(key))
        .setSource(shared)
        .setSelinuxLabel(request.selinuxLabel())
        .setCreatedAt(VolumeTable.now())
        .build();
  }

  private static NotFoundException noVolume(String name) {
    return new NotFoundException("there is no volume \"" + name + "\"");
  }

  private static VolumeSource sourceOf(VolumeRecord volume, VolumeSource asked) {
    return volume.getSource().toBuilder()
        .setReadOnly(asked.getReadOnly() || AccessModes.isReadOnly(volume.getSource()))
        .build();
  }
}
