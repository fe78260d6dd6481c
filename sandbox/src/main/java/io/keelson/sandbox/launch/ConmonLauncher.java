package io.keelson.sandbox.launch;

import io.keelson.linux.AtomicFile;
import io.keelson.linux.FdPoller;
import io.keelson.linux.ProcessId;
import io.keelson.linux.ProcessWatcher;
import io.keelson.linux.cgroup.Cgroups;
import io.keelson.sandbox.error.NotFoundException;
import io.keelson.sandbox.port.ExecSession;
import io.keelson.sandbox.port.LaunchRequest;
import io.keelson.sandbox.port.Launcher;
import io.keelson.sandbox.port.ProcessStreams;
import io.keelson.sandbox.port.RuntimeHandler;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
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
  private final ProcessWatcher watcher;
  private final FdPoller poller;
  private final ContainerCreation creation;
  private final ContainerDeletion deletion;
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
    this.watcher = watcher;
    this.poller = poller;
    this.creation = new ContainerCreation(new Conmon(settings), watcher, settings.timeout());
    this.deletion = new ContainerDeletion(cgroups, settings.timeout());
    this.execGroups = ExecGroups.of(cgroups);
    this.execs = new ExecRunner(settings.conmon(), execGroups);
    this.logs = new LogReopener(settings.timeout());
    this.checkpoints = new Checkpoints(new Criu(settings.criu(), settings.timeout()));
  }

  @Override
  public Launched create(LaunchRequest request) throws IOException {
    try {
      return creation.create(request, programs.of(request.handler().binary()));
    } catch (IOException | RuntimeException e) {
      undo(request, e);
      throw ContainerCreation.failure(request, e);
    }
  }

  /** Deletes what a failed create has left. */
  private void undo(LaunchRequest request, Exception failure) {
    try {
      delete(request);
      Files.deleteIfExists(request.exitFile());
    } catch (IOException | RuntimeException e) {
      failure.addSuppressed(e);
    }
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
    deletion.delete(request, runtime(request.handler()));
    groups.remove(request.containerId());
    logs.forget(request.containerId());
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
