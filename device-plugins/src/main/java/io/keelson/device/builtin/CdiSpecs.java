package io.keelson.device.builtin;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.keelson.linux.AtomicFile;
import io.keelson.proto.deviceplugin.v1beta1.ContainerAllocateResponse;
import io.keelson.proto.deviceplugin.v1beta1.DeviceSpec;
import io.keelson.proto.deviceplugin.v1beta1.Mount;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * Writes what a built-in plugin would put into containers as a CDI spec, so that runtimes and tools
 * that know no device plugins can use the same devices by name.
 */
final class CdiSpecs {

  private static final String VERSION = "0.6.0";
  private static final ObjectMapper JSON = new ObjectMapper();

  private CdiSpecs() {}

  /**
   * Writes the spec of one resource; none if no device is there.
   *
   * @param kind {@code vendor.example/class}
   * @return the file
   */
  static Optional<Path> write(Path folder, String kind, ScannedPlugin plugin) throws IOException {
    List<FoundDevice> devices = plugin.present();
    Path file = folder.resolve("keelson-" + kind.replaceAll("[^A-Za-z0-9]+", "-") + ".json");
    if (devices.isEmpty()) {
      Files.deleteIfExists(file);
      return Optional.empty();
    }
    ObjectNode spec = JSON.createObjectNode();
    spec.put("cdiVersion", VERSION).put("kind", kind);
    ArrayNode list = spec.putArray("devices");
    for (FoundDevice device : devices) {
      ObjectNode node = list.addObject();
      node.put("name", device.id().replaceAll("[^-_.:A-Za-z0-9]", "."));
      nodes(node.putObject("containerEdits"), device.nodes());
    }
    ContainerAllocateResponse.Builder common = ContainerAllocateResponse.newBuilder();
    plugin.complete(common);
    if (common.getDevicesCount() + common.getMountsCount() > 0) {
      ObjectNode edits = spec.putObject("containerEdits");
      nodes(edits, common.getDevicesList());
      mounts(edits, common.getMountsList());
    }
    Files.createDirectories(folder);
    byte[] text = JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(spec);
    AtomicFile.write(file, text, false);
    return Optional.of(file);
  }

  private static void nodes(ObjectNode edits, List<DeviceSpec> nodes) {
    ArrayNode list = edits.putArray("deviceNodes");
    for (DeviceSpec node : nodes) {
      list.addObject()
          .put("path", node.getContainerPath())
          .put("hostPath", node.getHostPath())
          .put("permissions", node.getPermissions());
    }
  }

  /** For every image: who names a CDI device wants all of it. */
  private static void mounts(ObjectNode edits, List<Mount> mounts) {
    ArrayNode list = edits.putArray("mounts");
    for (Mount mount : mounts) {
      ArrayNode options =
          list.addObject()
              .put("hostPath", mount.getHostPath())
              .put("containerPath", mount.getContainerPath())
              .putArray("options");
      options.add("rbind").add("rprivate").add(mount.getReadOnly() ? "ro" : "rw");
    }
  }
}
