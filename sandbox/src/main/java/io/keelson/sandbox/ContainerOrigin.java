package io.keelson.sandbox;

import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.error.NotFoundException;
import io.keelson.sandbox.port.ImageDescription;
import io.keelson.sandbox.port.PlainArchives;
import io.keelson.sandbox.port.Provisioner;
import io.keelson.sandbox.spec.SpecBuilder;
import io.keelson.sandbox.spec.SpecMount;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Optional;

/**
 * What a container is made from: an image, or a checkpoint of another container and the image of
 * that. Keeps the image from removal until it is closed, and a checkpoint's files from then on if
 * the container was made.
 */
final class ContainerOrigin implements AutoCloseable {

  private final Provisioner.Hold image;
  private final Optional<CheckpointFiles> checkpoint;
  private boolean kept;

  private ContainerOrigin(Provisioner.Hold image, Optional<CheckpointFiles> checkpoint) {
    this.image = image;
    this.checkpoint = checkpoint;
  }

  /** Finds an image that containers are made from. */
  static ContainerOrigin ofImage(Core core, String reference) {
    return new ContainerOrigin(core.provisioner().hold(reference), Optional.empty());
  }

  /**
   * Whether an image may hold a checkpoint in place of a root file system, as people make them to
   * bring one to another node: such images have nothing to run. What else tells them, an annotation
   * of the manifest, is not kept with images.
   */
  boolean mayHoldCheckpoint() {
    return image().entrypoint().isEmpty() && image().command().isEmpty();
  }

  /**
   * Takes the checkpoint out of an image, if there is one in it.
   *
   * @param id of the new container
   */
  static Optional<ContainerOrigin> inImage(Core core, String id, ImageDescription image)
      throws IOException {
    try {
      Path root = core.provisioner().provision(id, image.id());
      CheckpointFiles found = new CheckpointFiles(root);
      return found.isWhole()
          ? Optional.of(of(core, id, target -> found.copyTo(target)))
          : Optional.empty();
    } finally {
      core.provisioner().release(id);
    }
  }

  /**
   * Unpacks a checkpoint and finds the image that its container was made from.
   *
   * @param id of the new container
   * @throws InvalidRequestException if that is no archive of a checkpoint
   * @throws NotFoundException if there is no such file, or the image is not here
   */
  static ContainerOrigin ofArchive(Core core, PlainArchives archives, String id, Path archive)
      throws IOException {
    if (!Files.isRegularFile(archive)) {
      throw new NotFoundException("there is no archive of a checkpoint at " + archive);
    }
    return of(core, id, target -> archives.unpack(archive, target.folder()));
  }

  private interface Filling {
    void fill(CheckpointFiles target) throws IOException;
  }

  private static ContainerOrigin of(Core core, String id, Filling filling) throws IOException {
    Path folder = core.settings().restore(id);
    Files.createDirectory(
        folder, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    try {
      CheckpointFiles files = new CheckpointFiles(folder);
      filling.fill(files);
      if (!files.isWhole()) {
        throw new InvalidRequestException(
            "that is no checkpoint: it has no config.dump, spec.dump or images of processes");
      }
      return new ContainerOrigin(hold(core, files.readOrigin().images()), Optional.of(files));
    } catch (IOException | RuntimeException e) {
      FileTrees.delete(folder);
      throw e;
    }
  }

  private static Provisioner.Hold hold(Core core, List<String> names) {
    for (String name : names) {
      try {
        return core.provisioner().hold(name);
      } catch (NotFoundException | InvalidRequestException e) {
        // The next name may be known.
      }
    }
    throw new NotFoundException(
        "the container of the checkpoint was made from an image that is not here: "
            + String.join(", ", names));
  }

  ImageDescription image() {
    return image.image();
  }

  boolean isCheckpoint() {
    return checkpoint.isPresent();
  }

  /** Makes the changes of the checkpoint in the new container's root file system. */
  void changeRoot(Core core, String id) throws IOException {
    if (checkpoint.isPresent()) {
      CheckpointFiles files = checkpoint.get();
      core.provisioner().applyChanges(id, files.changes(), files.readDeleted());
      Files.deleteIfExists(files.changes());
    }
  }

  /** Refuses a spec into which the checkpoint does not fit. */
  void check(SpecBuilder spec) throws IOException {
    if (checkpoint.isPresent()) {
      checkpoint.get().requireMounts(spec.mounts().stream().map(SpecMount::destination).toList());
    }
  }

  /** A log that does not exist yet goes on where that of the checkpoint ended. */
  void continueLog(Optional<Path> log) throws IOException {
    if (checkpoint.isPresent() && log.isPresent() && !Files.exists(log.get())) {
      Path earlier = checkpoint.get().log();
      if (Files.isRegularFile(earlier)) {
        Files.copy(earlier, log.get());
      }
    }
  }

  /** The container is made: the checkpoint's files are its from now on. */
  void keep() {
    kept = true;
  }

  @Override
  public void close() throws IOException {
    image.close();
    if (checkpoint.isPresent() && !kept) {
      FileTrees.delete(checkpoint.get().folder());
    }
  }
}
