package io.keelson.integration.harness;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** The control group of a running container, on a host with cgroup v1, v2 or both. */
public final class ContainerGroup {

  private final List<String> memberships;

  private ContainerGroup(List<String> memberships) {
    this.memberships = memberships;
  }

  /** Finds it by a process in it. */
  public static ContainerGroup of(String containerId) {
    for (Path process : processes()) {
      List<String> lines = lines(process.resolve("cgroup"));
      if (lines.stream().anyMatch(line -> line.contains(containerId))) {
        return new ContainerGroup(lines);
      }
    }
    throw new AssertionError("no process is in a control group of container " + containerId);
  }

  /** Ids of the processes of a container on the host, seen by their control group. */
  public static List<Long> pids(String containerId) {
    return processes().stream()
        .filter(
            process ->
                lines(process.resolve("cgroup")).stream()
                    .anyMatch(line -> line.contains(containerId)))
        .map(process -> Long.parseLong(String.valueOf(process.getFileName())))
        .toList();
  }

  /** Bytes; {@link Long#MAX_VALUE} for no limit. */
  public long memoryLimit() {
    return number(value("memory", "memory.limit_in_bytes", "memory.max"));
  }

  /** Microseconds of each period; {@link Long#MAX_VALUE} for no limit. */
  public long cpuQuota() {
    long quota = number(value("cpu", "cpu.cfs_quota_us", "cpu.max").split(" ", -1)[0]);
    return quota < 0 ? Long.MAX_VALUE : quota;
  }

  public long cpuPeriod() {
    String[] values = value("cpu", "cpu.cfs_period_us", "cpu.max").split(" ", -1);
    return number(values[values.length - 1]);
  }

  /** In the scale of cgroup v1; of a v2 host what the usual conversion gives, nearly. */
  public long cpuShares() {
    long value = number(value("cpu", "cpu.shares", "cpu.weight"));
    return version2("cpu") ? 2 + ((value - 1) * 262142) / 9999 : value;
  }

  public String cpuset() {
    return value("cpuset", "cpuset.cpus", "cpuset.cpus");
  }

  public long pidsLimit() {
    return number(value("pids", "pids.max", "pids.max"));
  }

  /** Bytes of swap beside the memory; empty if the kernel does not count them. */
  public OptionalLong swapLimit() {
    String value = value("memory", "memory.memsw.limit_in_bytes", "memory.swap.max");
    if (value.isEmpty()) {
      return OptionalLong.empty();
    }
    return OptionalLong.of(
        version2("memory") ? number(value) : Math.max(0, number(value) - memoryLimit()));
  }

  public long hugePages2Mb() {
    return number(value("hugetlb", "hugetlb.2MB.limit_in_bytes", "hugetlb.2MB.max"));
  }

  public long memoryHigh() {
    return number(value("memory", "", "memory.high"));
  }

  /** All controllers are on cgroup v2. */
  public boolean isUnified() {
    return version2("memory");
  }

  private static long number(String text) {
    return text.equals("max") ? Long.MAX_VALUE : Long.parseLong(text);
  }

  private boolean version2(String controller) {
    return version1(controller).isEmpty();
  }

  private Optional<String> version1(String controller) {
    return memberships.stream()
        .map(line -> line.split(":", 3))
        .filter(parts -> List.of(parts[1].split(",")).contains(controller))
        .map(parts -> parts[2])
        .findAny();
  }

  private String value(String controller, String v1File, String v2File) {
    Optional<String> v1 = version1(controller);
    Path file =
        v1.map(group -> mountOf(controller).resolve(group.substring(1)).resolve(v1File))
            .orElseGet(
                () ->
                    Path.of("/sys/fs/cgroup")
                        .resolve(
                            memberships.stream()
                                .filter(line -> line.startsWith("0::/"))
                                .map(line -> line.substring("0::/".length()))
                                .findAny()
                                .orElseThrow())
                        .resolve(v2File));
    return String.join("\n", lines(file)).strip();
  }

  private static Path mountOf(String controller) {
    return lines(Path.of("/proc/self/mountinfo")).stream()
        .filter(line -> line.contains(" - cgroup "))
        .filter(
            line ->
                List.of(line.substring(line.lastIndexOf(' ') + 1).split(",")).contains(controller))
        .map(line -> Path.of(line.split(" ", -1)[4]))
        .findFirst()
        .orElseThrow();
  }

  private static List<Path> processes() {
    try (var entries = Files.list(Path.of("/proc"))) {
      return entries
          .filter(path -> Character.isDigit(String.valueOf(path.getFileName()).charAt(0)))
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static List<String> lines(Path file) {
    try {
      return Files.readAllLines(file);
    } catch (IOException e) {
      return List.of();
    }
  }
}
