package io.keelson.linux.cgroup;

import io.keelson.linux.cgroup.CgroupUsage.BlockDevice;
import io.keelson.linux.cgroup.CgroupUsage.Cpu;
import io.keelson.linux.cgroup.CgroupUsage.Memory;
import io.keelson.linux.cgroup.CgroupUsage.Swap;
import io.keelson.linux.cgroup.CgroupUsage.Tasks;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Reads a group's usage from the unified hierarchy (admin-guide/cgroup-v2). */
final class UsageV2 {

  private UsageV2() {}

  static CgroupUsage read(Path folder) throws IOException {
    return new CgroupUsage(
        cpu(folder),
        memory(folder),
        new Swap(
            CgroupFile.number(folder.resolve("memory.swap.current")),
            CgroupFile.limit(folder.resolve("memory.swap.max"))),
        tasks(folder),
        devices(CgroupFolders.read(folder.resolve("io.stat")).orElse("")),
        CgroupFile.pressure(folder.resolve("cpu.pressure")),
        CgroupFile.pressure(folder.resolve("memory.pressure")),
        CgroupFile.pressure(folder.resolve("io.pressure")));
  }

  private static Cpu cpu(Path folder) throws IOException {
    Map<String, Long> stat = CgroupFile.table(folder.resolve("cpu.stat"));
    return new Cpu(
        nanos(stat, "usage_usec"),
        nanos(stat, "user_usec"),
        nanos(stat, "system_usec"),
        stat.getOrDefault("nr_periods", 0L),
        stat.getOrDefault("nr_throttled", 0L),
        nanos(stat, "throttled_usec"),
        stat.getOrDefault("nr_bursts", 0L),
        nanos(stat, "burst_usec"));
  }

  private static long nanos(Map<String, Long> stat, String key) {
    return TimeUnit.MICROSECONDS.toNanos(stat.getOrDefault(key, 0L));
  }

  private static Memory memory(Path folder) throws IOException {
    Map<String, Long> stat = CgroupFile.table(folder.resolve("memory.stat"));
    Map<String, Long> events = CgroupFile.table(folder.resolve("memory.events"));
    long usage = CgroupFile.number(folder.resolve("memory.current")).orElse(0);
    return new Memory(
        usage,
        CgroupFile.limit(folder.resolve("memory.max")),
        CgroupFile.number(folder.resolve("memory.low")).orElse(0),
        CgroupFile.number(folder.resolve("memory.peak")).orElse(usage),
        stat.getOrDefault("anon", 0L),
        stat.getOrDefault("file", 0L),
        stat.getOrDefault("file_mapped", 0L),
        stat.getOrDefault("kernel", 0L),
        stat.getOrDefault("active_file", 0L),
        stat.getOrDefault("inactive_file", 0L),
        stat.getOrDefault("file_dirty", 0L),
        stat.getOrDefault("file_writeback", 0L),
        stat.getOrDefault("pgfault", 0L),
        stat.getOrDefault("pgmajfault", 0L),
        events.getOrDefault("max", 0L),
        events.getOrDefault("high", 0L),
        events.getOrDefault("oom_kill", 0L),
        stat.getOrDefault("pgscan", 0L),
        stat.getOrDefault("pgsteal", 0L),
        stat.getOrDefault("workingset_refault_anon", 0L),
        stat.getOrDefault("workingset_refault_file", 0L));
  }

  private static Tasks tasks(Path folder) throws IOException {
    return new Tasks(
        CgroupFile.processes(folder),
        CgroupFile.number(folder.resolve("pids.current")).orElse(0),
        CgroupFile.limit(folder.resolve("pids.max")));
  }

  /** Lines of {@code 8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6}. */
  static List<BlockDevice> devices(String text) {
    List<BlockDevice> devices = new ArrayList<>();
    for (String line : text.split("\n", -1)) {
      String[] words = line.split(" ", -1);
      int colon = words[0].indexOf(':');
      if (colon <= 0) {
        continue;
      }
      devices.add(
          new BlockDevice(
              Integer.parseInt(words[0].substring(0, colon)),
              Integer.parseInt(words[0].substring(colon + 1)),
              value(words, "rbytes="),
              value(words, "wbytes="),
              value(words, "rios="),
              value(words, "wios=")));
    }
    return devices;
  }

  private static long value(String[] words, String key) {
    for (String word : words) {
      if (word.startsWith(key)) {
        return Long.parseLong(word.substring(key.length()));
      }
    }
    return 0;
  }
}
