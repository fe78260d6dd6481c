package io.keelson.image;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * How images are fetched and kept.
 *
 * @param root the daemon's root folder; images are kept in {@code images} and root file systems in
 *     {@code rootfs} below it
 * @param insecureRegistries registries ({@code host} or {@code host:port}) that are asked over
 *     plain HTTP, as those on the loopback always are
 * @param caFile certificates (PEM) that are trusted besides the system's own
 * @param pinned images that garbage collection must leave alone: names, or beginnings of names that
 *     end with {@code *}
 * @param parallelLayers layers that are fetched and unpacked at the same time, over all pulls
 * @param limits what a layer may grow to
 */
public record ImageSettings(
    Path root,
    Set<String> insecureRegistries,
    Optional<Path> caFile,
    List<String> pinned,
    int parallelLayers,
    UnpackLimits limits) {

  public ImageSettings {
    insecureRegistries = Set.copyOf(insecureRegistries);
    pinned = List.copyOf(pinned);
    if (parallelLayers < 1) {
      throw new IllegalArgumentException("parallelLayers must be 1 or more: " + parallelLayers);
    }
  }

  /** What a node has that configures nothing. */
  public static ImageSettings defaults(Path root) {
    return new ImageSettings(
        root,
        Set.of(),
        Optional.empty(),
        List.of(),
        Math.max(3, Runtime.getRuntime().availableProcessors()),
        UnpackLimits.DEFAULT);
  }
}
