package io.keelson.sandbox.launch;

import io.keelson.linux.ProcessId;
import io.keelson.linux.ProcessWatcher;
import io.keelson.linux.Spawned;
import io.keelson.linux.UnixSocket;
import io.keelson.sandbox.error.KeelsonException;
import io.keelson.sandbox.error.OperationFailedException;
import io.keelson.sandbox.port.LaunchRequest;
import io.keelson.sandbox.port.Launcher.Launched;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Has a monitor create a container, or restore one from a checkpoint. Safe for use by many threads,
 * for different containers.
 */
final class ContainerCreation {

  private final Conmon conmon;
  private final ProcessWatcher watcher;
  private final Duration timeout;

  /**
   * @param timeout for the monitor's answer
   */
  ContainerCreation(Conmon conmon, ProcessWatcher watcher, Duration timeout) {
    this.conmon = conmon;
    this.watcher = watcher;
    this.timeout = timeout;
  }

  /**
   * Leaves what it has made when it fails.
   *
   * @param program the runtime
   * @throws OperationFailedException with what the monitor or the runtime said
   */
  Launched create(LaunchRequest request, Path program) throws IOException {
    Bundle bundle = new Bundle(request.bundle());
    Files.deleteIfExists(bundle.initPid());
    Files.deleteIfExists(bundle.monitorPid());
    Files.deleteIfExists(bundle.shortOfMemory());
    Files.deleteIfExists(request.exitFile());
    if (request.logFile().isPresent()) {
      LogReopener.prepare(request.logFile().get());
    }
    if (request.restoreFrom().isPresent()) {
      Files.createDirectories(bundle.restoring());
    }
    try (Conmon.Starting starting = conmon.start(request, program)) {
      ProcessId monitor = starting.process().processId();
      reapAtItsEnd(starting.process(), monitor);
      Files.writeString(
          bundle.monitorPid(), Integer.toString(monitor.pid()), StandardCharsets.US_ASCII);
      Launched launched = new Launched(answer(request, starting), monitor);
      if (Conmon.givesEmptyInput(request)) {
        UnixSocket.connectPackets(bundle.attach()).close(); // the first to attach ends the input
      }
      return launched;
    } catch (OperationFailedException e) {
      throw Checkpoints.explained(
          "container " + request.containerId() + " can't be restored",
          e,
          bundle.restoring().resolve("restore.log"));
    }
  }

  private ProcessId answer(LaunchRequest request, Conmon.Starting starting) throws IOException {
    Optional<SyncPipe.Answer> answer;
    try {
      answer = starting.answer().await(timeout);
    } catch (SyncPipe.NoAnswerException e) {
      throw failed(request, "the runtime gave " + e.getMessage(), e);
    }
    if (answer.isEmpty()) {
      String complaint = starting.complaint();
      throw failed(
          request, complaint.isEmpty() ? "conmon ended without an answer" : complaint, null);
    }
    if (answer.get().pid() <= 0) {
      String message = answer.get().message();
      throw failed(
          request, message.isEmpty() ? "the runtime failed without a word" : message, null);
    }
    return ProcessId.of(answer.get().pid())
        .orElseThrow(() -> failed(request, "its init process ended at once", null));
  }

  private static OperationFailedException failed(
      LaunchRequest request, String why, @Nullable Throwable cause) {
    return new OperationFailedException(
        "container %s can't be created by %s: %s"
            .formatted(request.containerId(), request.handler().binary().getFileName(), why),
        cause);
  }

  /** conmon is a child of this daemon, and a dead child stays until it is waited for. */
  private void reapAtItsEnd(Spawned process, ProcessId id) throws IOException {
    watcher.watch(id, process::close);
  }

  /** What the caller is to be told of a creation that failed so. */
  static KeelsonException failure(LaunchRequest request, Exception failure) {
    return failure instanceof KeelsonException known
        ? known
        : failed(request, String.valueOf(failure.getMessage()), failure);
  }
}
