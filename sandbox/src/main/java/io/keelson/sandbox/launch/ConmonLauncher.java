package io.keelson.sandbox.launch;

import io.keelson.linux.AtomicFile;
import io.keelson.linux.FdPoller;
import io.keelson.linux.Pidfd;
import io.keelson.linux.ProcessId;
import io.keelson.linux.ProcessWatcher;
import io.keelson.linux.Signals;
import io.keelson.linux.Spawned;
import io.keelson.linux.UnixSocket;
import io.keelson.linux.cgroup.Cgroups;
import io.keelson.sandbox.error.KeelsonException;
import io.keelson.sandbox.error.NotFoundException;
import io.keelson.sandbox.error.OperationFailedException;
import io.keelson.sandbox.port.ExecSession;
import io.keelson.sandbox.port.LaunchRequest;
import io.keelson.sandbox.port.Launcher;
import io.keelson.sandbox.port.ProcessStreams;
import io.keelson.sandbox.port.RuntimeHandler;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The launcher over conmon and an OCI runtime (crun, runc, or another with their command line).
 *
 * <p>With the systemd driver on cgroup v2 a spec should carry the annotation {@code
 * run.oci.systemd.subgroup=""}: else crun puts the container into a group below its scope, where
 * its limits are, but not where {@code linux.cgroupsPath} says.
 */
