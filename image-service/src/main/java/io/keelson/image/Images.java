package io.keelson.image;

import io.keelson.sandbox.error.UnsupportedException;
import io.keelson.sandbox.port.ImageDescription;
import io.keelson.sandbox.port.Provisioner;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The images of a node. One id names an image everywhere: the digest of its config. Wherever a
 * method takes a reference, that is a tag, a digest, an id or a unique beginning of an id. Safe for
 * use by many threads; lists and statuses come from memory and wait for nothing.
 */
public final class Images implements AutoCloseable {

  private Images() {}

  /**
   * Opens the store below {@link ImageSettings#root}, makes it if there is none, and takes away
   * what an earlier run left half made. A record that can't be read is dropped with a line in the
   * log.
   */
  public static Images open(ImageSettings settings) throws IOException {
    throw new UnsupportedException("images of " + settings.root());
  }

  /** Root file systems from these images. Always the same object. */
  public Provisioner provisioner() {
    throw new UnsupportedException("images");
  }

  /**
   * Fetches an image, or finds that it is here in full already; the registry is asked in any case.
   * Pulls of one reference by the same credentials at the same time are done once.
   *
   * @return the image's id
   * @throws io.keelson.sandbox.error.InvalidRequestException if the reference is none
   * @throws io.keelson.sandbox.error.NotFoundException if the registry has no such image, or not
   *     for this platform
   * @throws io.keelson.sandbox.error.OperationFailedException if the registry can't be reached (the
   *     message begins with {@code RegistryUnavailable}, as CRI wants), refuses, or serves what its
   *     digest belies
   * @throws io.keelson.sandbox.error.ResourceExhaustedException if the disk is full
   * @throws java.util.concurrent.CancellationException if the caller cancelled or its thread was
   *     interrupted
   */
  public String pull(PullRequest request) throws IOException {
    throw new UnsupportedException("pull of " + request.reference());
  }

  /**
   * Takes the images of an OCI layout (folder or tar) or of a docker-archive, the tar also
   * compressed.
   *
   * @param name gives the image this name instead of those that the archive says; only if it holds
   *     one image
   * @return the ids, in the archive's order
   * @throws io.keelson.sandbox.error.InvalidRequestException if it is no such archive, or names
   *     don't fit
   */
  public List<String> importArchive(
      Path archive, @Nullable String name, PullProgress progress, Cancellation cancellation)
      throws IOException {
    throw new UnsupportedException("import of " + archive);
  }

  /** All images, sorted by id. */
  public List<ImageDescription> list() {
    throw new UnsupportedException("images");
  }

  /** The image, if it is here. */
  public Optional<ImageDescription> status(String reference) {
    throw new UnsupportedException("image " + reference);
  }

  /** The image with all that is known of it, if it is here. */
  public Optional<ImageDetails> details(String reference) throws IOException {
    throw new UnsupportedException("image " + reference);
  }

  /** Whether the settings say that garbage collection must leave the image alone. */
  public boolean isPinned(ImageDescription image) {
    throw new UnsupportedException("image " + image.id());
  }

  /**
   * Removes the image with all its names and gives its space back. Harmless if there is none.
   *
   * @throws io.keelson.sandbox.error.FailedPreconditionException while a container uses it or is
   *     being made from it
   */
  public void remove(String reference) throws IOException {
    throw new UnsupportedException("image " + reference);
  }

  /** What images and layers take. */
  public FileSystemUsage imageUsage() throws IOException {
    throw new UnsupportedException("images");
  }

  /** What the writable layers of all containers take. */
  public FileSystemUsage containerUsage() throws IOException {
    throw new UnsupportedException("images");
  }

  /** What the writable layer of one container takes, if it has one. Reads the folder. */
  public Optional<FileSystemUsage> writableLayerUsage(String containerId) throws IOException {
    throw new UnsupportedException("container " + containerId);
  }

  /** Ends what is under way and brings to disk what is not there yet. */
  @Override
  public void close() throws IOException {}
}
