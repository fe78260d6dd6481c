package io.keelson.cni.plugin;

import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Collectors;

/** A version of the CNI spec that this client speaks, oldest first. */
enum CniVersion {
  /** Chaining, and results with interfaces. */
  V0_3_0("0.3.0"),
  V0_3_1("0.3.1"),
  /** CHECK, and {@code prevResult} on DEL. */
  V0_4_0("0.4.0"),
  /** Addresses without a {@code version} of their own. */
  V1_0_0("1.0.0"),
  /** STATUS and GC, {@code cniVersions}. */
  V1_1_0("1.1.0");

  private final String text;

  CniVersion(String text) {
    this.text = text;
  }

  static Optional<CniVersion> of(String text) {
    return Arrays.stream(values()).filter(v -> v.text.equals(text)).findFirst();
  }

  /** All of them, for messages. */
  static String all() {
    return Arrays.stream(values()).map(v -> v.text).collect(Collectors.joining(", "));
  }

  String text() {
    return text;
  }

  boolean atLeast(CniVersion other) {
    return compareTo(other) >= 0;
  }

  @Override
  public String toString() {
    return text;
  }
}
