package io.keelson.device.cdi;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.keelson.device.cdi.CdiEdits.DeviceNode;
import io.keelson.device.cdi.CdiEdits.Hook;
import io.keelson.device.cdi.CdiEdits.IntelRdt;
import io.keelson.device.cdi.CdiEdits.Mount;
import io.keelson.device.cdi.CdiEdits.NetDevice;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.spec.SpecHook;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Reads one CDI spec file, JSON or YAML. What later versions add is passed over. */
final class CdiSpecReader {

  /** Larger than any spec of sense, and small enough to be read. */
  private static final long MOST_BYTES = 16 << 20;

  private CdiSpecReader() {}

  static CdiSpec read(Path file) throws IOException {
    if (Files.size(file) > MOST_BYTES) {
      throw new IOException("the file is larger than " + MOST_BYTES + " bytes");
    }
    JsonNode root = mapper(file).readTree(Files.readAllBytes(file));
    if (root == null || !root.isObject()) {
      throw new IOException("the file holds no object");
    }
    String version = text(root, "cdiVersion");
    if (!version.matches("v?[01]\\.[0-9]+\\.[0-9]+")) {
      throw new IOException("cdiVersion \"%s\" is not known".formatted(version));
    }
    String kind = text(root, "kind");
    Map<String, CdiEdits> devices = new LinkedHashMap<>();
    for (JsonNode device : root.path("devices")) {
      String name = text(device, "name");
      try {
        CdiName.parse(kind + "=" + name);
      } catch (InvalidRequestException e) {
        throw new IOException(e.getMessage(), e);
      }
      if (devices.put(name, edits(device.path("containerEdits"))) != null) {
        throw new IOException("device \"%s\" is there twice".formatted(name));
      }
    }
    if (devices.isEmpty()) {
      throw new IOException("the spec names no device");
    }
    return new CdiSpec(file, kind, edits(root.path("containerEdits")), devices);
  }

  private static ObjectMapper mapper(Path file) {
    return file.toString().endsWith(".json") ? new ObjectMapper() : new YAMLMapper();
  }

  private static CdiEdits edits(JsonNode edits) throws IOException {
    List<Hook> hooks = new ArrayList<>();
    for (JsonNode hook : edits.path("hooks")) {
      hooks.add(hook(hook));
    }
    for (JsonNode variable : edits.path("env")) {
      if (variable.asText().indexOf('=') < 1) {
        throw new IOException("env \"%s\" is not NAME=value".formatted(variable.asText()));
      }
    }
    return new CdiEdits(
        each(edits.path("env"), JsonNode::asText),
        each(edits.path("deviceNodes"), CdiSpecReader::deviceNode),
        each(
            edits.path("netDevices"),
            device -> new NetDevice(text(device, "hostInterfaceName"), text(device, "name"))),
        hooks,
        each(
            edits.path("mounts"),
            mount ->
                new Mount(
                    text(mount, "hostPath"),
                    text(mount, "containerPath"),
                    each(mount.path("options"), JsonNode::asText),
                    text(mount, "type"))),
        edits.has("intelRdt") ? Optional.of(rdt(edits.path("intelRdt"))) : Optional.empty(),
        each(edits.path("additionalGids"), JsonNode::asLong));
  }

  private static DeviceNode deviceNode(JsonNode node) {
    Long mode = number(node, "fileMode");
    return new DeviceNode(
        text(node, "path"),
        text(node, "hostPath"),
        text(node, "type"),
        number(node, "major"),
        number(node, "minor"),
        mode == null ? null : mode.intValue(),
        text(node, "permissions"),
        number(node, "uid"),
        number(node, "gid"));
  }

  private static Hook hook(JsonNode hook) throws IOException {
    String name = text(hook, "hookName");
    SpecHook.Stage stage =
        Arrays.stream(SpecHook.Stage.values())
            .filter(known -> known.key().equals(name))
            .findFirst()
            .orElseThrow(() -> new IOException("hookName \"%s\" is not known".formatted(name)));
    Long timeout = number(hook, "timeout");
    return new Hook(
        stage,
        new SpecHook(
            text(hook, "path"),
            each(hook.path("args"), JsonNode::asText),
            each(hook.path("env"), JsonNode::asText),
            timeout == null ? null : timeout.intValue()));
  }

  private static IntelRdt rdt(JsonNode rdt) {
    return new IntelRdt(
        text(rdt, "closID"),
        text(rdt, "l3CacheSchema"),
        text(rdt, "memBwSchema"),
        each(rdt.path("schemata"), JsonNode::asText),
        rdt.path("enableMonitoring").asBoolean()
            || rdt.path("enableCMT").asBoolean()
            || rdt.path("enableMBM").asBoolean());
  }

  private static <T> List<T> each(JsonNode array, Function<JsonNode, T> read) {
    List<T> all = new ArrayList<>();
    array.forEach(item -> all.add(read.apply(item)));
    return all;
  }

  private static String text(JsonNode object, String name) {
    return object.path(name).asText("");
  }

  private static @Nullable Long number(JsonNode object, String name) {
    JsonNode value = object.path(name);
    return value.canConvertToLong() ? Long.valueOf(value.asLong()) : null;
  }
}
