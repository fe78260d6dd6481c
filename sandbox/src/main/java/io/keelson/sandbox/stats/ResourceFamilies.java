package io.keelson.sandbox.stats;

import static io.keelson.sandbox.stats.MetricFamily.counters;
import static io.keelson.sandbox.stats.MetricFamily.gauge;
import static io.keelson.sandbox.stats.MetricFamily.gauges;
import static io.keelson.sandbox.stats.MetricFamily.seconds;

import io.keelson.linux.BlockDeviceNames;
import io.keelson.linux.cgroup.CgroupUsage.BlockDevice;
import io.keelson.linux.netlink.Link;
import io.keelson.linux.netlink.LinkStatistics;
import io.keelson.proto.cri.v1.LinuxContainerResources;
import java.util.List;
import java.util.function.ToLongFunction;

/** The metrics of disks, processes, limits and network, named as cAdvisor names them. */
final class ResourceFamilies {

  private static final long SECTOR = 512;
  private static final List<String> DEVICE = List.of("device");

  private ResourceFamilies() {}

  static List<MetricFamily<ContainerFigures>> disk(BlockDeviceNames names) {
    return List.of(
        gauges(
            "container_fs_usage_bytes",
            "Bytes that the container has written over its image.",
            DEVICE,
            (f, to) -> f.written().ifPresent(w -> to.value(w.bytes(), f.device()))),
        gauges(
            "container_fs_limit_bytes",
            "Bytes that the file system of the writable layer can hold.",
            DEVICE,
            (f, to) -> f.space().ifPresent(s -> to.value(s.bytes(), f.device()))),
        gauges(
            "container_fs_inodes_total",
            "Inodes that the file system of the writable layer can hold.",
            DEVICE,
            (f, to) -> f.space().ifPresent(s -> to.value(s.inodes(), f.device()))),
        gauges(
            "container_fs_inodes_free",
            "Inodes that are free there.",
            DEVICE,
            (f, to) -> f.space().ifPresent(s -> to.value(s.freeInodes(), f.device()))),
        blockDevices(
            names, "container_fs_reads_bytes_total", "Bytes read.", BlockDevice::readBytes),
        blockDevices(names, "container_fs_reads_total", "Reads.", BlockDevice::reads),
        blockDevices(
            names,
            "container_fs_sector_reads_total",
            "Sectors read.",
            device -> device.readBytes() / SECTOR),
        blockDevices(
            names, "container_fs_writes_bytes_total", "Bytes written.", BlockDevice::writtenBytes),
        blockDevices(names, "container_fs_writes_total", "Writes.", BlockDevice::writes),
        blockDevices(
            names,
            "container_fs_sector_writes_total",
            "Sectors written.",
            device -> device.writtenBytes() / SECTOR),
        counters(
            "container_blkio_device_usage_total",
            "Bytes from and to a block device.",
            List.of("device", "major", "minor", "operation"),
            (f, to) -> {
              for (BlockDevice device : f.sample().usage().devices()) {
                String name = names.name(device.major(), device.minor());
                String major = Integer.toString(device.major());
                String minor = Integer.toString(device.minor());
                to.value(device.readBytes(), name, major, minor, "Read");
                to.value(device.writtenBytes(), name, major, minor, "Write");
              }
            }));
  }

  private static MetricFamily<ContainerFigures> blockDevices(
      BlockDeviceNames names, String name, String help, ToLongFunction<BlockDevice> value) {
    return counters(
        name,
        help,
        DEVICE,
        (f, to) -> {
          for (BlockDevice device : f.sample().usage().devices()) {
            to.value(value.applyAsLong(device), names.name(device.major(), device.minor()));
          }
          if (f.sample().usage().devices().isEmpty()) {
            to.value(0, f.device()); // nothing was read or written yet: the series begins at 0
          }
        });
  }

