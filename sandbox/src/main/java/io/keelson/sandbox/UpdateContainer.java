package io.keelson.sandbox;

import io.keelson.linux.AtomicFile;
import io.keelson.proto.cri.v1.LinuxContainerResources;
import io.keelson.proto.record.v1.ContainerPhase;
import io.keelson.proto.record.v1.ContainerRecord;
import io.keelson.sandbox.RecordStore.Durability;
import io.keelson.sandbox.error.FailedPreconditionException;
import io.keelson.sandbox.port.ContainerContext;
import io.keelson.sandbox.port.Isolator;
import io.keelson.sandbox.port.RuntimeHandler;
import io.keelson.sandbox.spec.SpecBuilder;
import io.keelson.sandbox.spec.StoredSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

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

  void update(String idOrPrefix, LinuxContainerResources change) throws IOException {
    ContainerEntry container = core.containers().get(idOrPrefix);
    container.lock().lock();
    try {
      ContainerPhase phase = container.phase();
      if (phase != ContainerPhase.CONTAINER_PHASE_RUNNING
          && phase != ContainerPhase.CONTAINER_PHASE_CREATED) {
        throw new FailedPreconditionException(
            "container %s is %s; only a created or running one can be updated"
                .formatted(container.id(), container.phaseText()));
      }
      ContainerContext context = contexts.of(container);
      LinuxContainerResources merged = Resources.merge(container.resources(), change);
      SpecBuilder spec = new SpecBuilder();
      for (Isolator isolator : core.isolators()) {
        isolator.update(context, merged, spec);
      }
      if (phase == ContainerPhase.CONTAINER_PHASE_RUNNING) {
        RuntimeHandler handler = contexts.launchRequest(container).handler();
        core.launcher().update(container.id(), handler, spec.resources());
      } else {
        Path file = context.bundle().resolve(CreateContainer.SPEC_FILE);
        StoredSpec stored = new StoredSpec(Files.readAllBytes(file));
        AtomicFile.write(file, stored.withResources(spec.resources()), false);
      }
      ContainerRecord next = container.record().toBuilder().setResources(merged).build();
      core.save(container, next, Durability.POWER);
    } finally {
      container.lock().unlock();
    }
  }
}
