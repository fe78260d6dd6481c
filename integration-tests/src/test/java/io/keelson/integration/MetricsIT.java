package io.keelson.integration;

import static java.util.stream.Collectors.toMap;
import static org.assertj.core.api.Assertions.assertThat;

import io.keelson.integration.harness.Cri;
import io.keelson.integration.harness.TestNode;
import io.keelson.linux.Disk;
import io.keelson.linux.DiskActivity;
import io.keelson.linux.MountInfo;
import io.keelson.proto.cri.v1.LinuxContainerResources;
import io.keelson.proto.cri.v1.ListMetricDescriptorsRequest;
import io.keelson.proto.cri.v1.ListPodSandboxMetricsRequest;
import io.keelson.proto.cri.v1.Metric;
import io.keelson.proto.cri.v1.MetricDescriptor;
import io.keelson.proto.cri.v1.MetricType;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import io.keelson.proto.cri.v1.PodSandboxMetrics;
import io.keelson.proto.cri.v1.StreamPodSandboxMetricsRequest;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.function.ToLongFunction;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Metrics by cAdvisor's names, as a kubelet hands them on to Prometheus. */
class MetricsIT {

  private static final long MIB = 1024 * 1024;

  /** What a kubelet's own cAdvisor tells of containers on a cgroup v1 or v2 host. */
  private static final String EXPECTED =
      """
      container_blkio_device_usage_total container_cpu_cfs_burst_periods_total
      container_cpu_cfs_burst_seconds_total container_cpu_cfs_periods_total
      container_cpu_cfs_throttled_periods_total container_cpu_cfs_throttled_seconds_total
      container_cpu_system_seconds_total container_cpu_usage_seconds_total
      container_cpu_user_seconds_total container_creation_time_seconds container_file_descriptors
      container_fs_inodes_free container_fs_inodes_total container_fs_io_current
      container_fs_io_time_seconds_total container_fs_io_time_weighted_seconds_total
      container_fs_limit_bytes container_fs_read_seconds_total container_fs_reads_bytes_total
      container_fs_reads_merged_total container_fs_reads_total container_fs_sector_reads_total
      container_fs_sector_writes_total container_fs_usage_bytes container_fs_write_seconds_total
      container_fs_writes_bytes_total container_fs_writes_merged_total container_fs_writes_total
      container_hugetlb_failcnt container_hugetlb_max_usage_bytes container_hugetlb_usage_bytes
      container_last_seen container_memory_cache container_memory_events_high_total
      container_memory_events_max_total container_memory_failcnt container_memory_failures_total
      container_memory_file_dirty_bytes container_memory_file_writeback_bytes
      container_memory_kernel_usage container_memory_mapped_file container_memory_max_usage_bytes
      container_memory_pgscan_total container_memory_pgsteal_total container_memory_rss
      container_memory_swap container_memory_total_active_file_bytes
      container_memory_total_inactive_file_bytes container_memory_usage_bytes
      container_memory_working_set_bytes container_memory_workingset_refault_anon_total
      container_memory_workingset_refault_file_total container_network_receive_bytes_total
      container_network_receive_errors_total container_network_receive_packets_dropped_total
      container_network_receive_packets_total container_network_transmit_bytes_total
      container_network_transmit_errors_total container_network_transmit_packets_dropped_total
      container_network_transmit_packets_total container_oom_events_total
      container_pressure_cpu_stalled_seconds_total container_pressure_cpu_waiting_seconds_total
      container_pressure_io_stalled_seconds_total container_pressure_io_waiting_seconds_total
      container_pressure_memory_stalled_seconds_total
      container_pressure_memory_waiting_seconds_total container_processes container_sockets
      container_spec_cpu_period container_spec_cpu_quota container_spec_cpu_shares
      container_spec_memory_limit_bytes container_spec_memory_reservation_limit_bytes
      container_spec_memory_swap_limit_bytes container_start_time_seconds container_tasks_state
      container_threads container_threads_max container_ulimits_soft\
      """;

  @RegisterExtension static final TestNode node = TestNode.create();

  private static List<MetricDescriptor> descriptors() {
    return node.cri()
        .runtime()
        .listMetricDescriptors(ListMetricDescriptorsRequest.getDefaultInstance())
        .getDescriptorsList();
  }

