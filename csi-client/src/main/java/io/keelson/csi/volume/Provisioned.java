package io.keelson.csi.volume;

import io.keelson.proto.node.v1.CreateVolumeRequest;
import io.keelson.proto.node.v1.VolumeSource;
import io.keelson.proto.node.v1.VolumeStatus;
import io.keelson.proto.record.v1.PublicationPhase;
import io.keelson.proto.record.v1.PublicationRecord;
import io.keelson.proto.record.v1.VolumePhase;
import io.keelson.proto.record.v1.VolumeRecord;
import io.keelson.sandbox.FaultPoints;
import io.keelson.sandbox.RecordStore.Durability;
import io.keelson.sandbox.error.AlreadyExistsException;
import io.keelson.sandbox.error.FailedPreconditionException;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.error.KeelsonException;
import io.keelson.sandbox.error.NotFoundException;
import io.keelson.sandbox.error.UnsupportedException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The volumes that a driver made at this daemon's request: recorded under their name before the
 * driver is asked, so that none is made that nobody knows of. Safe for use by many threads.
 */
public final class Provisioned {

  /** Asks a driver; each call is made again after a crash. */
  @FunctionalInterface
  public interface Driver<T> {
    T call() throws IOException;
  }

  /**
   * What a driver made.
   *
   * @param source how the volume is published from now on
   */
  public record Made(VolumeSource source, long capacityBytes) {}

  private final VolumeTable table;
  private final VolumeFolders folders;
  private final FaultPoints faults;

  Provisioned(VolumeTable table, VolumeFolders folders, FaultPoints faults) {
    this.table = table;
    this.folders = folders;
    this.faults = faults;
  }

  /** The volume of this name. */
  public VolumeRecord get(String name) {
    return table
        .named(name)
        .map(VolumeEntry::record)
        .orElseThrow(() -> new NotFoundException("there is no volume \"" + name + "\""));
  }

  /** As {@link #get}, for callers. */
  public VolumeStatus status(String name) {
    return VolumeViews.of(
        table
            .named(name)
            .orElseThrow(() -> new NotFoundException("there is no volume \"" + name + "\"")));
  }

  /**
   * Makes a volume; the same request again answers the volume that is there.
   *
   * @param creation answers the volume that the driver made, or had made before
   */
  public VolumeStatus create(CreateVolumeRequest request, Driver<Made> creation)
      throws IOException {
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
            create(volume, creation);
          }
          return VolumeViews.of(volume);
        });
  }

  private void create(VolumeEntry volume, Driver<Made> creation) throws IOException {
    table.save(volume, volume.record(), Durability.POWER);
    faults.reached("CreateVolume:recorded");
    Made made;
    try {
      made = creation.call();
    } catch (InvalidRequestException | AlreadyExistsException | UnsupportedException e) {
      // The driver refused: there is nothing to be remembered.
      forget(volume, volume.record());
      throw e;
    } catch (IOException | KeelsonException e) {
      volume.troubled(e, VolumeTable.now());
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
    volume.settled();
    faults.reached("CreateVolume:create-recorded");
  }

  /**
   * Deletes a volume. Harmless if there is none of this name.
   *
   * @param deletion asks the driver; not called if the driver never made the volume
   * @param creation for a volume whose making had no known outcome
   */
  public void delete(String name, DeletionOf deletion, CreationOf creation) throws IOException {
    Optional<VolumeEntry> found = table.named(name);
    if (found.isEmpty()) {
      return;
    }
    table.withVolume(
        found.get().key(),
        volume -> {
          delete(volume, deletion, creation);
          return Boolean.TRUE;
        });
  }

  /** Asks the driver of a volume to delete it. */
  @FunctionalInterface
  public interface DeletionOf {
    void delete(VolumeRecord volume) throws IOException;
  }

  /** Asks the driver again for a volume that it was asked for before. */
  @FunctionalInterface
  public interface CreationOf {
    Made create(CreateVolumeRequest request) throws IOException;
  }

  private void delete(VolumeEntry volume, DeletionOf deletion, CreationOf creation)
      throws IOException {
    if (!volume.publications().isEmpty()) {
      throw new FailedPreconditionException(
          "volume \"%s\" is published: %s"
              .formatted(
                  volume.record().getName(),
                  volume.publications().stream().map(PublicationRecord::getId).toList()));
    }
    switch (volume.phase()) {
      case VOLUME_PHASE_IDLE, VOLUME_PHASE_DELETING -> {}
      case VOLUME_PHASE_CREATING -> {
        // Whether the driver made it is not known: asking once more tells its id.
        Made made = creation.create(volume.record().getRequest());
        volume.record(volume.record().toBuilder().setSource(made.source()).build());
      }
      case VOLUME_PHASE_ATTACHING,
          VOLUME_PHASE_ATTACHED,
          VOLUME_PHASE_STAGING,
          VOLUME_PHASE_STAGED,
          VOLUME_PHASE_UNSTAGING,
          VOLUME_PHASE_DETACHING,
          UNRECOGNIZED ->
          throw new FailedPreconditionException(
              "volume \"" + volume.record().getName() + "\" is still on its way from the node");
    }
    VolumeRecord deleting =
        volume.record().toBuilder().setPhase(VolumePhase.VOLUME_PHASE_DELETING).build();
    table.save(volume, deleting, Durability.POWER);
    faults.reached("DeleteVolume:recorded");
    try {
      deletion.delete(deleting);
    } catch (IOException | KeelsonException e) {
      volume.troubled(e, VolumeTable.now());
      throw e;
    }
    faults.reached("DeleteVolume:deleted");
    forget(volume, deleting);
    faults.reached("DeleteVolume:forgotten");
  }

  private void forget(VolumeEntry volume, VolumeRecord last) throws IOException {
    table.forget(
        volume, last.toBuilder().clearName().setPhase(VolumePhase.VOLUME_PHASE_IDLE).build());
  }

  /** Asks the driver of a volume to change it; no other call for the volume comes meanwhile. */
  @FunctionalInterface
  public interface Change {
    /**
     * @param place where the volume is published, if it is
     * @return the volume's capacity then, bytes
     */
    long apply(VolumeRecord volume, Optional<Place> place) throws IOException;
  }

  /** Changes a volume. */
  public VolumeStatus change(String name, Change change) throws IOException {
    VolumeEntry found =
        table
            .named(name)
            .orElseThrow(() -> new NotFoundException("there is no volume \"" + name + "\""));
    return table
        .withVolume(
            found.key(),
            volume -> {
              long capacity = change.apply(volume.record(), place(volume));
              table.save(
                  volume,
                  volume.record().toBuilder().setCapacityBytes(capacity).build(),
                  Durability.POWER);
              return VolumeViews.of(volume);
            })
        .orElseThrow(() -> new NotFoundException("there is no volume \"" + name + "\""));
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
