package io.keelson.sandbox.launch;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.io.IOException;

/**
 * What an OCI runtime says that it makes of a config.json (OCI runtime spec, features.md). One that
 * says nothing is older than that command, and than all that is asked here. A runtime passes over
 * what it does not know without a word.
 */
public final class RuntimeFeatures {

  private static final ObjectMapper JSON = new ObjectMapper();

  /** Of a runtime that does not tell. */
  static final RuntimeFeatures UNTOLD = new RuntimeFeatures(MissingNode.getInstance());

  private final JsonNode features;

  private RuntimeFeatures(JsonNode features) {
    this.features = features;
  }

  /**
   * Reads what the command {@code features} prints.
   *
   * @throws IOException if it is no JSON
   */
  static RuntimeFeatures of(byte[] json) throws IOException {
    return new RuntimeFeatures(JSON.readTree(json));
  }

  /** {@code process.scheduler} and {@code process.ioPriority}, which came with version 1.1. */
  public boolean hasSchedulers() {
    String[] version = features.path("ociVersionMax").asText("0.0").split("[.+-]", -1);
    return version.length > 1 && (number(version[0]) > 1 || number(version[1]) >= 1);
  }

  private static int number(String text) {
    return text.matches("[0-9]{1,6}") ? Integer.parseInt(text) : 0;
  }

  /** {@code linux.memoryPolicy} of this mode, such as {@code MPOL_BIND}. */
  public boolean hasMemoryPolicy(String mode) {
    for (JsonNode known : features.at("/linux/memoryPolicy/modes")) {
      if (known.asText().equals(mode)) {
        return true;
      }
    }
    return false;
  }

  /** {@code linux.netDevices}. */
  public boolean hasNetDevices() {
    return features.at("/linux/netDevices/enabled").asBoolean();
  }
}
