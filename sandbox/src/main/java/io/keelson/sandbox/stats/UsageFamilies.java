package io.keelson.sandbox.stats;

import static io.keelson.sandbox.stats.MetricFamily.counter;
import static io.keelson.sandbox.stats.MetricFamily.counters;
import static io.keelson.sandbox.stats.MetricFamily.gauge;
import static io.keelson.sandbox.stats.MetricFamily.gauges;
import static io.keelson.sandbox.stats.MetricFamily.seconds;

import io.keelson.linux.cgroup.CgroupUsage.HugePages;
import io.keelson.linux.cgroup.CgroupUsage.Pressure;
import io.keelson.linux.cgroup.CgroupUsage.Stall;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.ToLongFunction;

/** The metrics of processor time, memory and pressure, named as cAdvisor names them. */
final class UsageFamilies {

  private static final String CPU = "container_cpu_";
  private static final String MEMORY = "container_memory_";

  private UsageFamilies() {}

  static List<MetricFamily<ContainerFigures>> cpu() {
    return List.of(
        counter(
            CPU + "user_seconds_total",
            "Processor time in user mode.",
            f -> seconds(f.cpu().user())),
        counter(
            CPU + "system_seconds_total",
            "Processor time in the kernel.",
            f -> seconds(f.cpu().system())),
        counters(
            CPU + "usage_seconds_total",
            "Processor time.",
            List.of("cpu"),
            (f, to) -> to.value(seconds(f.cpu().usage()), "total")),
        counter(
            CPU + "cfs_periods_total",
            "Periods of the bandwidth limit that have passed.",
            f -> f.cpu().periods()),
        counter(
            CPU + "cfs_throttled_periods_total",
            "Periods that were cut short by the limit.",
            f -> f.cpu().throttledPeriods()),
        counter(
            CPU + "cfs_throttled_seconds_total",
            "Time for which the limit stopped the container.",
            f -> seconds(f.cpu().throttled())),
        counter(
            CPU + "cfs_burst_periods_total",
            "Periods in which a burst went over the limit.",
            f -> f.cpu().burstPeriods()),
        counter(
            CPU + "cfs_burst_seconds_total",
            "Time of bursts over the limit.",
            f -> seconds(f.cpu().burst())));
  }

  static List<MetricFamily<ContainerFigures>> memory() {
    return List.of(
        gauge(MEMORY + "cache", "Bytes of the page cache.", f -> f.memory().cache()),
        gauge(MEMORY + "rss", "Bytes of anonymous memory.", f -> f.memory().rss()),
        gauge(
            MEMORY + "kernel_usage",
            "Bytes that the kernel keeps for the container.",
            f -> f.memory().kernel()),
        gauge(MEMORY + "mapped_file", "Bytes of mapped files.", f -> f.memory().mapped()),
        gauge(MEMORY + "swap", "Bytes in swap.", f -> f.sample().usage().swap().usage().orElse(0)),
        counter(
            MEMORY + "failcnt", "How often the limit was reached.", f -> f.memory().limitHits()),
        gauge(MEMORY + "usage_bytes", "All memory that is charged.", f -> f.memory().usage()),
        gauge(
            MEMORY + "max_usage_bytes",
            "The most memory that was charged at once.",
            f -> f.memory().peak()),
        gauge(
            MEMORY + "working_set_bytes",
            "Memory that can't be taken back without pain.",
            f -> f.memory().workingSet()),
        gauge(
            MEMORY + "total_active_file_bytes",
            "Bytes of files used lately.",
            f -> f.memory().activeFile()),
        gauge(
            MEMORY + "total_inactive_file_bytes",
            "Bytes of files not used lately.",
            f -> f.memory().inactiveFile()),
        gauge(
            MEMORY + "file_dirty_bytes",
            "Bytes of files that are to be written back.",
            f -> f.memory().dirty()),
        gauge(
            MEMORY + "file_writeback_bytes",
            "Bytes of files that are being written back.",
            f -> f.memory().writeback()),
        counters(
            MEMORY + "failures_total",
            "Page faults.",
            List.of("failure_type", "scope"),
            (f, to) -> {
              for (String scope : new String[] {"container", "hierarchy"}) {
                to.value(f.memory().faults(), "pgfault", scope);
                to.value(f.memory().majorFaults(), "pgmajfault", scope);
              }
            }),
        counter(
            MEMORY + "events_high_total",
            "How often the container was slowed down for its memory.",
            f -> f.memory().highHits()),
        counter(
            MEMORY + "events_max_total",
            "How often the limit was about to be exceeded.",
            f -> f.memory().limitHits()),
        counter(MEMORY + "pgscan_total", "Pages looked at for reclaim.", f -> f.memory().scanned()),
        counter(MEMORY + "pgsteal_total", "Pages reclaimed.", f -> f.memory().stolen()),
        counter(
            MEMORY + "workingset_refault_anon_total",
            "Anonymous pages needed again after reclaim.",
            f -> f.memory().refaultedAnon()),
        counter(
            MEMORY + "workingset_refault_file_total",
            "Pages of files needed again after reclaim.",
            f -> f.memory().refaultedFile()),
        counter(
            "container_oom_events_total",
            "Processes that the kernel has killed for want of memory.",
            f -> f.memory().oomKills()),
        hugePages("container_hugetlb_usage_bytes", "Bytes of huge pages in use.", HugePages::usage),
        hugePages(
            "container_hugetlb_max_usage_bytes",
            "The most bytes of huge pages in use at once.",
            HugePages::peak),
        counters(
            "container_hugetlb_failcnt",
            "How often the limit on huge pages was reached.",
            List.of("pagesize"),
            (f, to) -> f.hugePages().forEach(each -> to.value(each.limitHits(), each.size()))));
  }

  private static MetricFamily<ContainerFigures> hugePages(
      String name, String help, ToLongFunction<HugePages> value) {
    return gauges(
        name,
        help,
        List.of("pagesize"),
        (f, to) -> f.hugePages().forEach(each -> to.value(value.applyAsLong(each), each.size())));
  }

  static List<MetricFamily<ContainerFigures>> pressure() {
    return List.of(
        waiting("cpu", f -> f.sample().usage().cpuPressure()),
        stalled("cpu", f -> f.sample().usage().cpuPressure()),
        waiting("memory", f -> f.sample().usage().memoryPressure()),
        stalled("memory", f -> f.sample().usage().memoryPressure()),
        waiting("io", f -> f.sample().usage().ioPressure()),
        stalled("io", f -> f.sample().usage().ioPressure()));
  }

  private static MetricFamily<ContainerFigures> waiting(
      String resource, Function<ContainerFigures, Optional<Pressure>> pressure) {
    return lost(
        resource, "waiting", "some tasks have waited for " + resource, pressure, Pressure::some);
  }

  private static MetricFamily<ContainerFigures> stalled(
      String resource, Function<ContainerFigures, Optional<Pressure>> pressure) {
    return lost(
        resource, "stalled", "all tasks have waited for " + resource, pressure, Pressure::full);
  }

  private static MetricFamily<ContainerFigures> lost(
      String resource,
      String kind,
      String help,
      Function<ContainerFigures, Optional<Pressure>> pressure,
      Function<Pressure, Stall> stall) {
    return counters(
        "container_pressure_" + resource + "_" + kind + "_seconds_total",
        "Time for which " + help + ".",
        List.of(),
        (f, to) ->
            pressure
                .apply(f)
                .ifPresent(
                    seen -> to.value(TimeUnit.MICROSECONDS.toSeconds(stall.apply(seen).total()))));
  }
}
