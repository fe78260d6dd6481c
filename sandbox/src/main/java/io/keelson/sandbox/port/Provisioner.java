package io.keelson.sandbox.port;

import io.keelson.linux.tree.Trees;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/**
 * Turns an image into a root file system. Safe for use by many threads; calls for one container
 * never overlap.
 */
public interface Provisioner {

  /**
   * Finds an image by tag, digest, id or unique id prefix, and keeps it from removal until the hold
   * is closed.
   *
   * @throws io.keelson.sandbox.error.NotFoundException if there is none
   */
  Hold hold(String reference);

  /**
   * Mounts a writable root file system made from the image. From then on the image is in use by
   * this container until {@link #release}, over restarts of the daemon too. Doing it again for the
   * same container starts from an empty writable layer.
   *
   * @return the mounted root
   * @throws io.keelson.sandbox.error.InvalidRequestException if there is no backend of this name
   */
  Path provision(String containerId, String imageId, RootOptions options) throws IOException;

  /** As the other one, with nothing out of the usual. */
  default Path provision(String containerId, String imageId) throws IOException {
    return provision(containerId, imageId, RootOptions.USUAL);
  }

  /** The image with this id, if the store has it. */
  Optional<ImageDescription> describe(String imageId);

  /** Where a container's root file system is or would be mounted. */
  Path rootfs(String containerId);

  /**
   * What the container has written over its image; empty if it has no root file system. May have to
   * walk a whole tree: callers keep the answer for as long as it was dear.
   */
  Optional<Trees.Usage> usage(String containerId) throws IOException;

  /**
   * Writes what the container has changed in its image: a tar of what was made or changed, with
   * paths from the root on. Nobody may write to the root file system meanwhile.
   *
   * @param tar stays the caller's
   * @return the paths of what it has deleted
   * @throws io.keelson.sandbox.error.UnsupportedException if that can't be told of a root file
   *     system that was made in this way
   */
  List<String> writeChanges(String containerId, OutputStream tar) throws IOException;

  /**
   * Changes a root file system that no process uses yet as {@link #writeChanges} says. Whatever the
   * tar and the paths say, nothing outside of it is touched.
   *
   * @throws io.keelson.sandbox.error.InvalidRequestException if they are broken, lead out of the
   *     root file system, or want more than the limits for images allow
   */
  void applyChanges(String containerId, Path tar, List<String> deleted) throws IOException;

  /** Unmounts and deletes a container's root file system. Harmless if there is none. */
  void release(String containerId) throws IOException;

  /**
   * The daemon has started again: root file systems of containers other than these are released.
   */
  void recover(Collection<String> containerIds) throws IOException;

  /** An image that can't be removed while this is open. */
  interface Hold extends AutoCloseable {
    ImageDescription image();

    @Override
    void close();
  }
}
