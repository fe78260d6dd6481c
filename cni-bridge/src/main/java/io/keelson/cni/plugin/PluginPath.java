package io.keelson.cni.plugin;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** The folders where plugins are looked for, in this order. */
record PluginPath(List<Path> folders) {

  PluginPath {
    folders = List.copyOf(folders);
  }

  /** The program of a plugin type. */
  Optional<Path> find(String type) {
    return folders.stream()
        .map(folder -> folder.resolve(type))
        .filter(file -> Files.isRegularFile(file) && Files.isExecutable(file))
        .findFirst();
  }

  /** As {@code CNI_PATH} has it. */
  @Override
  public String toString() {
    return folders.stream().map(Path::toString).collect(Collectors.joining(":"));
  }
}
