package io.keelson.csi.volume;

import io.keelson.sandbox.error.FailedPreconditionException;
import java.io.IOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;

/**
 * Where volumes are staged and published. What is taken away here is empty: content of a volume is
 * never deleted.
 */
public final class VolumeFolders {

  private static final String MOUNT = "mount";

  private final Path top;

  /**
   * @param top survives a reboot
   */
  public VolumeFolders(Path top) throws IOException {
    this.top = top;
    Files.createDirectories(stagings());
    Files.createDirectories(targets());
  }

  Path volumeRecords() {
    return top.resolve("volumes");
  }

  Path publicationRecords() {
    return top.resolve("publications");
  }

  Path stagings() {
    return top.resolve("staging");
  }

  Path targets() {
    return top.resolve("targets");
  }

  /** Where a volume is staged. */
  public Path staging(String volumeKey) {
    return stagings().resolve(volumeKey);
  }

  /** Where a publication appears. */
  public Path target(String publicationId) {
    return targets().resolve(publicationId).resolve(MOUNT);
  }

  /** Takes the place of a publication away. Harmless if it is gone. */
  void removeTarget(String publicationId) throws IOException {
    Path target = target(publicationId);
    removeEmpty(target, "the target");
    removeEmpty(targets().resolve(publicationId), "the target's folder");
  }

  void removeStaging(String volumeKey) throws IOException {
    removeEmpty(staging(volumeKey), "the staging folder");
  }

  private static void removeEmpty(Path path, String what) throws IOException {
    if (MountTable.read().isMounted(path)) {
      throw new FailedPreconditionException(what + " " + path + " is still a mount");
    }
    if (Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS) && Files.size(path) > 0) {
      throw new FailedPreconditionException(
          what + " " + path + " is a file with content, which is not deleted");
    }
    try {
      Files.deleteIfExists(path);
    } catch (DirectoryNotEmptyException e) {
      throw new FailedPreconditionException(
          what + " " + path + " is not mounted and has content, which is not deleted", e);
    }
  }
}
