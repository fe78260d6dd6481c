package io.keelson.linux;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.StringTokenizer;
import java.util.concurrent.TimeUnit;

/** The disk, or the part of one, that a file system lies on. */
public final class Disk {

  private static final Path STATISTICS = Path.of("/proc/diskstats");
  private static final int S_IFMT = 0170000;
  private static final int S_IFBLK = 0060000;

  private final DeviceNumber number;

  private Disk(DeviceNumber number) {
    this.number = number;
  }

  /** Empty for a file system that lies on none, such as one in memory or of the network. */
  public static Optional<Disk> of(MountInfo mount) throws IOException {
    DeviceNumber number =
        DeviceNumber.of((Long) Files.getAttribute(mount.mountPoint(), "unix:dev"));
    if (number.major() != 0) {
      return Optional.of(new Disk(number));
    }
    // One that may lie on several (btrfs) has a number of its own, which is no device's.
    Path source = Path.of(mount.source());
    if (!source.isAbsolute()
        || !Files.exists(source)
        || ((Integer) Files.getAttribute(source, "unix:mode") & S_IFMT) != S_IFBLK) {
      return Optional.empty();
    }
    return Optional.of(new Disk(DeviceNumber.of((Long) Files.getAttribute(source, "unix:rdev"))));
  }

  /**
   * What it has done since it is there, for the whole host (proc_diskstats(5)); empty if the kernel
   * does not say.
   */
  public Optional<DiskActivity> activity() throws IOException {
    return activity(Files.readString(STATISTICS, StandardCharsets.UTF_8), number);
  }

  static Optional<DiskActivity> activity(String statistics, DeviceNumber number) {
    for (String line : statistics.split("\n", -1)) {
      StringTokenizer words = new StringTokenizer(line);
      if (words.countTokens() >= 14
          && words.nextToken().equals(Integer.toString(number.major()))
          && words.nextToken().equals(Integer.toString(number.minor()))) {
        words.nextToken(); // its name
        long[] fields = new long[11];
        for (int i = 0; i < fields.length; i++) {
          fields[i] = Long.parseLong(words.nextToken());
        }
        return Optional.of(
            new DiskActivity(
                number,
                fields[1],
                fields[5],
                TimeUnit.MILLISECONDS.toNanos(fields[3]),
                TimeUnit.MILLISECONDS.toNanos(fields[7]),
                TimeUnit.MILLISECONDS.toNanos(fields[9]),
                OptionalLong.of(TimeUnit.MILLISECONDS.toNanos(fields[10])),
                fields[8]));
      }
    }
    return Optional.empty();
  }
}
