package io.keelson.sandbox;

import io.keelson.proto.record.v1.ContainerPhase;
import io.keelson.proto.record.v1.ContainerRecord;
import io.keelson.sandbox.RecordStore.Durability;
import io.keelson.sandbox.error.KeelsonException;
import io.keelson.sandbox.port.ContainerContext;
import io.keelson.sandbox.port.Launcher;
import java.io.IOException;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Records the end of containers: exit code, reason, time. Out of memory is told only of a container
 * whose init process was killed, and not by this daemon, when the kernel has killed in the
 * container's cgroup for it; where systemd has removed that already, the pod's cgroup or the
 * container's monitor knows.
 */
final class ExitRecorder {

  private static final Logger LOG = LoggerFactory.getLogger(ExitRecorder.class);

  private static final int KILLED = 137;
  static final int UNKNOWN = 255;

  private final Core core;
  private final Contexts contexts;
  private final ExitSource source;

  ExitRecorder(Core core, Contexts contexts, ExitSource source) {
    this.core = core;
    this.contexts = contexts;
    this.source = source;
  }

  /** From now on the end of this container is recorded. */
  void watch(ContainerEntry container, Optional<Launcher.Launched> launched) {
    source.watch(container.id(), launched, exit -> ended(container, exit));
  }

  /** The container is to be forgotten. */
  void forget(ContainerEntry container) {
    source.forget(container.id());
  }

  /** The isolators hear that the container's end is recorded. */
  void tell(ContainerEntry container) {
    if (core.pods().find(container.record().getSandboxId()).isEmpty()) {
      return;
    }
    ContainerContext context = contexts.of(container);
    Notices.tell(core.isolators(), isolator -> isolator.ended(context));
  }

  private void ended(ContainerEntry container, ExitSource.Exit exit) {
    if (recordEnd(container, exit)) {
      tell(container);
    }
  }

  /** False if it was no running container any more. */
  private boolean recordEnd(ContainerEntry container, ExitSource.Exit exit) {
    boolean recorded = false;
    container.lock().lock();
    try {
      if (container.phase() != ContainerPhase.CONTAINER_PHASE_RUNNING) {
        return false;
      }
      record(container, exit);
      recorded = true;
      core.launcher().delete(contexts.launchRequest(container));
      container.launched(false);
    } catch (IOException | KeelsonException e) {
      LOG.atWarn()
          .setCause(e)
          .addKeyValue("container", container.id())
          .log(
              "what the runtime keeps of an ended container can't be deleted now; its removal will"
                  + " try again");
    } finally {
      container.lock().unlock();
    }
    return recorded;
  }

  private void record(ContainerEntry container, ExitSource.Exit exit) throws IOException {
    int code = exit.code().orElse(UNKNOWN);
    boolean killed = code == KILLED && !container.stop().killed();
    String cgroup = container.record().getCgroup();
    boolean shortOfMemory = core.cgroups().end(cgroup, killed, exit.timeNanos());
    String reason =
        reason(container, exit.code(), killed && (shortOfMemory || monitorSaw(container)));
    ContainerRecord exited =
        container.record().toBuilder()
            .setPhase(ContainerPhase.CONTAINER_PHASE_EXITED)
            .setExitCode(code)
            .setReason(reason)
            .setMessage(container.verdict().message())
            .setOomKillsTold(core.cgroups().oomKillsTold(cgroup))
            .setFinishedAt(Math.max(exit.timeNanos(), container.record().getStartedAt()))
            .clearInit()
            .clearMonitor()
            .build();
    save(container, exited);
    LOG.atInfo()
        .addKeyValue("pod", exited.getSandboxId())
        .addKeyValue("container", container.id())
        .addKeyValue("code", code)
        .addKeyValue("reason", reason)
        .log("container has exited");
  }

  /**
   * A full disk must not hide that a container has ended: its exit file tells the next start the
   * same.
   */
  private void save(ContainerEntry container, ContainerRecord exited) throws IOException {
    try {
      core.save(container, exited, Durability.POWER);
    } catch (IOException | KeelsonException e) {
      if (!DiskFull.isCause(e)) {
        throw e;
      }
      LOG.atWarn()
          .addKeyValue("container", container.id())
          .log("disk full: an exit is kept in memory only");
      core.commit(container, exited);
    }
  }

  private static String reason(
      ContainerEntry container, Optional<Integer> code, boolean shortOfMemory) {
    if (code.isEmpty()) {
      return "Unknown";
    }
    if (!container.verdict().reason().isEmpty()) {
      return container.verdict().reason();
    }
    if (code.get() == 0) {
      return "Completed";
    }
    return shortOfMemory ? "OOMKilled" : "Error";
  }

  /** The monitor counts by itself, but systemd is sometimes faster than it, too. */
  private boolean monitorSaw(ContainerEntry container) {
    return core.launcher().wasShortOfMemory(contexts.launchRequest(container));
  }
}
