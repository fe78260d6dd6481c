package io.keelson.sandbox;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.error.NotFoundException;
import io.keelson.sandbox.port.ImageDescription;
import io.keelson.sandbox.port.PlainArchives;
import io.keelson.sandbox.port.Provisioner;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Optional;

/** Finds out what a container is to be made from. Safe for use by many threads. */
final class ContainerOrigins {

  /** More than a node has at a time; those that it had once fall out. */
  private static final int MOST_PLAIN = 1000;

  private final Core core;
  private final CaptureContainers capture;
  private final PlainArchives archives;

  /** Ids of images without a workload in which no checkpoint was found: they are looked at once. */
  private final Cache<String, Boolean> plain =
      Caffeine.newBuilder().maximumSize(MOST_PLAIN).build();

  ContainerOrigins(Core core, CaptureContainers capture, PlainArchives archives) {
    this.core = core;
    this.capture = capture;
    this.archives = archives;
  }

  /**
   * An image, or the checkpoint in an archive or an image.
   *
   * @param id of the new container
   * @param image as the caller names it
   * @param archive of a checkpoint, which then counts alone
   * @throws InvalidRequestException if that is no archive of a checkpoint
   * @throws NotFoundException if there is no such image or file, or not the image of a checkpoint
   */
  ContainerOrigin find(PodEntry pod, String id, String image, Optional<Path> archive)
      throws IOException {
    if (archive.isPresent()) {
      capture.requireSupport(pod);
      return inArchive(id, archive.get());
    }
    Provisioner.Hold hold = core.provisioner().hold(image);
    if (!mayHoldCheckpoint(hold.image()) || plain.getIfPresent(hold.image().id()) != null) {
      return new ContainerOrigin(hold, Optional.empty());
    }
    Optional<ContainerOrigin> checkpoint = Optional.empty();
    try {
      checkpoint = inImage(pod, id, hold.image());
      return checkpoint.orElseGet(() -> new ContainerOrigin(hold, Optional.empty()));
    } catch (IOException | RuntimeException e) {
      hold.close();
      throw e;
    } finally {
      if (checkpoint.isPresent()) {
        hold.close();
      }
    }
  }

  /**
   * Whether an image may hold a checkpoint in place of a root file system, as people make them to
   * bring one to another node: such images have nothing to run. What else tells them, an annotation
   * of the manifest, is not kept with images.
   */
  private static boolean mayHoldCheckpoint(ImageDescription image) {
    return image.entrypoint().isEmpty() && image.command().isEmpty();
  }

  /** Takes the checkpoint out of an image, if there is one in it. */
  private Optional<ContainerOrigin> inImage(PodEntry pod, String id, ImageDescription image)
      throws IOException {
    try {
      CheckpointFiles found = new CheckpointFiles(core.provisioner().provision(id, image.id()));
      if (!found.isWhole()) {
        plain.put(image.id(), true);
        return Optional.empty();
      }
      capture.requireSupport(pod);
      return Optional.of(filled(id, found::copyTo));
    } finally {
      core.provisioner().release(id);
    }
  }

  private ContainerOrigin inArchive(String id, Path archive) throws IOException {
    if (!Files.isRegularFile(archive)) {
      throw new NotFoundException("there is no archive of a checkpoint at " + archive);
    }
    return filled(id, target -> archives.unpack(archive, target.folder()));
  }

  private interface Filling {
    void fill(CheckpointFiles target) throws IOException;
  }

  /** Brings a checkpoint's files into the container's folder and finds their image. */
  private ContainerOrigin filled(String id, Filling filling) throws IOException {
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
      return new ContainerOrigin(hold(files.readOrigin().images()), Optional.of(files));
    } catch (IOException | RuntimeException e) {
      FileTrees.delete(folder);
      throw e;
    }
  }

  /** Nothing is pulled here: neither credentials nor the time for it came with the call. */
  private Provisioner.Hold hold(List<String> names) {
    for (String name : names) {
      try {
        return core.provisioner().hold(name);
      } catch (NotFoundException | InvalidRequestException e) {
        // The next name may be known.
      }
    }
    throw new NotFoundException(
        "the container of the checkpoint was made from an image that is not here (pull it first): "
            + String.join(", ", names));
  }
}
