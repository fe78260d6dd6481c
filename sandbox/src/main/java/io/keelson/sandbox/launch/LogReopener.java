package io.keelson.sandbox.launch;

import io.keelson.linux.Fd;
import io.keelson.linux.ProcessId;
import io.keelson.sandbox.error.FailedPreconditionException;
import io.keelson.sandbox.error.OperationFailedException;
import io.keelson.sandbox.port.LaunchRequest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;

/** Has conmon open its log anew after a rotation. Safe for use by many threads. */
final class LogReopener {

  /** As every log of a container is, whatever conmon makes of it. */
  private static final String MODE = "rw-r-----";

  private final Duration timeout;
  private final Map<String, ReentrantLock> locks = new ConcurrentHashMap<>();

  LogReopener(Duration timeout) {
    this.timeout = timeout;
  }

  /**
   * Returns when conmon writes to a file of the log's name. conmon replaces the file by an empty
   * one whenever it is asked, so it is asked only if it writes to another: a second call, or one
   * without a rotation before it, loses nothing.
   */
  void reopen(LaunchRequest request, Path log) throws IOException {
    ReentrantLock lock = locks.computeIfAbsent(request.containerId(), _ -> new ReentrantLock());
    lock.lock();
    try {
      Bundle bundle = new Bundle(request.bundle());
      ProcessId monitor =
          Monitors.find(bundle).orElseThrow(() -> notRunning(request.containerId()));
      if (writesTo(monitor, log)) {
        return;
      }
      order(bundle, request.containerId());
      long deadline = System.nanoTime() + timeout.toNanos();
      while (!writesTo(monitor, log)) {
        if (!monitor.isAlive()) {
          throw notRunning(request.containerId());
        }
        if (System.nanoTime() - deadline >= 0) {
          throw new OperationFailedException(
              "container %s: conmon (pid %d) did not open %s anew within %d ms"
                  .formatted(request.containerId(), monitor.pid(), log, timeout.toMillis()));
        }
        CommandLines.pause();
      }
      Files.setPosixFilePermissions(log, PosixFilePermissions.fromString(MODE));
    } finally {
      lock.unlock();
    }
  }

  void forget(String containerId) {
    locks.remove(containerId);
  }

  /** Makes the file with its mode before conmon opens it. */
  static void prepare(Path log) throws IOException {
    Path folder = log.toAbsolutePath().getParent();
    if (folder != null) {
      Files.createDirectories(folder);
    }
    Fd.open(log, Fd.O_WRONLY | Fd.O_CREAT | Fd.O_APPEND, 0640).close();
    Files.setPosixFilePermissions(log, PosixFilePermissions.fromString(MODE));
  }

  private static void order(Bundle bundle, String containerId) throws IOException {
    if (!ConmonControl.order(bundle, ConmonControl.REOPEN_LOG)) {
      throw notRunning(containerId);
    }
  }

  private static FailedPreconditionException notRunning(String containerId) {
    return new FailedPreconditionException(
        "container " + containerId + " does not run, so nobody writes to its log");
  }

  private static boolean writesTo(ProcessId process, Path log) throws IOException {
    Object wanted;
    try {
      wanted = identity(log);
    } catch (NoSuchFileException e) {
      return false;
    }
    Path descriptors = Path.of("/proc/" + process.pid() + "/fd");
    try (Stream<Path> entries = Files.list(descriptors)) {
      for (Path entry : (Iterable<Path>) entries::iterator) {
        try {
          if (identity(entry).equals(wanted)) {
            return true;
          }
        } catch (NoSuchFileException e) {
          // Closed meanwhile.
        }
      }
    } catch (NoSuchFileException e) {
      return false; // it has ended
    }
    return false;
  }

  private static Object identity(Path path) throws IOException {
    return Files.readAttributes(path, "unix:dev,ino");
  }
}
