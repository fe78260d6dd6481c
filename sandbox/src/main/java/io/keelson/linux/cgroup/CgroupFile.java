package io.keelson.linux.cgroup;

import io.keelson.linux.cgroup.CgroupUsage.Pressure;
import io.keelson.linux.cgroup.CgroupUsage.Stall;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.StringTokenizer;

/**
 * The forms that the kernel's files of a control group have. A file that is not there, like that of
 * a controller that is off, reads as nothing.
 */
final class CgroupFile {

  /** Version 1 says "no limit" as the largest number of pages, in bytes. */
  private static final long NO_LIMIT = Long.MAX_VALUE - 0x10_0000;

  private CgroupFile() {}

  /** A file that holds one number; empty also for {@code max}. */
  static OptionalLong number(Path file) throws IOException {
    return CgroupFolders.read(file).map(text -> parse(text.strip())).orElseGet(OptionalLong::empty);
  }

  /** As {@link #number}, for a limit: what means "none" is empty. */
  static OptionalLong limit(Path file) throws IOException {
    OptionalLong number = number(file);
    return number.isPresent() && number.getAsLong() >= NO_LIMIT ? OptionalLong.empty() : number;
  }

  private static OptionalLong parse(String text) {
    if (text.isEmpty() || !Character.isDigit(text.charAt(0))) {
      return OptionalLong.empty();
    }
    try {
      return OptionalLong.of(Long.parseLong(text));
    } catch (NumberFormatException _) { // above 2^63: a limit that is none
      return OptionalLong.of(Long.MAX_VALUE);
    }
  }

  /** Lines of a key and a number. */
  static Map<String, Long> table(Path file) throws IOException {
    Map<String, Long> table = new HashMap<>();
    StringTokenizer words = new StringTokenizer(CgroupFolders.read(file).orElse(""), " \n");
    while (words.hasMoreTokens()) {
      String key = words.nextToken();
      if (words.hasMoreTokens()) {
        table.put(key, parse(words.nextToken()).orElse(0));
      }
    }
    return table;
  }

  /** The two lines of a pressure file; the one of a processor may lack {@code full}. */
  static Optional<Pressure> pressure(Path file) throws IOException {
    Optional<String> text;
    try {
      text = CgroupFolders.read(file);
    } catch (IOException _) { // pressure is switched off for this group (EOPNOTSUPP)
      return Optional.empty();
    }
    if (text.isEmpty() || text.get().isEmpty()) {
      return Optional.empty();
    }
    Stall some = Stall.NONE;
    Stall full = Stall.NONE;
    for (String line : text.get().split("\n", -1)) {
      if (line.startsWith("some ")) {
        some = stall(line);
      } else if (line.startsWith("full ")) {
        full = stall(line);
      }
    }
    return Optional.of(new Pressure(some, full));
  }

  private static Stall stall(String line) {
    Map<String, String> values = new HashMap<>();
    for (String word : line.split(" ", -1)) {
      int equals = word.indexOf('=');
      if (equals > 0) {
        values.put(word.substring(0, equals), word.substring(equals + 1));
      }
    }
    return new Stall(
        Double.parseDouble(values.getOrDefault("avg10", "0")),
        Double.parseDouble(values.getOrDefault("avg60", "0")),
        Double.parseDouble(values.getOrDefault("avg300", "0")),
        Long.parseLong(values.getOrDefault("total", "0")));
  }

  /** How many processes are in the group of this folder and in those below it. */
  static long processes(Path folder) throws IOException {
    long count = 0;
    for (Path each : CgroupFolders.subtree(folder)) {
      String text;
      try {
        text = CgroupFolders.read(each.resolve("cgroup.procs")).orElse("");
      } catch (IOException _) { // a group of threads: its processes are listed above it
        continue;
      }
      count += text.chars().filter(c -> c == '\n').count();
    }
    return count;
  }
}
