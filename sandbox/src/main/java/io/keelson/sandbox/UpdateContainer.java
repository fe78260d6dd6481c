package io.keelson.sandbox;

import io.keelson.linux.AtomicFile;
import io.keelson.proto.cri.v1.LinuxContainerResources;
import io.keelson.proto.record.v1.ContainerPhase;
import io.keelson.proto.record.v1.ContainerRecord;
import io.keelson.sandbox.RecordStore.Durability;
import io.keelson.sandbox.error.FailedPreconditionException;
import io.keelson.sandbox.error.UnavailableException;
import io.keelson.sandbox.port.ContainerContext;
import io.keelson.sandbox.port.Isolator;
import io.keelson.sandbox.port.RuntimeHandler;
import io.keelson.sandbox.spec.SpecBuilder;
import io.keelson.sandbox.spec.SpecResources;
import io.keelson.sandbox.spec.StoredSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * UpdateContainerResources: what the request names replaces what was in force; a running
 * container's cgroup changes at once, a created one's spec is written anew.
 */
final class UpdateContainer {

  private final Core core;
  private final Contexts contexts;

  UpdateContainer(Core core, Contexts contexts) {
    this.core = core;
    this.contexts = contexts;
  }

  /** As a caller asks: the isolators may ask for something else in its place. */
  void update(String idOrPrefix, LinuxContainerResources change) throws IOException {
    ContainerEntry container = core.containers().get(idOrPrefix);
    container.updates().lock();
    try {
      requireUpdatable(container);
      ContainerContext context = contexts.of(container);
      SpecBuilder spec = new SpecBuilder();
      LinuxContainerResources revised = change;
      for (Isolator isolator : core.isolators()) {
        revised = isolator.revise(context, revised, spec);
      }
      container.lock().lock();
      try {
        apply(container, context, revised, spec);
      } finally {
        container.lock().unlock();
      }
      Notices.tell(core.isolators(), isolator -> isolator.updated(context));
    } finally {
      container.updates().unlock();
    }
  }

  /**
   * As an adapter decided, asking nobody.
   *
   * @param more sets limits that CRI has no word for
   * @param patience how long to wait for another change of this container
   */
  void adjust(
      String id, LinuxContainerResources change, Consumer<SpecResources> more, Duration patience)
      throws IOException {
    ContainerEntry container = core.containers().get(id);
    if (!locked(container, patience)) {
      throw new UnavailableException(
          "container %s is busy with another change".formatted(container.id()));
    }
    try {
      SpecBuilder spec = new SpecBuilder();
      more.accept(spec.limits());
      apply(container, contexts.of(container), change, spec);
    } finally {
      container.lock().unlock();
    }
  }

  private static boolean locked(ContainerEntry container, Duration patience) {
    try {
      return container.lock().tryLock(patience.toNanos(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  private static void requireUpdatable(ContainerEntry container) {
    ContainerPhase phase = container.phase();
    if (phase != ContainerPhase.CONTAINER_PHASE_RUNNING
        && phase != ContainerPhase.CONTAINER_PHASE_CREATED) {
      throw new FailedPreconditionException(
          "container %s is %s; only a created or running one can be updated"
              .formatted(container.id(), container.phaseText()));
    }
  }

  private void apply(
      ContainerEntry container,
      ContainerContext context,
      LinuxContainerResources change,
      SpecBuilder spec)
      throws IOException {
    requireUpdatable(container);
    LinuxContainerResources merged = Resources.merge(container.resources(), change);
    for (Isolator isolator : core.isolators()) {
      isolator.update(context, merged, spec);
    }
    if (container.phase() == ContainerPhase.CONTAINER_PHASE_RUNNING) {
      RuntimeHandler handler = contexts.launchRequest(container).handler();
      core.launcher().update(container.id(), handler, spec.resources());
    } else {
      Path file = context.bundle().resolve(CreateContainer.SPEC_FILE);
      StoredSpec stored = new StoredSpec(Files.readAllBytes(file));
      AtomicFile.write(file, stored.withResources(spec.resources()), false);
    }
    ContainerRecord next = container.record().toBuilder().setResources(merged).build();
    core.save(container, next, Durability.POWER);
  }
}
