package io.keelson.image.manifest;

import java.util.Locale;

/**
 * What an image runs on, in Go's words (OCI image spec, image index).
 *
 * @param variant of the architecture: the least processor of an image, the best of a node; {@code
 *     ""} if none is said
 */
public record Platform(String os, String architecture, String variant) {

  /** Anything that runs is better than nothing, and this much worse than the node's own. */
  private static final int OWN = 100;

  /** This node's. */
  public static Platform host() {
    return switch (System.getProperty("os.arch", "").toLowerCase(Locale.ROOT)) {
      case "amd64", "x86_64" -> new Platform("linux", "amd64", X86Level.ofHost());
      case "aarch64", "arm64" -> new Platform("linux", "arm64", "v8");
      case String other -> new Platform("linux", other, "");
    };
  }

  /**
   * How well an image for {@code other} runs on this node: 0 not at all, more is better. Of images
   * for several variants the one that makes most of the processor is best. 64-bit machines run what
   * is made for their 32-bit forebears, if there is nothing else.
   */
  int fitness(Platform other) {
    if (!os.equals(other.os)) {
      return 0;
    }
    if (architecture.equals(other.architecture)) {
      int least = level(other.variant);
      return least > level(variant) ? 0 : OWN + least;
    }
    return switch (architecture) {
      case "amd64" -> other.architecture.equals("386") ? 1 : 0;
      case "arm64" ->
          other.architecture.equals("arm") && level(other.variant) <= 8
              ? 1 + level(other.variant)
              : 0;
      default -> 0;
    };
  }

  /** The number of a variant; 0 for none, and beyond all for one that is not understood. */
  private int level(String text) {
    if (text.isEmpty()) {
      return architecture.equals("arm64") ? 8 : architecture.equals("amd64") ? 1 : 0;
    }
    return text.matches("v[0-9]{1,2}") ? Integer.parseInt(text.substring(1)) : Integer.MAX_VALUE;
  }

  @Override
  public String toString() {
    return os + "/" + architecture + (variant.isEmpty() ? "" : "/" + variant);
  }
}
