package io.keelson.linux.cgroup;

import io.keelson.linux.MountInfo;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** The control groups of this host, as they were mounted when it was asked. Immutable. */
public final class CgroupHost {

  private static final Path CONTROLLERS = Path.of("/proc/cgroups");

  /** What a pod's limits need. */
  private static final Set<String> NEEDED = new TreeSet<>(Set.of("cpu", "memory", "pids"));

  private final CgroupLayout layout;
  private final List<CgroupHierarchy> hierarchies;

  private CgroupHost(List<CgroupHierarchy> hierarchies) {
    this.hierarchies = hierarchies;
    this.layout = layout(hierarchies);
  }

  /** Looks at the mounts of this process. */
  public static CgroupHost detect() throws IOException {
    Set<String> known = new TreeSet<>();
    for (String line : Files.readAllLines(CONTROLLERS, StandardCharsets.UTF_8)) {
      if (!line.startsWith("#")) {
        known.add(line.substring(0, line.indexOf('\t')));
      }
    }
    return of(MountInfo.read(), known);
  }

  /**
   * @param known the names of all controllers of the kernel
   */
  static CgroupHost of(List<MountInfo> mounts, Set<String> known) throws IOException {
    return new CgroupHost(CgroupHierarchy.among(mounts, known));
  }

  private static CgroupLayout layout(List<CgroupHierarchy> hierarchies) {
    boolean controllersOnV1 =
        hierarchies.stream()
            .anyMatch(h -> h.version() == 1 && h.controllers().stream().anyMatch(NEEDED::contains));
    boolean v2 = hierarchies.stream().anyMatch(h -> h.version() == 2);
    if (controllersOnV1) {
      return v2 ? CgroupLayout.HYBRID : CgroupLayout.V1;
    }
    return v2 ? CgroupLayout.V2 : CgroupLayout.NONE;
  }

  public CgroupLayout layout() {
    return layout;
  }

  /**
   * Why containers can't run with the control groups as they are mounted: one line that says what
   * is wrong and what cures it. Empty if all is well.
   */
  public Optional<String> obstacle() {
    if (layout == CgroupLayout.NONE) {
      return Optional.of(
          "no control groups are mounted; mount them: mount -t cgroup2 cgroup2 /sys/fs/cgroup");
    }
    if (layout == CgroupLayout.HYBRID) {
      CgroupHierarchy unified =
          hierarchies.stream().filter(h -> h.version() == 2).findFirst().orElseThrow();
      if (!unified.controllers().isEmpty()) {
        return Optional.of(hybrid(unified));
      }
    }
    Set<String> missing = new TreeSet<>(NEEDED);
    hierarchies.forEach(hierarchy -> missing.removeAll(hierarchy.controllers()));
    if (missing.isEmpty()) {
      return Optional.empty();
    }
    String names = String.join(", ", missing);
    return Optional.of(
        layout == CgroupLayout.V2
            ? "the cgroup controllers %s are not available in %s; remove cgroup_disable= from the"
                    .formatted(names, hierarchies.getFirst().mountPoint())
                + " kernel's command line, or unmount the v1 hierarchies that hold them"
            : "the cgroup v1 controllers %s are not mounted; mount each one: mkdir -p"
                    .formatted(names)
                + " /sys/fs/cgroup/NAME && mount -t cgroup -o NAME cgroup /sys/fs/cgroup/NAME");
  }

  private static String hybrid(CgroupHierarchy unified) {
    String cure =
        String.join(
            " && ",
            unified.controllers().stream()
                .map(
                    name ->
                        "mkdir -p /sys/fs/cgroup/%1$s && mount -t cgroup -o %1$s cgroup /sys/fs/cgroup/%1$s"
                            .formatted(name))
                .toList());
    return "cgroup v1 and v2 both have controllers (%s on %s), which OCI runtimes refuse; mount what is on v2 as v1: %s"
        .formatted(String.join(", ", unified.controllers()), unified.mountPoint(), cure);
  }

  /**
   * The operations on groups of this host.
   *
   * @throws IOException if no control groups are mounted
   */
  public Cgroups cgroups() throws IOException {
    return switch (layout) {
      case V2 -> new CgroupsV2(hierarchies.getFirst().mountPoint());
      case V1, HYBRID -> new CgroupsV1(hierarchies);
      case NONE -> throw new IOException(obstacle().orElseThrow());
    };
  }
}
