package io.keelson.linux.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.keelson.linux.DeviceNumber;
import io.keelson.linux.DiskActivity;
import io.keelson.linux.Spawn;
import io.keelson.linux.SpawnFiles;
import io.keelson.linux.Spawned;
import io.keelson.linux.cgroup.CgroupUsage.BlockDevice;
import io.keelson.linux.cgroup.CgroupUsage.Cpu;
import io.keelson.linux.cgroup.CgroupUsage.Stall;
import io.keelson.linux.cgroup.CgroupUsage.Tasks;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CgroupUsageTest {

  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private final String group = "/keelson-usage-" + ProcessHandle.current().pid();

  @TempDir private Path root;

  @AfterEach
  void remove() throws IOException {
    Cgroups host = CgroupHost.detect().cgroups();
    host.killAll(group, PATIENCE);
    host.remove(group, PATIENCE);
  }

  private void file(String name, String text) throws IOException {
    Path file = root.resolve("g").resolve(name);
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
  }

  @Test
  void version2IsReadByItsOwnWords() throws IOException {
    file(
        "cpu.stat",
        """
        usage_usec 3000000
        user_usec 2000000
        system_usec 1000000
        nr_periods 7
        nr_throttled 3
        throttled_usec 5000
        nr_bursts 1
        burst_usec 9
        """);
    file("memory.current", "1000000\n");
    file("memory.max", "4000000\n");
    file("memory.low", "500\n");
    file("memory.peak", "2000000\n");
    file(
        "memory.stat",
        """
        anon 600
        file 700
        kernel 80
        file_mapped 90
        inactive_file 400000
        active_file 300
        pgfault 50
        pgmajfault 5
        file_dirty 1
        file_writeback 2
        pgscan 11
        pgsteal 10
        workingset_refault_anon 3
        workingset_refault_file 4
        """);
    file("memory.events", "low 0\nhigh 8\nmax 6\noom 2\noom_kill 1\n");
    file("memory.swap.current", "4096\n");
    file("memory.swap.max", "max\n");
    file("pids.current", "9\n");
    file("pids.max", "max\n");
    file("cgroup.procs", "10\n11\n");
    file("below/cgroup.procs", "12\n");
    file("io.stat", "8:0 rbytes=4096 wbytes=8192 rios=1 wios=2 dbytes=0 dios=0\n253:1 \n");
    file(
        "cpu.pressure",
        """
        some avg10=1.50 avg60=2.50 avg300=3.50 total=1234
        full avg10=0.00 avg60=0.00 avg300=0.00 total=7
        """);

    CgroupUsage usage = new CgroupsV2(root).usage("/g").orElseThrow();

    assertThat(usage.cpu())
        .isEqualTo(
            new Cpu(3_000_000_000L, 2_000_000_000L, 1_000_000_000L, 7, 3, 5_000_000L, 1, 9_000L));
    assertThat(usage.memory().workingSet()).isEqualTo(600_000);
    assertThat(usage.memory().limit()).hasValue(4_000_000);
    assertThat(usage.memory().rss()).isEqualTo(600);
    assertThat(usage.memory().limitHits()).isEqualTo(6);
    assertThat(usage.memory().oomKills()).isEqualTo(1);
    assertThat(usage.swap().usage()).hasValue(4096);
    assertThat(usage.swap().limit()).isEmpty();
    assertThat(usage.tasks()).isEqualTo(new Tasks(3, 9, OptionalLong.empty()));
    assertThat(usage.devices())
        .containsExactly(
            new BlockDevice(8, 0, 4096, 8192, 1, 2), new BlockDevice(253, 1, 0, 0, 0, 0));
    assertThat(usage.cpuPressure().orElseThrow().some()).isEqualTo(new Stall(1.5, 2.5, 3.5, 1234));
    assertThat(usage.cpuPressure().orElseThrow().full().total()).isEqualTo(7);
    assertThat(usage.ioPressure()).isEmpty();
  }

  @Test
  void devicesOfVersion1AreReadWithoutTheirSums() throws IOException {
    file(
        "blkio.throttle.io_service_bytes_recursive",
        "8:0 Read 10\n8:0 Write 20\n8:0 Sync 30\n8:0 Total 30\n8:16 Read 1\nTotal 31\n");
    file("blkio.throttle.io_serviced_recursive", "8:0 Read 2\n8:0 Write 3\n8:0 Total 5\nTotal 5\n");

    CgroupUsage usage = version1();

    assertThat(usage.devices())
        .containsExactly(new BlockDevice(8, 0, 10, 20, 2, 3), new BlockDevice(8, 16, 1, 0, 0, 0));
    assertThat(BlkioV1.activity(root.resolve("g"))).as("no scheduler says anything").isEmpty();
  }

  /** Red if a scheduler's figures are not found, or are taken from the wrong words. */
  @ParameterizedTest
  @ValueSource(strings = {"blkio.bfq.", "blkio."})
  void whatASchedulerOfVersion1CountsByGroup(String scheduler) throws IOException {
    file(
        scheduler + "io_merged_recursive",
        """
        8:16 Read 0
        8:16 Write 0
        8:16 Sync 0
        8:16 Async 0
        8:16 Discard 0
        8:16 Total 0
        8:0 Read 5
        8:0 Write 7
        8:0 Sync 6
        8:0 Async 6
        8:0 Discard 0
        8:0 Total 12
        Total 12
        """);
    file(
        scheduler + "io_service_time_recursive",
        """
        8:0 Read 3000000
        8:0 Write 4000000
        8:0 Sync 6000000
        8:0 Async 2000000
        8:0 Discard 1000000
        8:0 Total 8000000
        Total 8000000
        """);
    file(scheduler + "io_queued_recursive", "8:0 Read 1\n8:0 Write 2\n8:0 Total 3\nTotal 3\n");

    assertThat(BlkioV1.activity(root.resolve("g")))
        .containsExactly(
            new DiskActivity(new DeviceNumber(8, 16), 0, 0, 0, 0, 0, OptionalLong.empty(), 0),
            new DiskActivity(
                new DeviceNumber(8, 0),
                5,
                7,
                3_000_000,
                4_000_000,
                8_000_000,
                OptionalLong.empty(),
                3));
  }

  /** Of a group of the blkio controller alone. */
  private CgroupUsage version1() throws IOException {
    return new UsageV1(
            controller ->
                controller.equals("blkio") ? Optional.of(root.resolve("g")) : Optional.empty(),
            Optional.empty())
        .read();
  }

  @Test
  void aGroupThatIsNotThereHasNoUsage() throws IOException {
    assertThat(CgroupHost.detect().cgroups().usage(group)).isEmpty();
    assertThat(new CgroupsV2(root).usage("/none")).isEmpty();
  }

  @Test
  void thisHostsKernelCountsWhatAProcessUses() throws Exception {
    Cgroups host = CgroupHost.detect().cgroups();
    host.create(group);
    StringBuilder join = new StringBuilder();
    for (String controller : List.of("memory", "cpuacct", "pids", "cpu")) {
      host.folder(controller, group)
          .ifPresent(f -> join.append("echo $$ > ").append(f).append("/cgroup.procs; "));
    }
    long begin = System.nanoTime();
    try (Spawned busy =
        Spawn.start(
            List.of("/bin/sh", "-c", join + "while :; do :; done"),
            Map.of("PATH", "/bin:/usr/bin"),
            null,
            SpawnFiles.none(),
            true)) {
      CgroupUsage usage = usageBeyond(host, TimeUnit.MILLISECONDS.toNanos(400));
      long passed = System.nanoTime() - begin;
      assumeTrue(usage.tasks().processes() > 0, "the hierarchy has the pids controller");

      assertThat(usage.cpu().usage()).isLessThan(passed * 2);
      // The kernel counts these by its clock's ticks, and on a busy machine roughly.
      assertThat(usage.cpu().user() + usage.cpu().system())
          .isBetween(usage.cpu().usage() / 4, usage.cpu().usage() * 4);
      assertThat(usage.memory().usage()).isBetween(4096L, 50L << 20);
      assertThat(usage.memory().limit()).isEmpty();
      assertThat(usage.tasks().processes()).isEqualTo(1);
      busy.kill(9);
      busy.await(PATIENCE);
    }
  }

  /** What the group has used when it is more than so much processor time. */
  private CgroupUsage usageBeyond(Cgroups host, long nanos) throws Exception {
    long end = System.nanoTime() + PATIENCE.toNanos();
    CgroupUsage usage = host.usage(group).orElseThrow();
    while (usage.cpu().usage() < nanos && System.nanoTime() < end) {
      Thread.sleep(20);
      usage = host.usage(group).orElseThrow();
    }
    assertThat(usage.cpu().usage()).isGreaterThanOrEqualTo(nanos);
    return usage;
  }
}
