package io.keelson.sandbox.stats;

import io.keelson.linux.cgroup.Cgroups;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalLong;

/**
 * What is known of the processes of a container by looking at each of them.
 *
 * @param states how many processes are in each state, by cAdvisor's names
 * @param descriptors open in all of them, of which {@code sockets}
 * @param openFilesLimit of the first process (soft); empty for none
 */
record ProcessFigures(
    Map<String, Long> states, long descriptors, long sockets, OptionalLong openFilesLimit) {

  private static final String OPEN_FILES = "Max open files";

  static ProcessFigures read(Cgroups cgroups, StatsSource.Container container) throws IOException {
    Map<String, Long> states = new LinkedHashMap<>();
    for (String state : new String[] {"sleeping", "running", "stopped", "uninterruptible"}) {
      states.put(state, 0L);
    }
    long[] counts = new long[2];
    for (int pid : cgroups.processes(container.group())) {
      Path process = Path.of("/proc", Integer.toString(pid));
      try {
        states.merge(state(process), 1L, Long::sum);
        count(process.resolve("fd"), counts);
      } catch (IOException _) {
        // It has ended meanwhile.
      }
    }
    OptionalLong limit =
        container.init().isPresent()
            ? openFilesLimit(Path.of("/proc", Integer.toString(container.init().get().pid())))
            : OptionalLong.empty();
    return new ProcessFigures(states, counts[0], counts[1], limit);
  }

  /** The letter behind the name, which is in brackets and may hold anything. */
  private static String state(Path process) throws IOException {
    String stat = Files.readString(process.resolve("stat"), StandardCharsets.ISO_8859_1);
    return switch (stat.charAt(stat.lastIndexOf(')') + 2)) {
      case 'R' -> "running";
      case 'D' -> "uninterruptible";
      case 'T', 't', 'Z', 'X' -> "stopped";
      default -> "sleeping";
    };
  }

  private static void count(Path folder, long[] counts) throws IOException {
    try (DirectoryStream<Path> descriptors = Files.newDirectoryStream(folder)) {
      for (Path descriptor : descriptors) {
        counts[0]++;
        if (isSocket(descriptor)) {
          counts[1]++;
        }
      }
    }
  }

  private static boolean isSocket(Path descriptor) {
    try {
      return Files.readSymbolicLink(descriptor).toString().startsWith("socket:");
    } catch (IOException _) { // closed meanwhile
      return false;
    }
  }

  private static OptionalLong openFilesLimit(Path process) {
    try {
      for (String line : Files.readAllLines(process.resolve("limits"))) {
        if (line.startsWith(OPEN_FILES)) {
          String soft = line.substring(OPEN_FILES.length()).strip().split(" +", 2)[0];
          return soft.equals("unlimited")
              ? OptionalLong.empty()
              : OptionalLong.of(Long.parseLong(soft));
        }
      }
    } catch (IOException _) {
      // It has ended meanwhile.
    }
    return OptionalLong.empty();
  }
}
