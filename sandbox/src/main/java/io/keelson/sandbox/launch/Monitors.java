package io.keelson.sandbox.launch;

import io.keelson.linux.ProcessId;
import io.keelson.sandbox.port.Launcher.Launched;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
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

  private Monitors() {}

  /**
   * The running conmon of this bundle. All processes are looked at only if there is no note of it.
   */
  static Optional<ProcessId> find(Bundle bundle) throws IOException {
    OptionalInt noted = Bundle.readPid(bundle.monitorPid());
    if (noted.isEmpty()) {
      // Between fork and exec, the child of one that becomes the runtime looks the same.
      return CommandLines.search(arguments -> isMonitor(arguments, bundle)).stream().findFirst();
    }
    return ProcessId.of(noted.getAsInt())
        .filter(process -> process.isAlive() && isMonitor(CommandLines.of(process.pid()), bundle));
  }

  private static boolean isMonitor(List<String> arguments, Bundle bundle) {
    int flag = arguments.indexOf("-b");
    return arguments.contains("--exit-dir")
        && flag > 0
        && flag + 1 < arguments.size()
        && arguments.get(flag + 1).equals(bundle.folder().toString());
  }

  /** Waits until no process has this path among its arguments, {@code timeout} at most. */
  static void awaitEndOf(Path argument, Duration timeout) throws IOException {
    long deadline = System.nanoTime() + timeout.toNanos();
    while (CommandLines.isArgument(argument.toString()) && System.nanoTime() - deadline < 0) {
      CommandLines.pause();
    }
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
      CommandLines.pause();
    }
    return Optional.empty();
  }

  /**
   * The runtime's create still runs below conmon: a child other than init that has the bundle as
   * argument.
   */
  private static boolean isCreating(ProcessId monitor, int init, Bundle bundle) throws IOException {
    for (int child : children(monitor.pid())) {
      if (child != init && CommandLines.of(child).contains(bundle.folder().toString())) {
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

  private static String read(Path file) {
    try {
      return new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
    } catch (IOException gone) {
      return ""; // the process has ended
    }
  }
}
