package io.keelson.linux.cgroup;

import io.keelson.linux.Threads;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * What both versions have in common: groups are folders, and {@code cgroup.procs} lists their
 * processes.
 */
final class CgroupFolders {

  private static final String PROCESSES = "cgroup.procs";
  private static final Duration FIRST_PAUSE = Duration.ofMillis(1);
  private static final Duration LAST_PAUSE = Duration.ofMillis(20);

  private CgroupFolders() {}

  /**
   * @throws IllegalArgumentException if this is not a path of a group, or is the root group
   */
  static void check(String group) {
    Path path = Path.of(group);
    if (!path.isAbsolute() || path.getNameCount() == 0 || !path.normalize().equals(path)) {
      throw new IllegalArgumentException("not a control group below the root: \"" + group + "\"");
    }
  }

  /** The group and those above it, outermost first, without the root. */
  static List<String> chain(String group) {
    List<String> result = new ArrayList<>();
    for (int slash = group.indexOf('/', 1); slash > 0; slash = group.indexOf('/', slash + 1)) {
      result.add(group.substring(0, slash));
    }
    result.add(group);
    return result;
  }

  /** The folder and those below it, innermost first; empty if it is not there. */
  static List<Path> subtree(Path folder) throws IOException {
    List<Path> result = new ArrayList<>();
    collect(folder, result);
    return result;
  }

  private static void collect(Path folder, List<Path> result) throws IOException {
    try (Stream<Path> entries = Files.list(folder)) {
      for (Path entry : (Iterable<Path>) entries::iterator) {
        if (Files.isDirectory(entry)) {
          collect(entry, result);
        }
      }
    } catch (NoSuchFileException e) {
      return; // removed by somebody else, meanwhile
    }
    result.add(folder);
  }

  static void enter(Path folder, int pid) throws IOException {
    write(folder.resolve(PROCESSES), Integer.toString(pid));
  }

  static void addProcesses(Path folder, Set<Integer> processes) throws IOException {
    for (Path each : subtree(folder)) {
      for (String line : readProcesses(each.resolve(PROCESSES)).split("\n", -1)) {
        // 0 stands for a process that this process' pid namespace does not have.
        if (!line.isEmpty() && !line.equals("0")) {
          processes.add(Integer.parseInt(line));
        }
      }
    }
  }

  private static String readProcesses(Path file) throws IOException {
    try {
      return read(file).orElse("");
    } catch (IOException e) {
      String message = String.valueOf(e.getMessage());
      if (message.contains("not supported")) {
        return ""; // a group of threads: its processes are listed in the group above it
      }
      throw e;
    }
  }

  static void remove(Path folder, Deadline deadline) throws IOException {
    Duration pause = FIRST_PAUSE;
    while (true) {
      try {
        for (Path each : subtree(folder)) {
          Files.deleteIfExists(each);
        }
        return;
      } catch (FileSystemException e) {
        if (deadline.isOver()) {
          Set<Integer> processes = new TreeSet<>();
          addProcesses(folder, processes);
          throw new IOException(
              "control group %s can't be removed (%s); processes in it: %s"
                  .formatted(folder, e.getMessage(), processes),
              e);
        }
        // A process that has just died stays in its group for a moment.
        pause = deadline.sleep(pause, LAST_PAUSE);
      }
    }
  }

  /** What is left of these without this process itself. */
  static boolean isEmpty(Set<Integer> pids) {
    return pids.isEmpty()
        || (pids.size() == 1 && pids.contains((int) ProcessHandle.current().pid()));
  }

  /** Empty if the file, or the group that it belongs to, is not there. */
  static Optional<String> read(Path file) throws IOException {
    try {
      return Optional.of(Files.readString(file, StandardCharsets.UTF_8));
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (IOException e) {
      if (!Files.exists(file)) {
        return Optional.empty(); // ENODEV: removed between open and read
      }
      throw e;
    }
  }

  static void write(Path file, String text) throws IOException {
    Files.writeString(file, text, StandardCharsets.UTF_8, StandardOpenOption.WRITE);
  }

  /** The number behind a key in a file of lines {@code key number}; 0 if it is not there. */
  static long value(String text, String key) {
    for (String line : text.split("\n", -1)) {
      if (line.startsWith(key + " ")) {
        return Long.parseLong(line.substring(key.length() + 1).strip());
      }
    }
    return 0;
  }

  /** A point in time, and short sleeps until then. */
  static final class Deadline {

    private final long end;

    Deadline(Duration timeout) {
      end = System.nanoTime() + timeout.toNanos();
    }

    boolean isOver() {
      return System.nanoTime() - end >= 0;
    }

    /** What is left until then, {@code longest} at most; negative when it is over. */
    Duration within(Duration longest) {
      return Duration.ofNanos(Math.min(end - System.nanoTime(), longest.toNanos()));
    }

    /** Sleeps, and answers how long to sleep the next time. */
    Duration sleep(Duration pause, Duration longest) throws InterruptedIOException {
      try {
        Thread.sleep(pause);
      } catch (InterruptedException e) {
        throw Threads.interrupted("interrupted while waiting for a control group", e);
      }
      Duration twice = pause.multipliedBy(2);
      return twice.compareTo(longest) < 0 ? twice : longest;
    }
  }
}
