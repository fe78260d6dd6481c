package io.keelson.linux.cgroup;

import io.keelson.linux.cgroup.CgroupUsage.Cpu;
import io.keelson.linux.cgroup.CgroupUsage.Memory;
import io.keelson.linux.cgroup.CgroupUsage.Pressure;
import io.keelson.linux.cgroup.CgroupUsage.Swap;
import io.keelson.linux.cgroup.CgroupUsage.Tasks;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Function;

/**
 * Reads a group's usage from the hierarchies of version 1 (admin-guide/cgroup-v1), and the pressure
 * from the hierarchy of version 2 that a hybrid host has beside them.
 */
final class UsageV1 {

  private final Function<String, Optional<Path>> folders;
  private final Optional<Path> unified;

  /**
   * @param folders the group's folder by the name of a controller
   * @param unified its folder on version 2
   */
  UsageV1(Function<String, Optional<Path>> folders, Optional<Path> unified) {
    this.folders = folders;
    this.unified = unified.filter(Files::isDirectory);
  }

  CgroupUsage read() throws IOException {
    Optional<Path> blkio = folders.apply("blkio");
    return new CgroupUsage(
        cpu(),
        memory(),
        swap(),
        tasks(),
        blkio.isEmpty() ? List.of() : BlkioV1.devices(blkio.get()),
        pressure("cpu"),
        pressure("memory"),
        pressure("io"));
  }

  private Cpu cpu() throws IOException {
    Map<String, Long> stat = table("cpu", "cpu.stat");
    return new Cpu(
        number("cpuacct", "cpuacct.usage"),
        number("cpuacct", "cpuacct.usage_user"),
        number("cpuacct", "cpuacct.usage_sys"),
        stat.getOrDefault("nr_periods", 0L),
        stat.getOrDefault("nr_throttled", 0L),
        stat.getOrDefault("throttled_time", 0L),
        stat.getOrDefault("nr_bursts", 0L),
        stat.getOrDefault("burst_time", 0L));
  }

  private Memory memory() throws IOException {
    Map<String, Long> stat = table("memory", "memory.stat");
    return new Memory(
        number("memory", "memory.usage_in_bytes"),
        limit("memory.limit_in_bytes"),
        limit("memory.soft_limit_in_bytes").orElse(0),
        number("memory", "memory.max_usage_in_bytes"),
        stat.getOrDefault("total_rss", 0L),
        stat.getOrDefault("total_cache", 0L),
        stat.getOrDefault("total_mapped_file", 0L),
        number("memory", "memory.kmem.usage_in_bytes"),
        stat.getOrDefault("total_active_file", 0L),
        stat.getOrDefault("total_inactive_file", 0L),
        stat.getOrDefault("total_dirty", 0L),
        stat.getOrDefault("total_writeback", 0L),
        stat.getOrDefault("total_pgfault", 0L),
        stat.getOrDefault("total_pgmajfault", 0L),
        number("memory", "memory.failcnt"),
        0,
        table("memory", "memory.oom_control").getOrDefault("oom_kill", 0L),
        0,
        0,
        0,
        0);
  }

  /** The kernel limits memory and swap together here. */
  private Swap swap() throws IOException {
    OptionalLong both = optional("memory", "memory.memsw.usage_in_bytes");
    if (both.isEmpty()) {
      return new Swap(OptionalLong.empty(), OptionalLong.empty());
    }
    long usage = Math.max(0, both.getAsLong() - number("memory", "memory.usage_in_bytes"));
    OptionalLong bothLimit = limit("memory.memsw.limit_in_bytes");
    OptionalLong memoryLimit = limit("memory.limit_in_bytes");
    return new Swap(
        OptionalLong.of(usage),
        bothLimit.isPresent() && memoryLimit.isPresent()
            ? OptionalLong.of(Math.max(0, bothLimit.getAsLong() - memoryLimit.getAsLong()))
            : OptionalLong.empty());
  }

  private Tasks tasks() throws IOException {
    Optional<Path> folder = folders.apply("pids");
    if (folder.isEmpty()) {
      return new Tasks(0, 0, OptionalLong.empty());
    }
    return new Tasks(
        CgroupFile.processes(folder.get()),
        number("pids", "pids.current"),
        CgroupFile.limit(folder.get().resolve("pids.max")));
  }

  private Optional<Pressure> pressure(String resource) throws IOException {
    return unified.isEmpty()
        ? Optional.empty()
        : CgroupFile.pressure(unified.get().resolve(resource + ".pressure"));
  }

  private long number(String controller, String file) throws IOException {
    return optional(controller, file).orElse(0);
  }

  private OptionalLong optional(String controller, String file) throws IOException {
    Optional<Path> folder = folders.apply(controller);
    return folder.isEmpty() ? OptionalLong.empty() : CgroupFile.number(folder.get().resolve(file));
  }

  private OptionalLong limit(String file) throws IOException {
    Optional<Path> folder = folders.apply("memory");
    return folder.isEmpty() ? OptionalLong.empty() : CgroupFile.limit(folder.get().resolve(file));
  }

  private Map<String, Long> table(String controller, String file) throws IOException {
    Optional<Path> folder = folders.apply(controller);
    return folder.isEmpty() ? Map.of() : CgroupFile.table(folder.get().resolve(file));
  }
}