public final class ConmonLauncher implements Launcher, AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(ConmonLauncher.class);

  private final LauncherSettings settings;
  private final Cgroups cgroups;
  private final ProcessWatcher watcher;
  private final FdPoller poller;
  private final Conmon conmon;
  private final RuntimePrograms programs = new RuntimePrograms();
  private final ExecGroups execGroups;
  private final ExecRunner execs;
  private final LogReopener logs;
  private final Checkpoints checkpoints;
  private final Map<String, String> groups = new ConcurrentHashMap<>();

  /**
   * @throws IOException if the host can't tell the processes of commands apart
   */
  public ConmonLauncher(
      LauncherSettings settings, Cgroups cgroups, ProcessWatcher watcher, FdPoller poller)
      throws IOException {
    this.settings = settings;
    this.cgroups = cgroups;
    this.watcher = watcher;
    this.poller = poller;
    this.conmon = new Conmon(settings);
    this.execGroups = ExecGroups.of(cgroups);
    this.execs = new ExecRunner(settings.conmon(), execGroups);
    this.logs = new LogReopener(settings.timeout());
    this.checkpoints = new Checkpoints(new Criu(settings.criu(), settings.timeout()));
  }

  @Override
  public Launched create(LaunchRequest request) throws IOException {
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
    try (Conmon.Starting starting =
        conmon.start(request, programs.of(request.handler().binary()))) {
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
      throw undone(
          request,
          Checkpoints.explained(
              "container " + request.containerId() + " can't be restored",
              e,
              bundle.restoring().resolve("restore.log")));
    } catch (IOException | RuntimeException e) {
      throw undone(request, e);
    }
  }

  private ProcessId answer(LaunchRequest request, Conmon.Starting starting) throws IOException {
    Optional<SyncPipe.Answer> answer;
    try {
      answer = starting.answer().await(settings.timeout());
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

  /** Deletes what a failed create has left, and answers what the caller is to be told. */
  private KeelsonException undone(LaunchRequest request, Exception failure) {
    try {
      delete(request);
      Files.deleteIfExists(request.exitFile());
    } catch (IOException | RuntimeException e) {
      failure.addSuppressed(e);
    }
    return failure instanceof KeelsonException known
        ? known
        : failed(request, String.valueOf(failure.getMessage()), failure);
  }

  /** conmon is a child of this daemon, and a dead child stays until it is waited for. */
  private void reapAtItsEnd(Spawned process, ProcessId id) throws IOException {
    watcher.watch(id, process::close);
  }

  @Override
  public void start(String containerId, RuntimeHandler handler) throws IOException {
    runtime(handler).start(containerId, settings.bundle(containerId));
  }

  @Override
  public Optional<Launched> find(LaunchRequest request) throws IOException {
    Bundle bundle = new Bundle(request.bundle());
    Optional<ProcessId> monitor = Monitors.find(bundle);
    if (monitor.isEmpty()) {
      return Optional.empty();
    }
    try {
      return Monitors.settle(monitor.get(), bundle, settings.timeout());
    } catch (SyncPipe.NoAnswerException e) {
      LOG.atWarn()
          .addKeyValue("container", request.containerId())
          .log("a launch that the last daemon began does not come to an end: {}", e.getMessage());
      delete(request);
      return Optional.empty();
    }
  }

  @Override
  public boolean isStarted(String containerId, RuntimeHandler handler) throws IOException {
    OciRuntime runtime = runtime(handler);
    return switch (runtime.status(containerId).orElse("")) {
      case "running", "paused" -> true;
      case "stopped" -> !runtime.isWaitingToStart(containerId);
      default -> false;
    };
  }

  @Override
  public boolean wasShortOfMemory(LaunchRequest request) {
    return Files.exists(new Bundle(request.bundle()).shortOfMemory());
  }

  @Override
  public void delete(LaunchRequest request) throws IOException {
    String id = request.containerId();
    Bundle bundle = new Bundle(request.bundle());
    Bundle.Spec spec = bundle.spec();
    Optional<String> group = spec.cgroup();
    OciRuntime runtime = runtime(request.handler());
    Optional<ProcessId> monitor = Monitors.find(bundle);
    if (monitor.isPresent() && Bundle.readPid(bundle.initPid()).isEmpty()) {
      kill(monitor.get()); // its runtime dies with it
    }
    boolean dead = false;
    if (group.isPresent()) {
      dead = cgroups.killAll(group.get(), settings.timeout());
      if (!dead) {
        LOG.atWarn()
            .addKeyValue("container", id)
            .addKeyValue("processes", cgroups.processes(group.get()))
            .log("processes of a container don't end though they were killed");
      }
    }
    try {
      runtime.delete(id, spec, dead);
    } catch (IOException | KeelsonException e) {
      LOG.atWarn()
          .addKeyValue("container", id)
          .log("clearing away what the runtime can't delete: {}", e.getMessage());
    }
    runtime.forget(id);
    if (group.isPresent()) {
      cgroups.remove(group.get(), settings.timeout());
    }
    if (monitor.isPresent()) {
      end(monitor.get());
    }
    groups.remove(id);
    logs.forget(id);
  }

  /** conmon ends by itself when its container has; one that does not is stuck. */
  private void end(ProcessId monitor) throws IOException {
    Optional<Pidfd> pidfd = Pidfd.open(monitor);
    if (pidfd.isPresent()) {
      try (Pidfd open = pidfd.get()) {
        if (!open.await(settings.timeout())) {
          open.signal(Signals.SIGKILL);
          open.await(settings.timeout());
        }
      }
    }
  }

  private void kill(ProcessId process) throws IOException {
    Optional<Pidfd> pidfd = Pidfd.open(process);
    if (pidfd.isPresent()) {
      try (Pidfd open = pidfd.get()) {
        open.signal(Signals.SIGKILL);
        open.await(settings.timeout());
      }
    }
  }

  @Override
  public ExecResult exec(
      String containerId, RuntimeHandler handler, byte[] process, Duration timeout)
      throws IOException {
    Bundle bundle = settings.bundle(containerId);
    return execs.run(
        new ExecRunner.Request(
            containerId, runtime(handler), bundle, group(containerId, bundle), process, timeout));
  }

  @Override
  public ExecSession openExec(
      String containerId, RuntimeHandler handler, byte[] process, ExecSession.Wanted wanted)
      throws IOException {
    ExecFiles files = new ExecFiles(settings.bundle(containerId).folder(), execs.newName());
    AtomicFile.write(files.process(), process, false);
    return new RuntimeExec.Start(
            containerId, runtime(handler), settings.conmon(), files, poller, watcher)
        .run(wanted);
  }

  @Override
  public ProcessStreams attach(LaunchRequest request) throws IOException {
    return ConmonAttachment.open(request, poller, ConmonAttachment.MAX_STALL);
  }

  private String group(String containerId, Bundle bundle) throws IOException {
    String known = groups.get(containerId);
    if (known != null) {
      return known;
    }
    String group =
        bundle
            .spec()
            .cgroup()
            .orElseThrow(
                () ->
                    new NotFoundException(
                        "container " + containerId + " has no bundle in " + settings.bundles()));
    groups.put(containerId, group);
    return group;
  }

  @Override
  public void reopenLog(LaunchRequest request) throws IOException {
    Optional<Path> log = request.logFile();
    if (log.isPresent()) {
      logs.reopen(request, log.get());
    }
  }

  @Override
  public void update(String containerId, RuntimeHandler handler, byte[] resources)
      throws IOException {
    runtime(handler).update(containerId, resources);
  }

  @Override
  public Optional<String> missingForCheckpoints(RuntimeHandler handler) throws IOException {
    return checkpoints.missing(handler, runtime(handler));
  }

  @Override
  public void pause(String containerId, RuntimeHandler handler) throws IOException {
    runtime(handler).pause(containerId);
  }

  @Override
  public void resume(String containerId, RuntimeHandler handler) throws IOException {
    runtime(handler).resume(containerId);
  }

  @Override
  public void checkpoint(
      String containerId, RuntimeHandler handler, Path images, Path logFolder, Duration timeout)
      throws IOException {
    checkpoints.take(containerId, runtime(handler), images, logFolder, timeout);
  }

  @Override
  public void awaitCheckpoint(Path images) throws IOException {
    Monitors.awaitEndOf(images, settings.timeout());
  }

  private OciRuntime runtime(RuntimeHandler handler) {
    return new OciRuntime(handler, programs.of(handler.binary()), settings.timeout());
  }

  /** Containers and their monitors go on. */
  @Override
  public void close() {
    execGroups.close();
    programs.close();
  }
}
