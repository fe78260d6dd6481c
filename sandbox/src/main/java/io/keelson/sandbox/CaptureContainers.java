package io.keelson.sandbox;

import io.keelson.proto.record.v1.ContainerPhase;
import io.keelson.proto.record.v1.ContainerRecord;
import io.keelson.sandbox.error.DeadlineExceededException;
import io.keelson.sandbox.error.FailedPreconditionException;
import io.keelson.sandbox.error.OperationFailedException;
import io.keelson.sandbox.error.UnsupportedException;
import io.keelson.sandbox.port.LaunchRequest;
import io.keelson.sandbox.port.RuntimeHandler;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.Lock;

/**
 * Writes running containers to folders: their processes, what they changed in their root file
 * systems, and their logs, all of one moment. They are paused for as long as that takes, all of
 * them together, and run on when it returns, whatever comes of it.
 */
final class CaptureContainers {

  /** Callers know a node without checkpoints by these words, whatever its runtime. */
  private static final String REFUSAL = "checkpoint/restore support not available: ";

  private final Core core;
  private final Contexts contexts;

  CaptureContainers(Core core, Contexts contexts) {
    this.core = core;
    this.contexts = contexts;
  }

  /**
   * Refuses what can't be done at all.
   *
   * @throws UnsupportedException if the runtime or the host can't
   */
  void requireSupport(RuntimeHandler handler) throws IOException {
    Optional<String> missing = core.launcher().missingForCheckpoints(handler);
    if (missing.isPresent()) {
      throw new UnsupportedException(REFUSAL + missing.get());
    }
  }

  /** Refuses a pod whose containers can't be made again elsewhere. */
  void requireSupport(PodEntry pod) throws IOException {
    requireSupport(core.settings().handler(pod.record().getRuntimeHandler()));
    if (pod.context(core.settings()).userNamespace().isPresent()) {
      throw new UnsupportedException(REFUSAL + "pod sandbox " + pod.id() + " has a user namespace");
    }
  }

  /**
   * Writes each container into a folder of its id.
   *
   * @param limit how long it may take
   * @throws FailedPreconditionException if one of them does not run
   */
  void run(PodEntry pod, List<ContainerEntry> containers, CheckpointWork work, Duration limit)
      throws IOException {
    long deadline = System.nanoTime() + limit.toNanos();
    List<ContainerEntry> inOrder = new ArrayList<>(containers);
    // All who lock several do so in this order.
    inOrder.sort(Comparator.comparing(ContainerEntry::id));
    Lock podLock = pod.lock().readLock();
    podLock.lock();
    inOrder.forEach(container -> container.lock().lock());
    Undo running = new Undo();
    try {
      for (ContainerEntry container : inOrder) {
        requireRunning(container);
        LaunchRequest launch = contexts.launchRequest(container);
        running.push("pause", () -> core.launcher().resume(container.id(), launch.handler()));
        core.launcher().pause(container.id(), launch.handler());
      }
      core.reached("Checkpoint:paused");
      for (ContainerEntry container : inOrder) {
        CheckpointFiles files = new CheckpointFiles(work.folder(container.id()));
        processes(container, files, left(deadline));
        core.reached("Checkpoint:dumped");
        rootFileSystem(container, files);
        describe(pod, container, files);
      }
    } finally {
      running.close();
      inOrder.forEach(container -> container.lock().unlock());
      podLock.unlock();
    }
    if (!running.complete()) {
      throw new OperationFailedException("not all containers could be let run on");
    }
  }

  static void requireRunning(ContainerEntry container) {
    if (container.phase() != ContainerPhase.CONTAINER_PHASE_RUNNING) {
      throw new FailedPreconditionException(
          "a checkpoint needs a running container; %s is %s"
              .formatted(container.id(), container.phaseText()));
    }
  }

  private static Duration left(long deadline) {
    long left = deadline - System.nanoTime();
    if (left <= 0) {
      throw new DeadlineExceededException("there was no time left for the checkpoint");
    }
    return Duration.ofNanos(left);
  }

  private void processes(ContainerEntry container, CheckpointFiles files, Duration limit)
      throws IOException {
    RuntimeHandler handler = contexts.launchRequest(container).handler();
    core.launcher().checkpoint(container.id(), handler, files.images(), files.folder(), limit);
  }

  private void rootFileSystem(ContainerEntry container, CheckpointFiles files) throws IOException {
    try (OutputStream tar = new BufferedOutputStream(Files.newOutputStream(files.changes()))) {
      files.writeDeleted(core.provisioner().writeChanges(container.id(), tar));
    }
  }

  private void describe(PodEntry pod, ContainerEntry container, CheckpointFiles files)
      throws IOException {
    ContainerRecord record = container.record();
    Instant created = instant(record.getCreatedAt());
    files.writeOrigin(
        new CheckpointFiles.Origin(
            container.id(),
            record.getConfig().getMetadata().getName(),
            record.getImageId(),
            record.getImageName(),
            record.getConfig().getImage().getImage(),
            core.settings().handler(record.getRuntimeHandler()).name()),
        created,
        Instant.now());
    files.writeSpec(
        Files.readAllBytes(
            core.settings().bundle(container.id()).resolve(CreateContainer.SPEC_FILE)),
        record.getConfig().getMetadata().getName(),
        record.getConfig().getMetadata().getAttempt(),
        created,
        pod.record().getAddressesList());
    Optional<Path> log = ContainerLog.path(pod.config(), record.getConfig());
    if (log.isPresent() && Files.isRegularFile(log.get())) {
      Files.copy(log.get(), files.log());
    }
  }

  private static Instant instant(long nanoseconds) {
    return Instant.ofEpochSecond(0, nanoseconds);
  }
}
