package io.keelson.image.manifest;

import java.util.Locale;

/**
 * What an image runs on, in Go's words (OCI image spec, image index).
 *
 * @param variant of the architecture, {@code ""} if none
 */
public record Platform(String os, String architecture, String variant) {

  /** This node's. */
  public static Platform host() {
    return switch (System.getProperty("os.arch", "").toLowerCase(Locale.ROOT)) {
      case "amd64", "x86_64" -> new Platform("linux", "amd64", "");
      case "aarch64", "arm64" -> new Platform("linux", "arm64", "v8");
      case String other -> new Platform("linux", other, "");
    };
  }

  /**
   * How well an image for {@code other} runs here: 0 not at all, more is better. A variant says the
   * least processor, so that amd64/v2 may ask too much and plain amd64 never does.
   */
  int fitness(Platform other) {
    if (!os.equals(other.os) || !architecture.equals(other.architecture)) {
      return 0;
    }
    if (variant.equals(other.variant)) {
      return 3;
    }
    return switch (other.variant) {
      case "" -> 2;
      case "v1", "v8" -> 1;
      default -> 0;
    };
  }

  @Override
  public String toString() {
    return os + "/" + architecture + (variant.isEmpty() ? "" : "/" + variant);
  }
}
