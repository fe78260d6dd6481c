package io.keelson.runtime.cli;

import java.util.List;

/**
 * What a container that is not privileged must not see or change below {@code /proc} and {@code
 * /sys}. CRI leaves this to the caller; these are the paths that a kubelet gives.
 */
final class DefaultPaths {

  static final List<String> MASKED =
      List.of(
          "/proc/asound",
          "/proc/acpi",
          "/proc/interrupts",
          "/proc/kcore",
          "/proc/keys",
          "/proc/latency_stats",
          "/proc/timer_list",
          "/proc/timer_stats",
          "/proc/sched_debug",
          "/proc/scsi",
          "/sys/firmware",
          "/sys/devices/virtual/powercap");

  static final List<String> READ_ONLY =
      List.of("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger");

  private DefaultPaths() {}
}
