package io.keelson.runtime.nri;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.keelson.sandbox.error.FailedPreconditionException;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The classes of block I/O of this node, from a YAML file in the form that other runtimes read too:
 * {@code Classes:}, below it the name of each class, below that a list of rules. A rule has {@code
 * Devices}, globs of device nodes, and for these what it limits; one without devices gives the
 * weight of all others. A later rule takes the place of an earlier one for the same device. The
 * file is read for each container that asks for a class. Safe for use by many threads.
 */
public final class BlockIoClasses {

  private static final String WEIGHT = "Weight";

  /** What a rule limits, and its name in {@code linux.resources.blockIO} of the OCI spec. */
  private static final Map<String, String> LIMITS =
      Map.of(
          "ThrottleReadBps",
          "throttleReadBpsDevice",
          "ThrottleWriteBps",
          "throttleWriteBpsDevice",
          "ThrottleReadIOPS",
          "throttleReadIOPSDevice",
          "ThrottleWriteIOPS",
          "throttleWriteIOPSDevice",
          WEIGHT,
          "weightDevice");

  private static final Pattern QUANTITY =
      Pattern.compile("([0-9]{1,15}(?:\\.[0-9]{1,3})?)([kMGTP]|[KMGTP]i)?");

  private static final String UNITS = "KMGTP";

  private final Path file;

  public BlockIoClasses(Path file) {
    this.file = file;
  }

  /**
   * Writes a class into a config.json.
   *
   * @throws FailedPreconditionException if there is no such class, or it makes no sense
   */
  Consumer<ObjectNode> of(String name) {
    JsonNode rules = rules(name);
    Map<String, Map<BlockDevice, Long>> limits = new TreeMap<>();
    List<Long> weights = new ArrayList<>();
    for (JsonNode rule : rules) {
      if (rule.path("Devices").isEmpty()) {
        weights.add(weightOfAll(name, rule));
      } else {
        limit(name, rule, limits);
      }
    }
    return spec -> {
      ObjectNode resources = spec.withObjectProperty("linux").withObjectProperty("resources");
      ObjectNode blockIo = resources.putObject("blockIO");
      if (!weights.isEmpty()) {
        blockIo.put("weight", weights.getLast());
      }
      limits.forEach((limit, devices) -> write(blockIo, limit, devices));
    };
  }

  private static void write(ObjectNode blockIo, String limit, Map<BlockDevice, Long> devices) {
    ArrayNode array = blockIo.putArray(LIMITS.get(limit));
    devices.forEach(
        (device, value) ->
            array
                .addObject()
                .put("major", device.major())
                .put("minor", device.minor())
                .put(limit.equals(WEIGHT) ? "weight" : "rate", value));
  }

  private JsonNode rules(String name) {
    JsonNode root;
    try {
      root = new YAMLMapper().readTree(Files.readAllBytes(file));
    } catch (IOException e) {
      throw new FailedPreconditionException(
          "the classes of block I/O can't be read from %s: %s".formatted(file, e.getMessage()), e);
    }
    JsonNode rules = root.path("Classes").path(name);
    if (!rules.isArray()) {
      throw new FailedPreconditionException(
          "%s has no class of block I/O \"%s\"".formatted(file, name));
    }
    return rules;
  }

  private long weightOfAll(String name, JsonNode rule) {
    if (!rule.has(WEIGHT) || rule.size() > (rule.has("Devices") ? 2 : 1)) {
      throw nonsense(name, "a rule without devices gives a weight and nothing else");
    }
    return value(name, WEIGHT, rule.get(WEIGHT).asText());
  }

  private void limit(String name, JsonNode rule, Map<String, Map<BlockDevice, Long>> limits) {
    List<BlockDevice> devices = new ArrayList<>();
    for (JsonNode glob : rule.path("Devices")) {
      try {
        devices.addAll(BlockDevice.find(glob.asText()));
      } catch (IOException | IllegalArgumentException e) {
        throw nonsense(name, "devices %s: %s".formatted(glob.asText(), e.getMessage()));
      }
    }
    for (Map.Entry<String, JsonNode> entry : rule.properties()) {
      String limit = entry.getKey();
      if (LIMITS.containsKey(limit)) {
        long value = value(name, limit, entry.getValue().asText());
        devices.forEach(
            device -> limits.computeIfAbsent(limit, _ -> new TreeMap<>()).put(device, value));
      } else if (!limit.equals("Devices")) {
        throw nonsense(name, "\"%s\" is not known".formatted(limit));
      }
    }
  }

  private long value(String name, String limit, String text) {
    Matcher quantity = QUANTITY.matcher(text);
    if (!quantity.matches()) {
      throw nonsense(name, "%s is no number: \"%s\"".formatted(limit, text));
    }
    String unit = quantity.group(2) == null ? "" : quantity.group(2);
    BigDecimal step = BigDecimal.valueOf(unit.endsWith("i") ? 1024 : 1000);
    int power = unit.isEmpty() ? 0 : UNITS.indexOf(Character.toUpperCase(unit.charAt(0))) + 1;
    long value = new BigDecimal(quantity.group(1)).multiply(step.pow(power)).longValue();
    if (limit.equals(WEIGHT) && (value < 10 || value > 1000)) {
      throw nonsense(name, "a weight is from 10 to 1000: " + text);
    }
    return value;
  }

  private FailedPreconditionException nonsense(String name, String why) {
    return new FailedPreconditionException(
        "class of block I/O \"%s\" in %s makes no sense: %s".formatted(name, file, why));
  }
}
