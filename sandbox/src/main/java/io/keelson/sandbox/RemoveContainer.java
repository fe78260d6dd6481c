package io.keelson.sandbox;

import io.keelson.proto.cri.v1.ContainerEventType;
import io.keelson.proto.record.v1.ContainerPhase;
import io.keelson.proto.record.v1.ContainerRecord;
import io.keelson.sandbox.RecordStore.Durability;
import io.keelson.sandbox.error.KeelsonException;
import io.keelson.sandbox.port.ContainerContext;
import io.keelson.sandbox.port.Isolator;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * RemoveContainer: kills what runs, and deletes all but the log. Each step is harmless when done
 * twice.
 */
final class RemoveContainer {

  private static final Logger LOG = LoggerFactory.getLogger(RemoveContainer.class);

  private final Core core;
  private final Contexts contexts;
  private final StopContainer stopContainer;
  private final ExitRecorder exits;

  RemoveContainer(Core core, Contexts contexts, StopContainer stopContainer, ExitRecorder exits) {
    this.core = core;
    this.contexts = contexts;
    this.stopContainer = stopContainer;
    this.exits = exits;
  }

  /** Harmless for an unknown container. */
  void remove(String idOrPrefix) throws IOException {
    Optional<ContainerEntry> container = core.containers().find(idOrPrefix);
    if (container.isPresent()) {
      remove(container.get());
    }
  }

  void remove(ContainerEntry container) throws IOException {
    stopContainer.stop(container, Duration.ZERO);
    container.lock().lock();
    try {
      removeLocked(container);
    } finally {
      container.lock().unlock();
    }
  }

  private void removeLocked(ContainerEntry container) throws IOException {
    if (container.removed()) {
      return;
    }
    markRemoving(container);
    core.reached("RemoveContainer:recorded");
    exits.forget(container);
    if (container.launched()) {
      core.launcher().delete(contexts.launchRequest(container));
      container.launched(false);
    }
    cleanupIsolators(container);
    core.provisioner().release(container.id());
    core.reached("RemoveContainer:released");
    FileTrees.delete(core.settings().bundle(container.id()));
    if (container.record().getRestored()) {
      FileTrees.delete(core.settings().restore(container.id()));
    }
    Files.deleteIfExists(core.settings().exitFile(container.id()));
    core.containerRecords().delete(container.id());
    core.containers().remove(container);
    container.setRemoved();
    core.events().container(container.record(), ContainerEventType.CONTAINER_DELETED_EVENT);
    LOG.atInfo()
        .addKeyValue("pod", container.record().getSandboxId())
        .addKeyValue("container", container.id())
        .log("container is removed");
  }

  /** A removal needs no free disk: if its mark can't be written, the removal goes on without. */
  private void markRemoving(ContainerEntry container) throws IOException {
    ContainerRecord removing =
        container.record().toBuilder().setPhase(ContainerPhase.CONTAINER_PHASE_REMOVING).build();
    try {
      core.save(container, removing, Durability.DAEMON);
    } catch (IOException | KeelsonException e) {
      if (!DiskFull.isCause(e)) {
        throw e;
      }
      container.record(removing);
    }
  }

  private void cleanupIsolators(ContainerEntry container) throws IOException {
    ContainerContext context = contexts.of(container);
    IOException first = null;
    for (Isolator isolator : core.isolators().reversed()) {
      try {
        isolator.cleanup(context);
      } catch (IOException e) {
        if (first == null) {
          first = e;
        } else {
          first.addSuppressed(e);
        }
      }
    }
    if (first != null) {
      throw first;
    }
  }
}
