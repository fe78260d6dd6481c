package io.keelson.device.builtin;

import io.keelson.proto.deviceplugin.v1beta1.DeviceSpec;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The host's {@code /proc}, {@code /sys} and {@code /dev}, which are below another folder where the
 * daemon runs in a container, or in a test.
 */
record HostTree(Path root) {

  Path at(String absolute) {
    return root.resolve(absolute.substring(1));
  }

  /** The names in a folder that match, sorted; none if there is no such folder. */
  List<String> names(String folder, String glob) throws IOException {
    List<String> names = new ArrayList<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(at(folder), glob)) {
      entries.forEach(entry -> names.add(String.valueOf(entry.getFileName())));
    } catch (NoSuchFileException | NotDirectoryException e) {
      return List.of();
    }
    names.sort(null);
    return names;
  }

  /** The text of a small file, without white space around it. */
  Optional<String> read(String file) {
    try {
      return Optional.of(Files.readString(at(file)).strip());
    } catch (IOException e) {
      return Optional.empty(); // attributes come and go with their devices
    }
  }

  boolean exists(String path) {
    return Files.exists(at(path));
  }

  /** A device node for containers, at the same path there; empty if the host has none. */
  Optional<DeviceSpec> node(String path) {
    return exists(path)
        ? Optional.of(
            DeviceSpec.newBuilder()
                .setHostPath(at(path).toString())
                .setContainerPath(path)
                .setPermissions("rw")
                .build())
        : Optional.empty();
  }

  /** The NUMA node that a device names; the kernel says -1 for "none". */
  List<Long> numaNode(String device) {
    return read(device + "/numa_node")
        .filter(text -> text.matches("[0-9]{1,6}"))
        .map(text -> List.of(Long.valueOf(text)))
        .orElse(List.of());
  }
}
