package io.keelson.sandbox.port;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Shows the content of images to containers as volumes. Safe for use by many threads; calls for one
 * container never overlap.
 */
public interface ImageVolumes {

  /**
   * Mounts an image's content, read-only. From then on the image is in use by this container until
   * {@link Provisioner#release}, which takes the mount away, over restarts of the daemon too.
   *
   * @param reference tag, digest, id or unique beginning of an id
   * @param owners the user namespace in whose ids the files' owners are to be taken; empty for the
   *     host's
   * @param subPath a file or folder in the image, relative to its root; {@code ""} for the root
   * @param fileLabel the SELinux label that all its files show; {@code ""} for none
   * @throws io.keelson.sandbox.error.InvalidRequestException if {@code subPath} is no such path
   * @throws io.keelson.sandbox.error.OperationFailedException if the image is not here, lacks the
   *     path, or can't be mounted; the message begins with {@code ImageVolumeMountFailed}
   */
  ImageVolume mount(
      String containerId,
      String reference,
      String subPath,
      Optional<PodUserNamespace> owners,
      String fileLabel)
      throws IOException;

  /**
   * @param source what is to be bound into the container
   * @param imageId of the image that is mounted
   */
  record ImageVolume(Path source, String imageId) {}
}
