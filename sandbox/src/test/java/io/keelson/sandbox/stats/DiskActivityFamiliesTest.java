package io.keelson.sandbox.stats;

import static org.assertj.core.api.Assertions.assertThat;

import io.keelson.linux.BlockDeviceNames;
import io.keelson.linux.DeviceNumber;
import io.keelson.linux.DiskActivity;
import io.keelson.linux.cgroup.CgroupUsage;
import io.keelson.proto.cri.v1.ContainerConfig;
import io.keelson.proto.cri.v1.LinuxContainerResources;
import io.keelson.proto.cri.v1.Metric;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Whose figures the metrics of disks' activity tell. No device has these numbers. */
class DiskActivityFamiliesTest {

  private static final DiskActivity WHOLE =
      activity(new DeviceNumber(4000, 1), OptionalLong.of(TimeUnit.SECONDS.toNanos(60)), 10);
  private static final DiskActivity OWN =
      activity(new DeviceNumber(4000, 2), OptionalLong.empty(), 1);

  private static DiskActivity activity(DeviceNumber device, OptionalLong weighted, long factor) {
    return new DiskActivity(
        device,
        factor,
        2 * factor,
        TimeUnit.SECONDS.toNanos(3 * factor),
        TimeUnit.SECONDS.toNanos(4 * factor),
        TimeUnit.SECONDS.toNanos(5 * factor),
        weighted,
        6 * factor);
  }

  private static List<String> told(List<DiskActivity> own, Optional<DiskActivity> disk) {
    CgroupUsage usage =
        new CgroupUsage(
            new CgroupUsage.Cpu(0, 0, 0, 0, 0, 0, 0, 0),
            new CgroupUsage.Memory(
                0, OptionalLong.empty(), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
            new CgroupUsage.Swap(OptionalLong.empty(), OptionalLong.empty()),
            new CgroupUsage.Tasks(0, 0, OptionalLong.empty()),
            List.of(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty());
    ContainerFigures figures =
        new ContainerFigures(
            new StatsSource.Container(
                "id",
                "pod",
                ContainerConfig.getDefaultInstance(),
                "/g",
                0,
                0,
                Optional.empty(),
                "",
                LinuxContainerResources.getDefaultInstance()),
            new Sample(usage, 0, 0, OptionalLong.empty()),
            List.of(),
            own,
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            "/dev/layers",
            disk);
    List<Metric> metrics = new ArrayList<>();
    DiskActivityFamilies.all(new BlockDeviceNames())
        .forEach(family -> family.addTo(metrics, figures, List.of(), 0));
    return metrics.stream()
        .map(m -> m.getName() + " " + m.getLabelValues(0) + " " + m.getValue().getValue())
        .toList();
  }

  @Test
  void withoutFiguresOfTheGroupThoseOfTheLayersDisk() {
    assertThat(told(List.of(), Optional.of(WHOLE)))
        .containsExactly(
            "container_fs_reads_merged_total /dev/layers 10",
            "container_fs_writes_merged_total /dev/layers 20",
            "container_fs_read_seconds_total /dev/layers 30",
            "container_fs_write_seconds_total /dev/layers 40",
            "container_fs_io_current /dev/layers 60",
            "container_fs_io_time_seconds_total /dev/layers 50",
            "container_fs_io_time_weighted_seconds_total /dev/layers 60");
  }

  @Test
  void theGroupsOwnFiguresWhereTheKernelKeepsThem() {
    assertThat(told(List.of(OWN), Optional.of(WHOLE)))
        .containsExactly(
            "container_fs_reads_merged_total 4000:2 1",
            "container_fs_writes_merged_total 4000:2 2",
            "container_fs_read_seconds_total 4000:2 3",
            "container_fs_write_seconds_total 4000:2 4",
            "container_fs_io_current 4000:2 6",
            "container_fs_io_time_seconds_total 4000:2 5",
            "container_fs_io_time_weighted_seconds_total /dev/layers 60");
  }

  /** A zero here would be taken for a disk that has nothing to do. */
  @Test
  void nothingWhereNobodyKnows() {
    assertThat(told(List.of(), Optional.empty())).isEmpty();
  }
}