  private static PodSandboxMetrics metrics(String pod) {
    return node
        .cri()
        .runtime()
        .listPodSandboxMetrics(ListPodSandboxMetricsRequest.getDefaultInstance())
        .getPodMetricsList()
        .stream()
        .filter(metrics -> metrics.getPodSandboxId().equals(pod))
        .findFirst()
        .orElseThrow();
  }

  @Test
  void everyNameThatAKubeletsCadvisorTellsIsThereOnce() {
    List<String> names = descriptors().stream().map(MetricDescriptor::getName).toList();
    assertThat(names).contains(EXPECTED.split("\\s+")).doesNotHaveDuplicates();
    assertThat(descriptors()).allMatch(descriptor -> !descriptor.getHelp().isEmpty());
  }

  /** What has a name and no value is taken for a defect, by critest too. */
  private static void assertAllHaveValues(Set<String> known, List<Metric> told) {
    Set<String> names = new TreeSet<>(known);
    told.forEach(metric -> names.remove(metric.getName()));
    // There may be no traffic, no huge pages and no pressure that the kernel would count.
    names.removeIf(name -> name.matches("container_(blkio|hugetlb|pressure)_.*"));
    assertThat(names).isEmpty();
  }

  @Test
  void theValuesAreThoseOfTheContainerAndFitTheirDescriptors() throws Exception {
    Cri cri = node.cri();
    PodSandboxConfig pod = node.pod("metrics").build();
    String sandbox = cri.runPod(pod);
    var config =
        node.container(
            "main",
            "sh",
            "-c",
            "dd if=/dev/zero of=/written bs=1M count=4 conv=fsync; sleep 1000 & touch /ready;"
                + " exec sleep 1000");
    config.setLinux(
        config.getLinux().toBuilder()
            .setResources(
                LinuxContainerResources.newBuilder()
                    .setMemoryLimitInBytes(64 * MIB)
                    .setCpuPeriod(100_000)
                    .setCpuQuota(80_000)
                    .setCpuShares(512)));
    String id = cri.run(sandbox, config.build(), pod);
    Waits.until(() -> cri.exec(id, "ls", "/ready").getExitCode() == 0, "the file is written");
    Thread.sleep(1100);
    // Nobody waits long for what is dear to measure; it is there the next time.
    Waits.until(
        () ->
            Stream.of("container_file_descriptors", "container_fs_usage_bytes")
                .allMatch(name -> metrics(sandbox).toString().contains(name)),
        "all is measured");

    PodSandboxMetrics found = metrics(sandbox);
    assertThat(found.getContainerMetricsList()).hasSize(1);
    List<Metric> container = found.getContainerMetrics(0).getMetricsList();
    assertThat(found.getContainerMetrics(0).getContainerId()).isEqualTo(id);

    Map<String, MetricDescriptor> known =
        descriptors().stream().collect(toMap(MetricDescriptor::getName, d -> d));
    List<Metric> all = new ArrayList<>(container);
    all.addAll(found.getMetricsList());
    assertAllHaveValues(known.keySet(), all);
    for (Metric metric : all) {
      assertThat(known).containsKey(metric.getName());
      assertThat(metric.getLabelValuesList())
          .as(metric.getName())
          .hasSameSizeAs(labelKeys(known, metric));
      assertThat(metric.getTimestamp()).isPositive();
    }
    Metric usage = only(container, "container_memory_working_set_bytes");
    Map<String, String> labels = labels(known, usage);
    assertThat(labels)
        .containsEntry("container", "main")
        .containsEntry("id", id)
        .containsEntry("pod", "metrics")
        .containsEntry("namespace", "it")
        .containsEntry("image", TestNode.IMAGE);
    assertThat(usage.getMetricType()).isEqualTo(MetricType.GAUGE);
    assertThat(usage.getValue().getValue()).isBetween(4096L, 64 * MIB);
    assertThat(value(container, "container_spec_memory_limit_bytes")).isEqualTo(64 * MIB);
    assertThat(value(container, "container_spec_cpu_quota")).isEqualTo(80_000);
    assertThat(value(container, "container_spec_cpu_shares")).isEqualTo(512);
    assertThat(value(container, "container_processes")).isEqualTo(2);
    assertThat(value(container, "container_file_descriptors")).isGreaterThanOrEqualTo(3);
    assertThat(value(container, "container_fs_usage_bytes")).isBetween(4 * MIB, 5 * MIB);
    assertThat(value(container, "container_fs_limit_bytes")).isGreaterThan(100 * MIB);
    assertThat(value(container, "container_ulimits_soft")).isPositive();
    assertThat(value(container, "container_start_time_seconds"))
        .isBetween(Instant.now().getEpochSecond() - 60, Instant.now().getEpochSecond());
    assertThat(
            container.stream().filter(m -> m.getName().equals("container_memory_failures_total")))
        .hasSize(4);
    assertThat(only(container, "container_cpu_usage_seconds_total").getMetricType())
        .isEqualTo(MetricType.COUNTER);

    assertThat(found.getMetricsList())
        .as("the network is the pod's")
        .extracting(Metric::getName)
        .contains("container_network_receive_bytes_total");
    assertThat(labels(known, found.getMetrics(0)))
        .containsEntry("interface", "eth0")
        .containsEntry("container", "")
        .containsEntry("id", sandbox);

    Set<String> streamed = new TreeSet<>();
    cri.runtime()
        .streamPodSandboxMetrics(StreamPodSandboxMetricsRequest.getDefaultInstance())
        .forEachRemaining(
            chunk ->
                chunk.getPodSandboxMetricsList().forEach(m -> streamed.add(m.getPodSandboxId())));
    assertThat(streamed).containsExactly(sandbox);
  }

