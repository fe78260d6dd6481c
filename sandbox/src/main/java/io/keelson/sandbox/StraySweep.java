package io.keelson.sandbox;

import io.keelson.linux.Namespaces;
import io.keelson.proto.record.v1.ContainerPhase;
import io.keelson.sandbox.error.KeelsonException;
import io.keelson.sandbox.port.LaunchRequest;
import io.keelson.sandbox.port.RuntimeHandler;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Clears away what lies in the daemon's own folders and belongs to no pod or container that is
 * known.
 */
final class StraySweep {

  private static final Logger LOG = LoggerFactory.getLogger(StraySweep.class);

  private static final String NETNS_PREFIX = "keelson-";

  private final Core core;

  StraySweep(Core core) {
    this.core = core;
  }

  void run() throws IOException {
    SandboxSettings settings = core.settings();
    Predicate<String> isContainer = id -> core.containers().find(id).isPresent();
    Predicate<String> isPod = id -> core.pods().find(id).isPresent();
    sweep(settings.state().resolve("containers"), isContainer, this::dropContainer);
    sweep(settings.root().resolve("containers"), isContainer, this::dropContainer);
    sweep(settings.restores(), this::isToBeRestored, id -> FileTrees.delete(settings.restore(id)));
    sweep(settings.exitDirectory(), isContainer, id -> Files.deleteIfExists(settings.exitFile(id)));
    sweep(settings.state().resolve("sandboxes"), isPod, this::dropPod);
    sweep(settings.root().resolve("sandboxes"), isPod, this::dropPod);
  }

  private boolean isToBeRestored(String id) {
    return core.containers()
        .find(id)
        .filter(container -> container.phase() == ContainerPhase.CONTAINER_PHASE_CREATED)
        .isPresent();
  }

  private interface Drop {
    void drop(String name) throws IOException;
  }

  private static void sweep(Path directory, Predicate<String> known, Drop drop) throws IOException {
    if (!Files.isDirectory(directory)) {
      return;
    }
    List<String> names;
    try (Stream<Path> entries = Files.list(directory)) {
      names = entries.map(entry -> String.valueOf(entry.getFileName())).toList();
    }
    for (String name : names) {
      if (known.test(name)) {
        continue;
      }
      LOG.atInfo()
          .addKeyValue("name", name)
          .addKeyValue("in", directory)
          .log("clearing away a stray");
      try {
        drop.drop(name);
      } catch (IOException | KeelsonException e) {
        LOG.atWarn().setCause(e).addKeyValue("name", name).log("a stray could not be cleared away");
      }
    }
  }

  private void dropContainer(String id) throws IOException {
    Path bundle = core.settings().bundle(id);
    for (RuntimeHandler handler : core.settings().handlers().values()) {
      if (Files.exists(handler.root().resolve(id)) || Files.exists(bundle)) {
        core.launcher()
            .delete(
                new LaunchRequest(
                    id,
                    handler,
                    bundle,
                    core.settings().exitFile(id),
                    Optional.empty(),
                    false,
                    false,
                    false,
                    false,
                    Optional.empty()));
      }
    }
    core.provisioner().release(id);
    FileTrees.delete(bundle);
    core.containerRecords().delete(id);
  }

  private void dropPod(String id) throws IOException {
    Path state = core.settings().sandboxState(id);
    core.holder().stop(id, state);
    Path pins = state.resolve("ns");
    if (Files.isDirectory(pins)) {
      try (Stream<Path> entries = Files.list(pins)) {
        for (Path pin : (Iterable<Path>) entries::iterator) {
          Namespaces.unpin(pin);
        }
      }
    }
    // Only that of a pod with files here: other daemons may pin theirs in the same folder. A pod's
    // files are made
    // before its namespaces and deleted after them, so none is missed.
    Namespaces.unpin(core.settings().netnsDirectory().resolve(NETNS_PREFIX + id));
    PodFiles.delete(state);
    core.podRecords().delete(id);
  }
}
