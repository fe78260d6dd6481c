package io.keelson.linux.cgroup;

import io.keelson.linux.MountInfo;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * One mounted hierarchy of control groups.
 *
 * @param version 1 or 2
 * @param mountPoint its root group
 * @param controllers sorted; {@code name=systemd} for a hierarchy without a controller
 */
record CgroupHierarchy(int version, Path mountPoint, Set<String> controllers) {

  private static final Path USUAL = Path.of("/sys/fs/cgroup");

  CgroupHierarchy {
    controllers = Collections.unmodifiableSet(new TreeSet<>(controllers));
  }

  /** The hierarchies among these mounts; of one that is mounted twice, the usual place counts. */
  static List<CgroupHierarchy> among(List<MountInfo> mounts, Set<String> known) throws IOException {
    Map<Set<String>, CgroupHierarchy> found = new LinkedHashMap<>();
    for (MountInfo mount : mounts) {
      int version =
          switch (mount.type()) {
            case "cgroup" -> 1;
            case "cgroup2" -> 2;
            default -> 0;
          };
      if (version == 0 || !mount.root().equals("/")) {
        continue;
      }
      Set<String> controllers =
          version == 2 ? unified(mount.mountPoint()) : controllers(mount.superOptions(), known);
      CgroupHierarchy hierarchy = new CgroupHierarchy(version, mount.mountPoint(), controllers);
      Set<String> key = version == 2 ? Set.of("") : hierarchy.controllers;
      found.merge(key, hierarchy, (old, other) -> old.isUsual() ? old : other);
    }
    return List.copyOf(found.values());
  }

  private static Set<String> controllers(Set<String> options, Set<String> known) {
    Set<String> result = new TreeSet<>();
    for (String option : options) {
      if (known.contains(option) || option.startsWith("name=")) {
        result.add(option);
      }
    }
    return result;
  }

  private static Set<String> unified(Path mountPoint) throws IOException {
    String text =
        Files.readString(mountPoint.resolve("cgroup.controllers"), StandardCharsets.UTF_8).strip();
    return text.isEmpty() ? Set.of() : Set.of(text.split(" ", -1));
  }

  private boolean isUsual() {
    return mountPoint.startsWith(USUAL);
  }

  /** The folder of a group ({@code /a/b}) in this hierarchy. */
  Path resolve(String group) {
    return mountPoint.resolve(group.substring(1));
  }
}