  /** Red if the activity of disks is invented, is another disk's or is not looked at again. */
  @Test
  void theActivityOfDisksIsThatOfTheDiskOfTheLayers() throws Exception {
    MountInfo mount = MountInfo.containing(node.root()).orElseThrow();
    Disk disk = Disk.of(mount).orElseThrow();
    PodSandboxConfig pod = node.pod("disk").build();
    String sandbox = node.cri().runPod(pod);
    node.cri().run(sandbox, node.container("main", "sleep", "1000").build(), pod);

    DiskActivity before = disk.activity().orElseThrow();
    List<Metric> told = metrics(sandbox).getContainerMetrics(0).getMetricsList();
    DiskActivity after = disk.activity().orElseThrow();

    assertBetween(told, "reads_merged_total", before, after, DiskActivity::readsMerged);
    assertBetween(told, "writes_merged_total", before, after, DiskActivity::writesMerged);
    assertBetween(told, "read_seconds_total", before, after, d -> seconds(d.readNanos()));
    assertBetween(told, "write_seconds_total", before, after, d -> seconds(d.writeNanos()));
    assertBetween(told, "io_time_seconds_total", before, after, d -> seconds(d.busyNanos()));
    assertBetween(
        told,
        "io_time_weighted_seconds_total",
        before,
        after,
        d -> seconds(d.weightedNanos().orElseThrow()));
    assertThat(value(told, "container_fs_io_current")).isNotNegative();
    Map<String, MetricDescriptor> known =
        descriptors().stream().collect(toMap(MetricDescriptor::getName, d -> d));
    assertThat(labels(known, only(told, "container_fs_io_current")))
        .containsEntry("device", mount.source())
        .containsEntry("container", "main")
        .containsEntry("pod", "disk");
  }

  private static long seconds(long nanos) {
    return TimeUnit.NANOSECONDS.toSeconds(nanos);
  }

  private static void assertBetween(
      List<Metric> told,
      String name,
      DiskActivity before,
      DiskActivity after,
      ToLongFunction<DiskActivity> figure) {
    assertThat(value(told, "container_fs_" + name))
        .as(name)
        .isBetween(figure.applyAsLong(before), figure.applyAsLong(after));
  }

  private static List<String> labelKeys(Map<String, MetricDescriptor> known, Metric metric) {
    return Objects.requireNonNull(known.get(metric.getName()), metric.getName()).getLabelKeysList();
  }

  private static Map<String, String> labels(Map<String, MetricDescriptor> known, Metric metric) {
    Map<String, String> labels = new HashMap<>();
    List<String> keys = labelKeys(known, metric);
    for (int i = 0; i < keys.size(); i++) {
      labels.put(keys.get(i), metric.getLabelValues(i));
    }
    return labels;
  }

  private static long value(List<Metric> metrics, String name) {
    return only(metrics, name).getValue().getValue();
  }

  private static Metric only(List<Metric> metrics, String name) {
    List<Metric> found = metrics.stream().filter(metric -> metric.getName().equals(name)).toList();
    assertThat(found).as(name).hasSize(1);
    return found.getFirst();
  }
}
