package io.keelson.image.manifest;

import io.keelson.sandbox.error.NotFoundException;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** Which image of an index is the one for this node. */
public final class PlatformChoice {

  private PlatformChoice() {}

  /**
   * The manifest that fits best; among equals the first. One that does not say its platform is
   * taken if it is alone.
   *
   * @throws NotFoundException if none fits; the message lists what there is
   */
  public static Descriptor choose(Manifest.Index index, Platform host, String name) {
    Optional<Descriptor> best =
        index.manifests().stream()
            .filter(manifest -> fitness(manifest, host) > 0)
            // max takes the last of equals
            .reduce((a, b) -> fitness(b, host) > fitness(a, host) ? b : a);
    if (best.isPresent()) {
      return best.get();
    }
    List<Descriptor> silent =
        index.manifests().stream().filter(manifest -> manifest.platform() == null).toList();
    if (silent.size() == 1) {
      return silent.getFirst();
    }
    throw new NotFoundException(
        "%s has no image for %s; it has: %s"
            .formatted(
                name,
                host,
                index.manifests().stream()
                    .map(Descriptor::platform)
                    .map(platform -> platform == null ? "unknown" : platform.toString())
                    .distinct()
                    .sorted(Comparator.naturalOrder())
                    .collect(Collectors.joining(", "))));
  }

  /**
   * Refuses an image that says itself that it is for other machines.
   *
   * @throws NotFoundException if it does
   */
  public static void check(ImageConfig config, Platform host, String name) {
    Platform platform = config.platform();
    Platform said =
        new Platform(
            platform.os().isEmpty() ? host.os() : platform.os(),
            platform.architecture().isEmpty() ? host.architecture() : platform.architecture(),
            platform.variant());
    if (host.fitness(said) == 0) {
      throw new NotFoundException(
          "%s is an image for %s; this node is %s".formatted(name, platform, host));
    }
  }

  private static int fitness(Descriptor manifest, Platform host) {
    return manifest.platform() == null ? 0 : host.fitness(manifest.platform());
  }
}
