package io.keelson.sandbox.stats;

import static io.keelson.sandbox.stats.MetricFamily.counters;
import static io.keelson.sandbox.stats.MetricFamily.gauges;
import static io.keelson.sandbox.stats.MetricFamily.seconds;

import io.keelson.linux.BlockDeviceNames;
import io.keelson.linux.DiskActivity;
import java.util.List;
import java.util.function.ToLongFunction;

/**
 * The metrics of the times and merges of disk operations, named as cAdvisor names them. Hardly any
 * kernel counts them by control group; where it does not, they are, as cAdvisor has it, those of
 * the whole disk that holds the writable layers, alike for all containers.
 */
final class DiskActivityFamilies {

  private static final String PREFIX = "container_fs_";
  private static final String WHOSE =
      " By the container, or where the kernel does not tell it, by all on the disk of its layer.";
  private static final List<String> DEVICE = List.of("device");

  private DiskActivityFamilies() {}

  static List<MetricFamily<ContainerFigures>> all(BlockDeviceNames names) {
    return List.of(
        counters(
            PREFIX + "reads_merged_total",
            "Reads merged into others." + WHOSE,
            DEVICE,
            values(names, DiskActivity::readsMerged)),
        counters(
            PREFIX + "writes_merged_total",
            "Writes merged into others." + WHOSE,
            DEVICE,
            values(names, DiskActivity::writesMerged)),
        counters(
            PREFIX + "read_seconds_total",
            "Time that reads have taken." + WHOSE,
            DEVICE,
            values(names, disk -> seconds(disk.readNanos()))),
        counters(
            PREFIX + "write_seconds_total",
            "Time that writes have taken." + WHOSE,
            DEVICE,
            values(names, disk -> seconds(disk.writeNanos()))),
        gauges(
            PREFIX + "io_current",
            "Operations under way." + WHOSE,
            DEVICE,
            values(names, DiskActivity::underway)),
        counters(
            PREFIX + "io_time_seconds_total",
            "Time with operations under way." + WHOSE,
            DEVICE,
            values(names, disk -> seconds(disk.busyNanos()))),
        counters(
            PREFIX + "io_time_weighted_seconds_total",
            "Time with operations under way, times their number, by all on the disk of the layer.",
            DEVICE,
            (f, to) ->
                f.disk()
                    .ifPresent(
                        disk ->
                            disk.weightedNanos()
                                .ifPresent(nanos -> to.value(seconds(nanos), f.device())))));
  }

  private static MetricFamily.Values<ContainerFigures> values(
      BlockDeviceNames names, ToLongFunction<DiskActivity> value) {
    return (f, to) -> {
      List<DiskActivity> own = f.ownDisks();
      for (DiskActivity each : own) {
        String name = names.name(each.device().major(), each.device().minor());
        to.value(value.applyAsLong(each), name);
      }
      if (own.isEmpty()) {
        f.disk().ifPresent(disk -> to.value(value.applyAsLong(disk), f.device()));
      }
    };
  }
}
