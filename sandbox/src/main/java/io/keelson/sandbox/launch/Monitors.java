package io.keelson.sandbox.launch;

import io.keelson.linux.ProcessId;
import io.keelson.linux.Threads;
import io.keelson.sandbox.port.Launcher.Launched;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;

/**
 * Finds the conmon of a container. Its pid is in the bundle, but a daemon may be killed between the
 * start and that note, so what counts is the command line of the process.
 */
final class Monitors {

  private static final Path PROC = Path.of("/proc");
  private static final Duration PAUSE = Duration.ofMillis(2);
  private static final int SCANS = 25;
  private static final List<String> NO_ARGUMENTS = List.of("");

  private Monitors() {}

  /**
   * The running conmon of this bundle. All processes are looked at only if there is no note of it.
   */
  static Optional<ProcessId> find(Bundle bundle) throws IOException {
    OptionalInt noted = Bundle.readPid(bundle.monitorPid());
    if (noted.isEmpty()) {
      return search(bundle);
    }
    return ProcessId.of(noted.getAsInt())
        .filter(process -> process.isAlive() && isMonitor(process.pid(), bundle));
  }

  private static Optional<ProcessId> search(Bundle bundle) throws IOException {
    for (int attempt = 1; ; attempt++) {
      Scan scan = scan(bundle);
      if (!scan.found().isEmpty() || !scan.startingSeen() || attempt == SCANS) {
        return scan.found().stream().findFirst();
      }
      pause();
    }
  }

  /**
   * @param found the monitors of a bundle, the oldest first: between fork and exec, the child of
   *     one that becomes the runtime looks the same
   * @param startingSeen some process had no command line yet, as for a moment within execve(2)
   */
  private record Scan(List<ProcessId> found, boolean startingSeen) {}

  private static Scan scan(Bundle bundle) throws IOException {
    List<ProcessId> found = new ArrayList<>();
    boolean startingSeen = false;
    try (Stream<Path> entries = Files.list(PROC)) {
      for (Path entry : (Iterable<Path>) entries::iterator) {
        String name = entry.getFileName().toString();
        if (!Character.isDigit(name.charAt(0))) {
          continue;
        }
        int pid = Integer.parseInt(name);
        if (isMonitor(pid, bundle)) {
          ProcessId.of(pid).filter(ProcessId::isAlive).ifPresent(found::add);
        } else if (arguments(pid).equals(NO_ARGUMENTS) && Files.exists(entry.resolve("exe"))) {
          startingSeen = true; // kernel threads and zombies have no program
        }
      }
    }
    found.sort(Comparator.comparingLong(ProcessId::startTime).thenComparingInt(ProcessId::pid));
    return new Scan(found, startingSeen);
  }

  /** Waits until no process has this path among its arguments, {@code timeout} at most. */
  static void awaitEndOf(Path argument, Duration timeout) throws IOException {
    long deadline = System.nanoTime() + timeout.toNanos();
    while (isArgument(argument.toString()) && System.nanoTime() - deadline < 0) {
      pause();
    }
  }

  private static boolean isArgument(String text) throws IOException {
    try (Stream<Path> entries = Files.list(PROC)) {
      return entries
          .map(entry -> entry.getFileName().toString())
          .filter(name -> Character.isDigit(name.charAt(0)))
          .anyMatch(name -> arguments(Integer.parseInt(name)).contains(text));
    }
  }

  private static boolean isMonitor(int pid, Bundle bundle) {
    List<String> arguments = arguments(pid);
    int flag = arguments.indexOf("-b");
    return arguments.contains("--exit-dir")
        && flag > 0
        && flag + 1 < arguments.size()
        && arguments.get(flag + 1).equals(bundle.folder().toString());
  }

  /**
   * Waits until a conmon has done with creating its container.
   *
   * @return empty if it could not and has ended, or if the container has ended already
   * @throws SyncPipe.NoAnswerException after {@code timeout}
   */
  static Optional<Launched> settle(ProcessId monitor, Bundle bundle, Duration timeout)
      throws IOException {
    long deadline = System.nanoTime() + timeout.toNanos();
    while (monitor.isAlive()) {
      OptionalInt init = Bundle.readPid(bundle.initPid());
      if (init.isPresent() && !isCreating(monitor, init.getAsInt(), bundle)) {
        return ProcessId.of(init.getAsInt())
            .filter(ProcessId::isAlive)
            .map(process -> new Launched(process, monitor));
      }
      if (System.nanoTime() - deadline >= 0) {
        throw new SyncPipe.NoAnswerException(timeout);
      }
      pause();
    }
    return Optional.empty();
  }

  /**
   * The runtime's create still runs below conmon: a child other than init that has the bundle as
   * argument.
   */
  private static boolean isCreating(ProcessId monitor, int init, Bundle bundle) throws IOException {
    for (int child : children(monitor.pid())) {
      if (child != init && arguments(child).contains(bundle.folder().toString())) {
        return true;
      }
    }
    return false;
  }

  private static List<Integer> children(int pid) throws IOException {
    Path tasks = PROC.resolve(Integer.toString(pid)).resolve("task");
    try (Stream<Path> entries = Files.list(tasks)) {
      return entries
          .flatMap(task -> Stream.of(read(task.resolve("children")).split(" ", -1)))
          .filter(text -> !text.isBlank())
          .map(Integer::parseInt)
          .toList();
    } catch (NoSuchFileException e) {
      return List.of();
    }
  }

  private static List<String> arguments(int pid) {
    return List.of(read(PROC.resolve(Integer.toString(pid)).resolve("cmdline")).split("\0", -1));
  }

  private static String read(Path file) {
    try {
      return new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
    } catch (IOException gone) {
      return ""; // the process has ended
    }
  }

  static void pause() throws InterruptedIOException {
    try {
      Thread.sleep(PAUSE);
    } catch (InterruptedException e) {
      throw Threads.interrupted("interrupted while waiting for a container", e);
    }
  }
}
