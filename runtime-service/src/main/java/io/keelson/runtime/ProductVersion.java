package io.keelson.runtime;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/** The version of this build. */
public final class ProductVersion {

  private ProductVersion() {}

  /** As in the build's pom: {@code 0.1.0}. */
  public static String current() {
    try (InputStream in = ProductVersion.class.getResourceAsStream("version.txt")) {
      if (in == null) {
        throw new IllegalStateException("the build lacks version.txt");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8).strip();
    } catch (IOException e) {
      throw new UncheckedIOException("version.txt of this build", e);
    }
  }
}
