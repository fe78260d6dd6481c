package io.keelson.image;

import io.keelson.image.archive.UnpackLimits;
import io.keelson.image.registry.RegistrySettings;
import io.keelson.image.rootfs.RootBackend;
import java.nio.file.Path;
import java.time.Duration;
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
 * @param maxManifest the most bytes that a manifest or an index may have
 * @param sealAfter how long nothing must be pulled before layers are read again, to note what they
 *     are
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
    int maxManifest,
    Duration sealAfter,
    Optional<Path> signaturePolicy) {

  /** What all registries must take (OCI distribution spec, pushing manifests). */
  private static final int DEFAULT_MAX_MANIFEST = 4 << 20;

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
        DEFAULT_MAX_MANIFEST,
        Duration.ofSeconds(10),
        Optional.empty());
  }

  /** The same with this backend. */
  public ImageSettings with(RootBackend other) {
    return copy(registries, other, keepBlobs, maxManifest, sealAfter, signaturePolicy);
  }

  /** The same, keeping the layers as they came. */
  public ImageSettings withBlobs() {
    return copy(registries, backend, true, maxManifest, sealAfter, signaturePolicy);
  }

  /** The same with another limit of manifests. */
  public ImageSettings withMaxManifest(int bytes) {
    return copy(registries, backend, keepBlobs, bytes, sealAfter, signaturePolicy);
  }

  /** The same with another patience before layers are read again. */
  public ImageSettings withSealAfter(Duration other) {
    return copy(registries, backend, keepBlobs, maxManifest, other, signaturePolicy);
  }

  /** The same with this policy. */
  public ImageSettings withSignaturePolicy(Path policy) {
    return copy(registries, backend, keepBlobs, maxManifest, sealAfter, Optional.of(policy));
  }

  /** The same with registries reached in another way. */
  public ImageSettings withRegistries(RegistrySettings other) {
    return copy(other, backend, keepBlobs, maxManifest, sealAfter, signaturePolicy);
  }

  private ImageSettings copy(
      RegistrySettings otherRegistries,
      RootBackend otherBackend,
      boolean otherKeepBlobs,
      int otherMaxManifest,
      Duration otherSealAfter,
      Optional<Path> otherPolicy) {
    return new ImageSettings(
        root,
        otherRegistries,
        pinned,
        parallelLayers,
        limits,
        otherBackend,
        otherKeepBlobs,
        otherMaxManifest,
        otherSealAfter,
        otherPolicy);
  }
}
