package io.keelson.device.container;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.keelson.sandbox.spec.SpecDevice;
import io.keelson.sandbox.spec.SpecDeviceRule;
import io.keelson.sandbox.spec.SpecUser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a container was made with, read from the spec in its bundle.
 *
 * @param user without the additional groups
 * @param rules of access to devices
 * @param devices the nodes that the OCI runtime made
 */
record BundleFile(SpecUser user, List<SpecDeviceRule> rules, List<SpecDevice> devices) {

  BundleFile {
    rules = List.copyOf(rules);
    devices = List.copyOf(devices);
  }

  static BundleFile read(Path bundle) throws IOException {
    JsonNode spec = new ObjectMapper().readTree(Files.readAllBytes(bundle.resolve("config.json")));
    JsonNode user = spec.path("process").path("user");
    return new BundleFile(
        new SpecUser(user.path("uid").asLong(), user.path("gid").asLong(), List.of()),
        rules(spec),
        devices(spec));
  }

  private static List<SpecDevice> devices(JsonNode spec) throws IOException {
    List<SpecDevice> devices = new ArrayList<>();
    for (JsonNode device : spec.path("linux").path("devices")) {
      devices.add(
          new SpecDevice(
              device.path("path").asText(),
              kind(device.path("type").asText()),
              device.path("major").asLong(),
              device.path("minor").asLong(),
              device.path("fileMode").asInt(),
              device.path("uid").asLong(),
              device.path("gid").asLong()));
    }
    return devices;
  }

  private static List<SpecDeviceRule> rules(JsonNode spec) throws IOException {
    List<SpecDeviceRule> rules = new ArrayList<>();
    for (JsonNode rule : spec.path("linux").path("resources").path("devices")) {
      rules.add(
          new SpecDeviceRule(
              rule.path("allow").asBoolean(),
              kind(rule.path("type").asText("a")),
              number(rule.path("major")),
              number(rule.path("minor")),
              rule.path("access").asText("rwm")));
    }
    return rules;
  }

  private static SpecDevice.Kind kind(String letter) throws IOException {
    for (SpecDevice.Kind kind : SpecDevice.Kind.values()) {
      if (kind.letter().equals(letter)) {
        return kind;
      }
    }
    throw new IOException("config.json has a device of type " + letter);
  }

  private static @Nullable Long number(JsonNode value) {
    return value.canConvertToLong() && value.asLong() >= 0 ? Long.valueOf(value.asLong()) : null;
  }
}
