package io.keelson.csi.volume;

import io.keelson.csi.driver.Operation;
import io.keelson.proto.node.v1.CreateVolumeRequest;
import io.keelson.proto.node.v1.ModifyVolumeRequest;
import io.keelson.proto.node.v1.VolumeSource;
import io.keelson.proto.node.v1.VolumeStatus;
import io.keelson.proto.record.v1.PublicationPhase;
import io.keelson.proto.record.v1.PublicationRecord;
import io.keelson.proto.record.v1.VolumePhase;
import io.keelson.proto.record.v1.VolumeRecord;
import io.keelson.sandbox.error.AlreadyExistsException;
import io.keelson.sandbox.error.FailedPreconditionException;
import io.keelson.sandbox.error.KeelsonException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The volumes that a driver made at this daemon's request: recorded under their name before the
 * driver is asked, so that none is made that nobody knows of. What was asked for and has no known
 * outcome goes on in the background, also after a restart. Safe for use by many threads.
 */
public final class Provisioned {

  private final VolumeTable table;
  private final VolumeFolders folders;
  private final VolumeCreation creation;
  private final VolumeChanges changes;
  private final Janitor janitor;

  Provisioned(
      VolumeTable table,
      VolumeFolders folders,
      VolumeCreation creation,
      VolumeChanges changes,
      Janitor janitor) {
    this.table = table;
    this.folders = folders;
    this.creation = creation;
    this.changes = changes;
    this.janitor = janitor;
  }

  /** The volume of this name. */
  public VolumeRecord get(String name) {
    return table.require(name).record();
  }

  /** As {@link #get}, for callers. */
  public VolumeStatus status(String name) {
    return VolumeViews.of(table.require(name));
  }

  /** Makes a volume; the same request again answers the volume that is there. */
  public VolumeStatus create(CreateVolumeRequest request, Operation operation) throws IOException {
    VolumeRecord initial =
        VolumeRecord.newBuilder()
            .setKey("volume." + request.getName())
            .setName(request.getName())
            .setSource(VolumeSource.newBuilder().setCsi(request.getVolume()))
            .setRequest(request)
            .setPhase(VolumePhase.VOLUME_PHASE_CREATING)
            .setCreatedAt(VolumeTable.now())
            .build();
    return table.withVolume(
        initial,
        volume -> {
          if (!volume.record().getRequest().equals(request)) {
            throw new AlreadyExistsException(
                "volume \"" + request.getName() + "\" is there and was asked for in another way");
          }
          if (volume.phase() == VolumePhase.VOLUME_PHASE_DELETING) {
            throw new FailedPreconditionException(
                "volume \"" + request.getName() + "\" is being deleted");
          }
          if (volume.phase() == VolumePhase.VOLUME_PHASE_CREATING) {
            boolean first = volume.record().equals(initial);
            attempt(volume, made -> creation.create(made, first, operation));
          }
          return VolumeViews.of(volume);
        });
  }

  /** Deletes a volume. Harmless if there is none of this name. */
  public void delete(String name, Operation operation) throws IOException {
    Optional<VolumeEntry> found = table.named(name);
    if (found.isEmpty()) {
      return;
    }
    table.withVolume(
        found.get().key(),
        volume -> {
          requireUnpublished(volume);
          attempt(volume, each -> creation.delete(each, operation));
          return Boolean.TRUE;
        });
  }

  private static void requireUnpublished(VolumeEntry volume) {
    if (!volume.publications().isEmpty()) {
      throw new FailedPreconditionException(
          "volume \"%s\" is published: %s"
              .formatted(
                  volume.record().getName(),
                  volume.publications().stream().map(PublicationRecord::getId).toList()));
    }
  }

  /** Makes a volume larger, at the controller and where it is published. */
  public VolumeStatus expand(String name, long bytes, Operation operation) throws IOException {
    return change(name, volume -> changes.expand(volume, bytes, operation));
  }

  /** Changes what the driver lets be changed. */
  public VolumeStatus modify(ModifyVolumeRequest request, Operation operation) throws IOException {
    return change(request.getName(), volume -> changes.modify(volume, request, operation));
  }

  private interface Change {
    void apply(VolumeEntry volume) throws IOException;
  }

  private VolumeStatus change(String name, Change change) throws IOException {
    return table
        .withVolume(
            table.require(name).key(),
            volume -> {
              switch (volume.phase()) {
                case VOLUME_PHASE_CREATING, VOLUME_PHASE_DELETING ->
                    throw new FailedPreconditionException(
                        "volume \"" + name + "\" is being made or deleted");
                default -> {}
              }
              attempt(volume, change);
              return VolumeViews.of(volume);
            })
        .orElseThrow(() -> VolumeTable.notThere(name));
  }

  /** What has begun and fails goes on in the background. */
  private void attempt(VolumeEntry volume, Change change) throws IOException {
    try {
      change.apply(volume);
      volume.settled();
    } catch (IOException | KeelsonException e) {
      if (isUnfinished(volume)) {
        volume.troubled(e, VolumeTable.now());
        resume(volume);
      }
      throw e;
    }
  }

  /** Sees to it in the background that what has begun gets to a known end. */
  void resume(VolumeEntry volume) {
    if (isUnfinished(volume)) {
      janitor.add(
          "provisioned volume " + volume.key(),
          operation ->
              table.withVolume(
                  volume.key(),
                  locked -> {
                    attempt(locked, each -> finish(each, operation));
                    return Boolean.TRUE;
                  }));
    }
  }

  private boolean isUnfinished(VolumeEntry volume) {
    return switch (volume.phase()) {
      case VOLUME_PHASE_CREATING, VOLUME_PHASE_DELETING -> true;
      default -> changes.isUnfinished(volume);
    };
  }

  private void finish(VolumeEntry volume, Operation operation) throws IOException {
    switch (volume.phase()) {
      case VOLUME_PHASE_CREATING -> creation.create(volume, false, operation);
      case VOLUME_PHASE_DELETING -> creation.delete(volume, operation);
      default -> changes.finish(volume, operation);
    }
  }

  /** Where a volume is published; empty if it is not. */
  public Optional<Place> place(String name) {
    return table.named(name).flatMap(this::place);
  }

  private Optional<Place> place(VolumeEntry volume) {
    Path staging = folders.staging(volume.key());
    return volume.publications().stream()
        .filter(each -> each.getPhase() == PublicationPhase.PUBLICATION_PHASE_PUBLISHED)
        .findFirst()
        .map(each -> new Place(volume.record(), Path.of(each.getPath()), staging));
  }
}
