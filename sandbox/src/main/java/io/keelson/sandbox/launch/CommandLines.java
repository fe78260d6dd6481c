package io.keelson.sandbox.launch;

import io.keelson.linux.ProcessId;
import io.keelson.linux.Threads;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * What the processes of this host were started with, by which those that nobody noted are found.
 */
final class CommandLines {

  private static final Path PROC = Path.of("/proc");
  private static final Duration PAUSE = Duration.ofMillis(2);
  private static final int SCANS = 25;

  private CommandLines() {}

  /** Empty for a kernel thread, a zombie, one that has gone, and for a moment within execve(2). */
  static List<String> of(int pid) {
    try {
      byte[] bytes = Files.readAllBytes(PROC.resolve(Integer.toString(pid)).resolve("cmdline"));
      return bytes.length == 0
          ? List.of()
          : List.of(new String(bytes, StandardCharsets.UTF_8).split("\0", -1));
    } catch (IOException gone) {
      return List.of();
    }
  }

  /**
   * The processes with such a command line, the oldest first. While there is none but one that
   * starts its program just now, it is looked again, for a twentieth of a second.
   */
  static List<ProcessId> search(Predicate<List<String>> wanted) throws IOException {
    for (int attempt = 1; ; attempt++) {
      Scan scan = scan(wanted);
      if (!scan.found().isEmpty() || !scan.startingSeen() || attempt == SCANS) {
        return scan.found();
      }
      pause();
    }
  }

  /** Whether any process has this among its arguments. */
  static boolean isArgument(String text) throws IOException {
    return !scan(arguments -> arguments.contains(text)).found().isEmpty();
  }

  /**
   * @param found the oldest first
   * @param startingSeen some process had no command line yet
   */
  private record Scan(List<ProcessId> found, boolean startingSeen) {}

  private static Scan scan(Predicate<List<String>> wanted) throws IOException {
    List<ProcessId> found = new ArrayList<>();
    boolean startingSeen = false;
    try (Stream<Path> entries = Files.list(PROC)) {
      for (Path entry : (Iterable<Path>) entries::iterator) {
        String name = entry.getFileName().toString();
        if (!Character.isDigit(name.charAt(0))) {
          continue;
        }
        int pid = Integer.parseInt(name);
        List<String> arguments = of(pid);
        if (wanted.test(arguments)) {
          ProcessId.of(pid).filter(ProcessId::isAlive).ifPresent(found::add);
        } else if (arguments.isEmpty() && Files.exists(entry.resolve("exe"))) {
          startingSeen = true; // kernel threads and zombies have no program
        }
      }
    }
    found.sort(Comparator.comparingLong(ProcessId::startTime).thenComparingInt(ProcessId::pid));
    return new Scan(found, startingSeen);
  }

  static void pause() throws InterruptedIOException {
    try {
      Thread.sleep(PAUSE);
    } catch (InterruptedException e) {
      throw Threads.interrupted("interrupted while waiting for a process", e);
    }
  }
}
