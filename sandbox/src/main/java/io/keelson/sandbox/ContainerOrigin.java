package io.keelson.sandbox;

import io.keelson.sandbox.port.ImageDescription;
import io.keelson.sandbox.port.Provisioner;
import io.keelson.sandbox.spec.SpecBuilder;
import io.keelson.sandbox.spec.SpecMount;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
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

  ContainerOrigin(Provisioner.Hold image, Optional<CheckpointFiles> checkpoint) {
    this.image = image;
    this.checkpoint = checkpoint;
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

  /** Fits a spec to the checkpoint; refuses one into which it does not fit. */
  void fit(SpecBuilder spec) throws IOException {
    if (checkpoint.isPresent()) {
      checkpoint.get().marker().ifPresent(spec::mount);
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
