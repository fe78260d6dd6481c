package io.keelson.sandbox;

import io.keelson.proto.record.v1.ContainerPhase;
import io.keelson.proto.record.v1.ContainerRecord;
import io.keelson.sandbox.RecordStore.Durability;
import io.keelson.sandbox.error.FailedPreconditionException;
import io.keelson.sandbox.error.KeelsonException;
import io.keelson.sandbox.error.OperationFailedException;
import io.keelson.sandbox.port.ContainerContext;
import io.keelson.sandbox.port.Isolator;
import io.keelson.sandbox.port.LaunchRequest;
import io.keelson.sandbox.port.Launcher;
import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.locks.Lock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * StartContainer: the launcher creates the process, the isolators have their say, the workload
 * runs, record RUNNING.
 */
final class StartContainer {

  private static final Logger LOG = LoggerFactory.getLogger(StartContainer.class);

  private static final int START_FAILED = 128;

  private final Core core;
  private final Contexts contexts;
  private final ExitRecorder exits;

  StartContainer(Core core, Contexts contexts, ExitRecorder exits) {
    this.core = core;
    this.contexts = contexts;
    this.exits = exits;
  }

  /**
   * Starting a container that runs is harmless, so that a caller who never heard the answer may ask
   * again.
   */
  void start(String idOrPrefix) throws IOException {
    ContainerEntry container = core.containers().get(idOrPrefix);
    PodEntry pod = core.podOf(container);
    Lock podLock = pod.lock().readLock();
    podLock.lock();
    try {
      container.lock().lock();
      try {
        startLocked(pod, container);
      } finally {
        container.lock().unlock();
      }
    } finally {
      podLock.unlock();
    }
    container.setStartAnswered();
  }

  private void startLocked(PodEntry pod, ContainerEntry container) throws IOException {
    switch (container.phase()) {
      case CONTAINER_PHASE_CREATED -> launch(pod, container);
      case CONTAINER_PHASE_RUNNING ->
          LOG.atDebug().addKeyValue("container", container.id()).log("container runs already");
      case CONTAINER_PHASE_EXITED -> {
        if (container.startAnswered() || container.record().getStartedAt() == 0) {
          throw new FailedPreconditionException(
              "container " + container.id() + " has exited; a container is started once");
        }
      }
      case CONTAINER_PHASE_CREATING,
          CONTAINER_PHASE_STARTING,
          CONTAINER_PHASE_REMOVING,
          UNRECOGNIZED ->
          throw new FailedPreconditionException(
              "container " + container.id() + " is " + container.phaseText());
    }
  }

  private void launch(PodEntry pod, ContainerEntry container) throws IOException {
    if (!pod.isReady()) {
      throw new FailedPreconditionException(
          "pod sandbox " + pod.id() + " of container " + container.id() + " is not ready");
    }
    save(
        container,
        container.record().toBuilder().setPhase(ContainerPhase.CONTAINER_PHASE_STARTING));
    core.reached("StartContainer:recorded");
    LaunchRequest request = contexts.launchRequest(container);
    try {
      ContainerContext context = contexts.of(container);
      for (Isolator isolator : core.isolators()) {
        isolator.launching(context);
      }
      core.cgroups().begin(container.record().getCgroup());
      container.launched(true);
      Launcher.Launched launched = core.launcher().create(request);
      core.reached("StartContainer:launched");
      ContainerRecord.Builder running =
          container.record().toBuilder()
              .setPhase(ContainerPhase.CONTAINER_PHASE_RUNNING)
              .setInit(Processes.toRecord(launched.init()))
              .setMonitor(Processes.toRecord(launched.monitor()));
      for (Isolator isolator : core.isolators()) {
        isolator.isolate(context, launched.init());
      }
      running
          .setStartedAt(Core.now())
          .setOomKillsTold(core.cgroups().oomKillsTold(container.record().getCgroup()));
      if (request.restoreFrom().isEmpty()) {
        core.launcher().start(container.id(), request.handler());
      } else {
        PodFiles.setHostname(context.pod());
      }
      core.reached("StartContainer:started");
      core.save(container, running.build(), Durability.POWER_SOON);
      core.reached("StartContainer:running");
      exits.watch(container, Optional.of(launched));
      Notices.tell(core.isolators(), isolator -> isolator.started(context));
    } catch (IOException | RuntimeException e) {
      fail(container, request, e);
    }
    if (request.restoreFrom().isPresent()) {
      FileTrees.delete(core.settings().restore(container.id()));
    }
    LOG.atInfo()
        .addKeyValue("pod", pod.id())
        .addKeyValue("container", container.id())
        .log("container is running");
  }

  private void save(ContainerEntry container, ContainerRecord.Builder next) throws IOException {
    core.save(container, next.build(), Durability.DAEMON);
  }

  /** What could not be started has exited: code 128, with the runtime's words as its message. */
  private void fail(ContainerEntry container, LaunchRequest request, Exception failure)
      throws IOException {
    String message = String.valueOf(failure.getMessage());
    LOG.atWarn()
        .addKeyValue("container", container.id())
        .setCause(failure)
        .log("container can't be started");
    long now = Core.now();
    ContainerRecord exited =
        container.record().toBuilder()
            .setPhase(ContainerPhase.CONTAINER_PHASE_EXITED)
            .setStartedAt(now)
            .setFinishedAt(now)
            .setExitCode(START_FAILED)
            .setReason("StartError")
            .setMessage(message)
            .clearInit()
            .clearMonitor()
            .build();
    container.setStartAnswered();
    try {
      core.launcher().delete(request);
      container.launched(false);
    } catch (IOException | RuntimeException e) {
      failure.addSuppressed(e);
    }
    core.save(container, exited, Durability.POWER);
    exits.tell(container);
    throw failure instanceof KeelsonException known
        ? known
        : new OperationFailedException(
            "container " + container.id() + " can't be started: " + message, failure);
  }
}
