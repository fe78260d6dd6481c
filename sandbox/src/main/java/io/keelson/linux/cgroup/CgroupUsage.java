package io.keelson.linux.cgroup;

import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What a control group and the groups below it have used, as the kernel counts it. What this host's
 * kernel does not count is 0, or empty where 0 would be a lie.
 *
 * @param devices block devices that were read or written
 */
public record CgroupUsage(
    Cpu cpu,
    Memory memory,
    Swap swap,
    Tasks tasks,
    List<BlockDevice> devices,
    Optional<Pressure> cpuPressure,
    Optional<Pressure> memoryPressure,
    Optional<Pressure> ioPressure) {

  public CgroupUsage {
    devices = List.copyOf(devices);
  }

  /**
   * Processor time.
   *
   * @param usage nanoseconds over all processors, of which {@code user} and {@code system}
   * @param periods of the bandwidth limit that have passed, of which {@code throttledPeriods} were
   *     cut short, {@code throttled} nanoseconds in all
   * @param burstPeriods periods in which a burst went over the limit, {@code burst} nanoseconds
   */
  public record Cpu(
      long usage,
      long user,
      long system,
      long periods,
      long throttledPeriods,
      long throttled,
      long burstPeriods,
      long burst) {}

  /**
   * Memory, in bytes where nothing else is said.
   *
   * @param usage all that is charged, page cache included
   * @param limit empty for none
   * @param reservation what is kept for it when memory runs short; 0 for nothing
   * @param peak the most that was charged at once
   * @param rss anonymous memory, transparent huge pages included
   * @param cache pages of files
   * @param mapped pages of files that are mapped
   * @param kernel what the kernel keeps for it
   * @param faults page faults, the major ones included
   * @param limitHits how often the limit was reached
   * @param highHits how often it was slowed down for being above its soft limit (v2)
   * @param oomKills processes that the kernel has killed for want of memory
   * @param scanned pages looked at to be taken back (v2), {@code stolen} of them were
   * @param refaultedAnon pages that were needed again (v2); {@code refaultedFile} for files
   */
  public record Memory(
      long usage,
      OptionalLong limit,
      long reservation,
      long peak,
      long rss,
      long cache,
      long mapped,
      long kernel,
      long activeFile,
      long inactiveFile,
      long dirty,
      long writeback,
      long faults,
      long majorFaults,
      long limitHits,
      long highHits,
      long oomKills,
      long scanned,
      long stolen,
      long refaultedAnon,
      long refaultedFile) {

    /** What can't be taken back without pain: the usage less files that were not used lately. */
    public long workingSet() {
      return Math.max(0, usage - inactiveFile);
    }
  }

  /**
   * Swap, bytes.
   *
   * @param usage empty where the kernel does not count it
   * @param limit empty for none
   */
  public record Swap(OptionalLong usage, OptionalLong limit) {}

  /**
   * Processes and threads.
   *
   * @param threads of all processes
   * @param threadLimit empty for none
   */
  public record Tasks(long processes, long threads, OptionalLong threadLimit) {}

  /**
   * What went from and to a block device.
   *
   * @param reads operations
   */
  public record BlockDevice(
      int major, int minor, long readBytes, long writtenBytes, long reads, long writes) {}

  /**
   * Huge pages of one size.
   *
   * @param size as the kernel names it, {@code 2MB}
   * @param usage bytes
   * @param peak bytes; the usage where the kernel keeps no peak
   * @param limitHits how often the limit was reached
   */
  public record HugePages(String size, long usage, long peak, long limitHits) {}

  /** Pressure stall information (the kernel's accounting/psi): some, or all, tasks had to wait. */
  public record Pressure(Stall some, Stall full) {}

  /**
   * Lost time.
   *
   * @param average10 percent over the last 10 seconds
   * @param average60 percent over the last minute
   * @param average300 percent over the last five minutes
   * @param total microseconds
   */
  public record Stall(double average10, double average60, double average300, long total) {
    static final Stall NONE = new Stall(0, 0, 0, 0);
  }
}
