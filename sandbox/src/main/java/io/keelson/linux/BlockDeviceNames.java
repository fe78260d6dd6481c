package io.keelson.linux;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** The names of block devices by their numbers, from sysfs. Safe for use by many threads. */
public final class BlockDeviceNames {

  private static final String KEY = "DEVNAME=";
  private static final int MOST = 4096;

  private final Map<Long, String> names = new ConcurrentHashMap<>();

  /** Such as {@code /dev/sda1}; {@code 8:1} for a device that sysfs does not name. */
  public String name(int major, int minor) {
    if (names.size() > MOST) {
      names.clear();
    }
    return names.computeIfAbsent(((long) major << 32) | minor, _ -> read(major + ":" + minor));
  }

  private static String read(String numbers) {
    try {
      for (String line : Files.readAllLines(Path.of("/sys/dev/block", numbers, "uevent"))) {
        if (line.startsWith(KEY)) {
          return "/dev/" + line.substring(KEY.length());
        }
      }
    } catch (IOException _) {
      // gone: its number is all that is left of it
    }
    return numbers;
  }
}
