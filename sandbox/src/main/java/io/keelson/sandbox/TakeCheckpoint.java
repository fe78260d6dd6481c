package io.keelson.sandbox;

import io.keelson.proto.record.v1.ContainerPhase;
import io.keelson.sandbox.error.AlreadyExistsException;
import io.keelson.sandbox.error.FailedPreconditionException;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.port.PlainArchives;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** CheckpointContainer and CheckpointPod: capture, pack, put in place. */
final class TakeCheckpoint {

  private static final Logger LOG = LoggerFactory.getLogger(TakeCheckpoint.class);

  private final Core core;
  private final CaptureContainers capture;
  private final PlainArchives archives;

  TakeCheckpoint(Core core, CaptureContainers capture, PlainArchives archives) {
    this.core = core;
    this.capture = capture;
    this.archives = archives;
  }

  /** Writes a running container to an archive; one that is there already is replaced. */
  void container(String idOrPrefix, Path archive, Duration limit) throws IOException {
    ContainerEntry container = core.containers().get(idOrPrefix);
    PodEntry pod = core.podOf(container);
    Path parent = archive.getParent();
    CaptureContainers.requireRunning(container);
    if (parent == null || !Files.isDirectory(parent) || Files.isDirectory(archive)) {
      throw new InvalidRequestException(
          "there is no folder for the archive %s, or it is itself one".formatted(archive));
    }
    capture.requireSupport(pod);
    try (CheckpointWork work = CheckpointWork.open(core, parent, List.of(), List.of(container))) {
      core.reached("Checkpoint:recorded");
      capture.run(pod, List.of(container), work, limit);
      Path made = work.path("archive.tar");
      archives.pack(work.path(container.id()), made);
      core.reached("Checkpoint:packed");
      CheckpointWork.move(made, archive);
      work.keep();
    }
    LOG.atInfo()
        .addKeyValue("container", container.id())
        .addKeyValue("archive", archive)
        .log("container was written to a checkpoint");
  }

  /**
   * Writes containers of a ready pod to archives in a folder, all of one moment.
   *
   * @param ids empty for all that run
   */
  void pod(String podId, Path folder, List<String> ids, Duration limit) throws IOException {
    PodEntry pod = core.pods().get(podId);
    if (!pod.isReady()) {
      throw new FailedPreconditionException("pod sandbox " + pod.id() + " is not ready");
    }
    List<ContainerEntry> containers = containers(pod, ids);
    capture.requireSupport(pod);
    PodCheckpoint checkpoint = new PodCheckpoint(folder);
    if (checkpoint.exists()) {
      throw new AlreadyExistsException("there is a checkpoint of a pod in " + folder);
    }
    List<String> names = containers.stream().map(TakeCheckpoint::name).toList();
    boolean made = !Files.exists(folder);
    Files.createDirectories(folder);
    try (CheckpointWork work =
        CheckpointWork.open(core, folder, checkpoint.files(names), containers)) {
      core.reached("Checkpoint:recorded");
      capture.run(pod, containers, work, limit);
      for (ContainerEntry container : containers) {
        Path packed = work.path(container.id() + ".tar");
        archives.pack(work.path(container.id()), packed);
        CheckpointWork.move(packed, checkpoint.archive(name(container), names));
      }
      core.reached("Checkpoint:packed");
      checkpoint.write(pod.config(), names);
      work.keep();
    } catch (IOException | RuntimeException e) {
      if (made) {
        FileTrees.delete(folder);
      }
      throw e;
    }
    LOG.atInfo()
        .addKeyValue("pod", pod.id())
        .addKeyValue("containers", names)
        .addKeyValue("folder", folder)
        .log("pod was written to a checkpoint");
  }

  private List<ContainerEntry> containers(PodEntry pod, List<String> ids) {
    List<ContainerEntry> containers = new ArrayList<>();
    if (ids.isEmpty()) {
      core.containers().of(pod.id()).stream()
          .filter(c -> c.phase() == ContainerPhase.CONTAINER_PHASE_RUNNING)
          .forEach(containers::add);
    }
    for (String id : ids) {
      ContainerEntry container = core.containers().get(id);
      if (!container.record().getSandboxId().equals(pod.id())) {
        throw new InvalidRequestException(
            "container %s is not of pod sandbox %s".formatted(container.id(), pod.id()));
      }
      CaptureContainers.requireRunning(container);
      if (!containers.contains(container)) {
        containers.add(container);
      }
    }
    if (containers.stream().map(TakeCheckpoint::name).distinct().count() < containers.size()) {
      throw new InvalidRequestException("containers of one name can't be told apart later");
    }
    return containers;
  }

  private static String name(ContainerEntry container) {
    return container.config().getMetadata().getName();
  }
}
