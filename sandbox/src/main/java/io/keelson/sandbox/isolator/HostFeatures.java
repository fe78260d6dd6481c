package io.keelson.sandbox.isolator;

import io.keelson.linux.MountInfo;
import io.keelson.linux.Selinux;
import io.keelson.linux.UserNamespaces;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedSet;
import java.util.stream.Stream;

/**
 * What the isolators must know of this host, probed once at the daemon's start.
 *
 * @param unifiedCgroups /sys/fs/cgroup is cgroup v2 with all controllers
 * @param hugetlb limits on huge pages can be set
 * @param swapLimit limits on memory and swap together can be set
 * @param cgroupMountOptions of the v2 mount, which a mount from within the host's cgroup namespace
 *     would otherwise reset; empty on v1
 * @param capabilities that the daemon can pass on: its bounding set, as {@code CAP_…}
 * @param lowestOomScoreAdj what the kernel lets the daemon give to a container at the least
 * @param seccomp the kernel has seccomp filters
 * @param appArmor AppArmor is enabled
 * @param appArmorParser the program that loads profiles, if it is installed
 * @param selinux SELinux is enabled and has a policy
 * @param userNamespaces pods can have user namespaces of their own
 * @param kernel the running kernel's version
 * @param machine as the JVM names it: {@code amd64}, {@code aarch64}
 */
public record HostFeatures(
    boolean unifiedCgroups,
    boolean hugetlb,
    boolean swapLimit,
    List<String> cgroupMountOptions,
    SortedSet<String> capabilities,
    int lowestOomScoreAdj,
    boolean seccomp,
    boolean appArmor,
    Optional<Path> appArmorParser,
    boolean selinux,
    boolean userNamespaces,
    KernelVersion kernel,
    String machine) {

  private static final Path CGROUPS = Path.of("/sys/fs/cgroup");
  private static final int MIN_OOM_SCORE_ADJ = -1000;

  public HostFeatures {
    cgroupMountOptions = List.copyOf(cgroupMountOptions);
  }

  /** mount_setattr with AT_RECURSIVE (mount_setattr(2)) came with 5.12. */
  public boolean recursiveReadOnlyMounts() {
    return kernel.atLeast(5, 12);
  }

  /**
   * The kernel's version.
   *
   * @param major of {@code 6.18}: 6
   * @param minor of {@code 6.18}: 18
   */
  public record KernelVersion(int major, int minor) {

    public boolean atLeast(int wantedMajor, int wantedMinor) {
      return major > wantedMajor || (major == wantedMajor && minor >= wantedMinor);
    }

    /** Reads {@code uname -r}; what can't be read counts as 0. */
    static KernelVersion parse(String release) {
      String[] parts = release.strip().split("[^0-9]+", 3);
      return new KernelVersion(number(parts, 0), number(parts, 1));
    }

    private static int number(String[] parts, int index) {
      return index < parts.length && !parts[index].isEmpty() ? Integer.parseInt(parts[index]) : 0;
    }
  }

  /** Looks at the running host. */
  public static HostFeatures probe() throws IOException {
    Map<String, String> status = processStatus();
    boolean unified = Files.exists(CGROUPS.resolve("cgroup.controllers"));
    SortedSet<String> effective = KernelCapability.ofMask(status.getOrDefault("CapEff", "0"));
    KernelVersion kernel =
        KernelVersion.parse(Files.readString(Path.of("/proc/sys/kernel/osrelease")));
    return new HostFeatures(
        unified,
        unified
            ? Files.readString(CGROUPS.resolve("cgroup.controllers")).contains("hugetlb")
            : Files.isDirectory(CGROUPS.resolve("hugetlb")),
        unified
            ? unifiedSwapLimit()
            : Files.exists(CGROUPS.resolve("memory/memory.memsw.limit_in_bytes")),
        unified ? unifiedMountOptions() : List.of(),
        KernelCapability.ofMask(status.getOrDefault("CapBnd", "0")),
        effective.contains(KernelCapability.SYS_RESOURCE.ociName())
            ? MIN_OOM_SCORE_ADJ
            : Integer.parseInt(Files.readString(Path.of("/proc/self/oom_score_adj")).strip()),
        status.containsKey("Seccomp_filters") || status.containsKey("Seccomp"),
        readsAs(Path.of("/sys/module/apparmor/parameters/enabled"), "Y"),
        Stream.of("/usr/sbin", "/sbin", "/usr/local/sbin", "/usr/bin")
            .map(folder -> Path.of(folder, "apparmor_parser"))
            .filter(Files::isExecutable)
            .findFirst(),
        Selinux.isEnabled(),
        UserNamespaces.isSupported() && kernel.atLeast(5, 19),
        kernel,
        System.getProperty("os.arch", ""));
  }

  private static Map<String, String> processStatus() throws IOException {
    Map<String, String> fields = new HashMap<>();
    for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
      int colon = line.indexOf(':');
      if (colon > 0) {
        fields.put(line.substring(0, colon), line.substring(colon + 1).strip());
      }
    }
    return fields;
  }

  private static boolean readsAs(Path file, String wanted) throws IOException {
    return Files.exists(file) && Files.readString(file).strip().equals(wanted);
  }

  /** The root group has no memory.swap.max, so any group below it tells. */
  private static boolean unifiedSwapLimit() throws IOException {
    try (Stream<Path> groups = Files.list(CGROUPS)) {
      return groups.anyMatch(group -> Files.exists(group.resolve("memory.swap.max")));
    }
  }

  private static List<String> unifiedMountOptions() throws IOException {
    return MountInfo.read().stream()
        .filter(mount -> mount.mountPoint().equals(CGROUPS))
        .flatMap(mount -> mount.superOptions().stream())
        .filter(option -> option.equals("nsdelegate") || option.equals("memory_recursiveprot"))
        .sorted()
        .toList();
  }
}
