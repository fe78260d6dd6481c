package io.keelson.sandbox.launch;

import io.keelson.linux.CommandTimeoutException;
import io.keelson.linux.Commands;
import io.keelson.linux.Commands.Output;
import io.keelson.linux.Threads;
import io.keelson.sandbox.error.DeadlineExceededException;
import io.keelson.sandbox.error.OperationFailedException;
import io.keelson.sandbox.launch.ExecGroups.ExecGroup;
import io.keelson.sandbox.port.Launcher.ExecResult;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs commands in containers by the runtime's exec, without a shell. Safe for use by many threads.
 */
final class ExecRunner {

  private static final Logger LOG = LoggerFactory.getLogger(ExecRunner.class);

  private static final int MAX_OUTPUT = 16 * 1024 * 1024;
  private static final Duration FOR_EVER = Duration.ofDays(3650);
  private static final Duration KILL_PATIENCE = Duration.ofSeconds(5);
  private static final Duration KILL_PAUSE = Duration.ofMillis(10);

  private final Path conmon;
  private final ExecGroups groups;
  private final AtomicLong numbers = new AtomicLong(System.nanoTime());

  ExecRunner(Path conmon, ExecGroups groups) {
    this.conmon = conmon;
    this.groups = groups;
  }

  /**
   * A command in a container.
   *
   * @param group the container's control group
   * @param process the process object as JSON
   * @param timeout zero for none
   */
  record Request(
      String containerId,
      OciRuntime runtime,
      Bundle bundle,
      String group,
      byte[] process,
      Duration timeout) {}

  ExecResult run(Request request) throws IOException {
    ExecFiles files = new ExecFiles(request.bundle().folder(), newName());
    try (ExecGroup group = groups.make(request.group())) {
      Output output;
      try {
        output = onFreshThread(request, group, () -> spawn(request, group, files));
      } catch (CommandTimeoutException e) {
        kill(request, group, OptionalInt.empty());
        throw new DeadlineExceededException(
            "command in container %s did not end within %s and was killed with all that it started"
                .formatted(request.containerId(), seconds(request.timeout())));
      }
      if (!output.isSuccess()) {
        Optional<OperationFailedException> failure = files.failure(request.containerId());
        if (failure.isPresent()) {
          throw failure.get();
        }
      }
      return new ExecResult(output.exitCode(), output.stdout(), output.stderr());
    } finally {
      files.delete();
    }
  }

  /** For the files of a command, in a container's bundle. */
  String newName() {
    return "exec-" + Long.toHexString(numbers.incrementAndGet());
  }

  private Output spawn(Request request, ExecGroup group, ExecFiles files) throws IOException {
    group.enter();
    return Commands.run(
        request
            .runtime()
            .exec(request.containerId(), conmon, files.log(), files.pid(), group.runtimeOptions()),
        OciRuntime.ENVIRONMENT,
        request.process(),
        request.timeout().isZero() ? FOR_EVER : request.timeout(),
        MAX_OUTPUT,
        // The runtime must outlive what it started: without it nobody in the container could reap
        // it.
        pid -> kill(request, group, OptionalInt.of(pid)));
  }

  private static void kill(Request request, ExecGroup group, OptionalInt spared)
      throws IOException {
    if (!group.killAll(spared, KILL_PATIENCE)) {
      LOG.atWarn()
          .addKeyValue("container", request.containerId())
          .log("a command that took too long was killed but some of it is still there");
    }
  }

  /** The runtime may be about to start the command yet, so killing once need not be enough. */
  private static void killUntilDone(Request request, ExecGroup group, FutureTask<Output> task)
      throws IOException {
    long deadline = System.nanoTime() + KILL_PATIENCE.toNanos();
    while (!task.isDone() && System.nanoTime() - deadline < 0) {
      kill(request, group, OptionalInt.empty());
      try {
        Thread.sleep(KILL_PAUSE);
      } catch (InterruptedException again) {
        LOG.debug("interrupted once more while a command is killed");
      }
    }
  }

  private static String seconds(Duration timeout) {
    return timeout.toMillis() % 1000 == 0 ? timeout.toSeconds() + " s" : timeout.toMillis() + " ms";
  }

  private interface Work {
    Output run() throws IOException;
  }

  /** A thread that enters a group must end with the command, so that the group can go. */
  private static Output onFreshThread(Request request, ExecGroup group, Work work)
      throws IOException {
    FutureTask<Output> task = new FutureTask<>(work::run);
    Thread.ofPlatform().daemon().name("exec").start(task);
    try {
      return task.get();
    } catch (InterruptedException e) {
      killUntilDone(request, group, task);
      throw Threads.interrupted(
          "command in container %s was killed: nobody waits for it any more"
              .formatted(request.containerId()),
          e);
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case IOException cause -> throw cause;
        case RuntimeException cause -> throw cause;
        case Error cause -> throw cause;
        case null, default -> throw new IOException(e);
      }
    }
  }
}
