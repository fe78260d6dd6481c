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
 * @param backend makes root file systems
 * @param keepBlobs keeps the layers as they came beside what they unpack to
 * @param signaturePolicy a file that says which registries need which signatures; none if all are
 *     accepted
 */
public record ImageSettings(
    Path root,
    RegistrySettings registries,
    List<String> pinned,
    int parallelLayers,
    UnpackLimits limits,
    RootBackend backend,
    boolean keepBlobs,
    Optional<Path> signaturePolicy) {

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
        UnpackLimits.DEFAULT,
        RootBackend.OVERLAY,
        false,
        Optional.empty());
  }

  /** The same with this backend. */
  public ImageSettings with(RootBackend other) {
    return new ImageSettings(
        root, registries, pinned, parallelLayers, limits, other, keepBlobs, signaturePolicy);
  }

  /** The same, keeping the layers as they came. */
  public ImageSettings withBlobs() {
    return new ImageSettings(
        root, registries, pinned, parallelLayers, limits, backend, true, signaturePolicy);
  }

  /** The same with this policy. */
  public ImageSettings withSignaturePolicy(Path policy) {
    return new ImageSettings(
        root, registries, pinned, parallelLayers, limits, backend, keepBlobs, Optional.of(policy));
  }

  /** The same with registries reached in another way. */
  public ImageSettings withRegistries(RegistrySettings other) {
    return new ImageSettings(
        root, other, pinned, parallelLayers, limits, backend, keepBlobs, signaturePolicy);
  }
}
