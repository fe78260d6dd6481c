package io.keelson.runtime.cli;

import io.grpc.StatusRuntimeException;
import io.keelson.runtime.cli.log.LogFile;
import io.keelson.runtime.cli.log.LogFollower;
import io.keelson.runtime.cli.log.LogPrinter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * A container that someone watches: its output is shown until it has ended, and Ctrl-C ends it as
 * it would in a terminal.
 */
final class Foreground {

  private static final long STOP_SECONDS = 10;

  private final CriClient daemon;
  private final Terminal terminal;
  private final String containerId;

  Foreground(CriClient daemon, Terminal terminal, String containerId) {
    this.daemon = daemon;
    this.terminal = terminal;
    this.containerId = containerId;
  }

  /** What is to be done when the container has ended, also if Ctrl-C ended it. */
  interface Cleanup {
    void run() throws IOException;
  }

  /** Gives the container's exit code. */
  int attend(Cleanup cleanup) throws IOException, InterruptedException {
    CountDownLatch done = new CountDownLatch(1);
    Thread onSignal = new Thread(() -> end(done), "signal");
    Runtime.getRuntime().addShutdownHook(onSignal);
    try {
      int exitCode = watch();
      cleanup.run();
      return exitCode;
    } finally {
      done.countDown();
      try {
        Runtime.getRuntime().removeShutdownHook(onSignal);
      } catch (IllegalStateException _) { // it is what ends this process
      }
    }
  }

  private int watch() throws IOException, InterruptedException {
    Statuses statuses = new Statuses(daemon);
    try (LogFile file = LogFile.open(Path.of(statuses.of(containerId).getLogPath()))) {
      new LogFollower(file, new LogPrinter(terminal.out(), terminal.err(), false))
          .follow(() -> statuses.isRunning(containerId));
    }
    return statuses.of(containerId).getExitCode();
  }

  /** Stops the container; the thread that watches it sees the end and does the rest. */
  private void end(CountDownLatch done) {
    try {
      StopCommand.stop(daemon, containerId, STOP_SECONDS);
      boolean _ = done.await(STOP_SECONDS, TimeUnit.SECONDS);
    } catch (StatusRuntimeException e) {
      terminal.err().println("keelson: stopping the container failed: " + e.getMessage());
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }
}
