package io.keelson.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DiskTest {

  private static final Duration PATIENCE = Duration.ofSeconds(30);

  /** As kernels write them: with discards and flushes, as before Linux 4.18, and a partition. */
  private static final String STATISTICS =
      """
         7       0 loop0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
         8       0 sda 6524 1303 410834 1988 7219 8190 302160 5904 2 9012 7892
         8       1 sda1 52 0 3178 15 0 0 0 0 0 24 15 0 0 0 0 0 0
       254       0 vda 10757809 980352 330949514 102450386 4122045 5749918 492637816 9904252 3 \
      4483468 114507047 5392119 255 435629768 1965138 656835 187269
      """;

  private static Optional<DiskActivity> activity(int major, int minor) {
    return Disk.activity(STATISTICS, new DeviceNumber(major, minor));
  }

  /** Red if a column is taken for another, or the time is not in milliseconds. */
  @Test
  void theColumnsOfTheKernelsLines() {
    assertThat(activity(254, 0))
        .hasValue(
            new DiskActivity(
                new DeviceNumber(254, 0),
                980_352,
                5_749_918,
                102_450_386_000_000L,
                9_904_252_000_000L,
                4_483_468_000_000L,
                OptionalLong.of(114_507_047_000_000L),
                3));
    assertThat(activity(8, 0).orElseThrow().readsMerged()).isEqualTo(1303);
    assertThat(activity(8, 0).orElseThrow().underway()).isEqualTo(2);
    assertThat(activity(8, 1).orElseThrow().readNanos()).isEqualTo(15_000_000);
    assertThat(activity(8, 2)).isEmpty();
  }

  @Test
  void numbersAreTakenApartAsTheKernelPutsThemTogether() {
    assertThat(DeviceNumber.of(0xfe00)).isEqualTo(new DeviceNumber(254, 0));
    assertThat(DeviceNumber.of(0x10_0803L)).isEqualTo(new DeviceNumber(8, 259));
  }

  /**
   * Red if the figures are not those of the disk that is written to. The kernel counts in ticks and
   * milliseconds, in which a quick disk may do all of a few writes.
   */
  @Test
  void whatIsWrittenShowsAtTheFileSystemsDisk(@TempDir Path folder) throws Exception {
    MountInfo mount = MountInfo.containing(folder).orElseThrow();
    FileStore store = Files.getFileStore(folder);
    assumeTrue(store.name().startsWith("/dev/"), "temporary files are on a disk");
    Disk disk = Disk.of(mount).orElseThrow();
    DiskActivity before = disk.activity().orElseThrow();

    try (var file = new java.io.RandomAccessFile(folder.resolve("f").toFile(), "rwd")) {
      DiskActivity after = before;
      long end = System.nanoTime() + PATIENCE.toNanos();
      while (!isBusier(before, after) && System.nanoTime() < end) {
        file.seek(0);
        file.write(new byte[4096]);
        after = disk.activity().orElseThrow();
      }
      assertThat(after.busyNanos()).isGreaterThan(before.busyNanos());
      assertThat(after.writeNanos()).isGreaterThan(before.writeNanos());
    }
  }

  private static boolean isBusier(DiskActivity before, DiskActivity after) {
    return after.busyNanos() > before.busyNanos() && after.writeNanos() > before.writeNanos();
  }

  @Test
  void aFileSystemInMemoryLiesOnNoDisk() throws Exception {
    MountInfo proc = MountInfo.containing(Path.of("/proc")).orElseThrow();
    assertThat(Disk.of(proc)).isEmpty();
  }
}