  static List<MetricFamily<ContainerFigures>> processes() {
    return List.of(
        gauge("container_processes", "Processes.", f -> f.sample().usage().tasks().processes()),
        gauge("container_threads", "Threads.", f -> f.sample().usage().tasks().threads()),
        gauge(
            "container_threads_max",
            "The most threads that there may be; 0 for no limit.",
            f -> f.sample().usage().tasks().threadLimit().orElse(0)),
        gauges(
            "container_file_descriptors",
            "Open file descriptors.",
            List.of(),
            (f, to) -> f.processes().ifPresent(p -> to.value(p.descriptors()))),
        gauges(
            "container_sockets",
            "Open sockets.",
            List.of(),
            (f, to) -> f.processes().ifPresent(p -> to.value(p.sockets()))),
        gauges(
            "container_tasks_state",
            "Processes in a state.",
            List.of("state"),
            (f, to) ->
                f.processes().ifPresent(p -> p.states().forEach((state, n) -> to.value(n, state)))),
        gauges(
            "container_ulimits_soft",
            "Soft limits of the first process.",
            List.of("ulimit"),
            (f, to) ->
                f.processes()
                    .ifPresent(
                        p -> p.openFilesLimit().ifPresent(n -> to.value(n, "max_open_files")))),
        gauge(
            "container_last_seen",
            "When the container was seen last, seconds since the epoch.",
            f -> seconds(f.sample().time())),
        gauge(
            "container_creation_time_seconds",
            "When the container was made, seconds since the epoch.",
            f -> seconds(f.container().createdAt())),
        gauge(
            "container_start_time_seconds",
            "When the container was started, seconds since the epoch.",
            f -> seconds(f.container().startedAt())));
  }

  static List<MetricFamily<ContainerFigures>> limits() {
    return List.of(
        limit(
            "container_spec_cpu_period",
            "Microseconds of the period of the bandwidth limit.",
            LinuxContainerResources::getCpuPeriod),
        limit(
            "container_spec_cpu_quota",
            "Microseconds of processor time in a period.",
            LinuxContainerResources::getCpuQuota),
        limit(
            "container_spec_cpu_shares",
            "Weight against other containers.",
            LinuxContainerResources::getCpuShares),
        gauge(
            "container_spec_memory_limit_bytes",
            "The memory limit; 0 for none.",
            f -> f.memory().limit().orElse(0)),
        gauge(
            "container_spec_memory_reservation_limit_bytes",
            "Memory that is kept for the container; 0 for none.",
            f -> f.memory().reservation()),
        gauge(
            "container_spec_memory_swap_limit_bytes",
            "The limit on swap; 0 for none.",
            f -> f.sample().usage().swap().limit().orElse(0)));
  }

  /** What is not set, or means "no limit", has no value. */
  private static MetricFamily<ContainerFigures> limit(
      String name, String help, ToLongFunction<LinuxContainerResources> value) {
    return gauges(
        name,
        help,
        List.of(),
        (f, to) -> {
          long set = value.applyAsLong(f.container().resources());
          if (set > 0) {
            to.value(set);
          }
        });
  }

  static List<MetricFamily<NetworkSampler.Traffic>> network() {
    return List.of(
        link("receive_bytes", "Bytes received.", LinkStatistics::receivedBytes),
        link("receive_packets", "Packets received.", LinkStatistics::receivedPackets),
        link(
            "receive_packets_dropped",
            "Packets dropped while receiving.",
            LinkStatistics::receiveDropped),
        link("receive_errors", "Errors while receiving.", LinkStatistics::receiveErrors),
        link("transmit_bytes", "Bytes sent.", LinkStatistics::sentBytes),
        link("transmit_packets", "Packets sent.", LinkStatistics::sentPackets),
        link(
            "transmit_packets_dropped",
            "Packets dropped while sending.",
            LinkStatistics::sendDropped),
        link("transmit_errors", "Errors while sending.", LinkStatistics::sendErrors));
  }

  private static MetricFamily<NetworkSampler.Traffic> link(
      String name, String help, ToLongFunction<LinkStatistics> value) {
    return counters(
        "container_network_" + name + "_total",
        help,
        List.of("interface"),
        (traffic, to) -> {
          for (Link link : traffic.links()) {
            link.statistics()
                .ifPresent(counted -> to.value(value.applyAsLong(counted), link.name()));
          }
        });
  }
}
