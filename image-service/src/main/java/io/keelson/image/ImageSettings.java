package io.keelson.image;

import io.keelson.image.registry.RegistrySettings;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * How images are fetched and kept.
 *
 * @param root the daemon's root folder; images are kept in {@code images} and root file systems in
 *     {@code rootfs} below it
 * @param registries how registries are reached
 * @param pinned images that garbage collection must leave alone: names, or beginnings of names that
 *     end with {@code *}
 * @param parallelLayers layers that are fetched and unpacked at the same time, over all pulls
 * @param limits what a layer may grow to
 */
public record ImageSettings(
    Path root,
    RegistrySettings registries,
    List<String> pinned,
    int parallelLayers,
    UnpackLimits limits) {

  /** With more, the buffers of one pull could come to more than 64 MiB. */
  private static final int MAX_DEFAULT_LAYERS = 16;

  public ImageSettings {
    pinned = List.copyOf(pinned);
    if (parallelLayers < 1) {
      throw new IllegalArgumentException("parallelLayers must be 1 or more: " + parallelLayers);
    }
  }

  /** What a node has that configures nothing. */
  public static ImageSettings defaults(Path root) {
    return new ImageSettings(
        root,
        RegistrySettings.of(Set.of(), Optional.empty(), List.of(), List.of()),
        List.of(),
        Math.clamp(Runtime.getRuntime().availableProcessors(), 3, MAX_DEFAULT_LAYERS),
        UnpackLimits.DEFAULT);
  }

  /** The same with registries reached in another way. */
  public ImageSettings withRegistries(RegistrySettings other) {
    return new ImageSettings(root, other, pinned, parallelLayers, limits);
  }
}
