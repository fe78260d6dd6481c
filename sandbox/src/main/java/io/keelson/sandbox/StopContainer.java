package io.keelson.sandbox;

import io.keelson.linux.Pidfd;
import io.keelson.linux.ProcessId;
import io.keelson.linux.Signals;
import io.keelson.proto.cri.v1.NamespaceMode;
import io.keelson.proto.record.v1.ContainerPhase;
import io.keelson.sandbox.error.DeadlineExceededException;
import io.keelson.sandbox.error.UnavailableException;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * StopContainer: the stop signal once, the grace period, then SIGKILL. It holds no lock while it
 * waits, so that the container's end can be recorded and other callers can shorten the wait.
 */
final class StopContainer {

  private static final Logger LOG = LoggerFactory.getLogger(StopContainer.class);

  private final Core core;

  StopContainer(Core core) {
    this.core = core;
  }

  /** Harmless for a container that is unknown, or does not run. */
  void stop(String idOrPrefix, Duration grace) throws IOException {
    Optional<ContainerEntry> container = core.containers().find(idOrPrefix);
    if (container.isPresent()) {
      stop(container.get(), grace);
    }
  }

  /** Returns when the container's end is recorded. */
  void stop(ContainerEntry container, Duration grace) throws IOException {
    ContainerPhase phase = settledPhase(container);
    Optional<ProcessId> init = container.init();
    if (phase != ContainerPhase.CONTAINER_PHASE_RUNNING || init.isEmpty()) {
      return;
    }
    try {
      if (grace.isPositive()) {
        container.stop().shorten(grace);
        if (container.stop().claimSignal()) {
          Pidfd.signal(init.get(), container.record().getStopSignal());
          core.reached("StopContainer:signalled");
        }
        if (container.stop().awaitGrace(container.ended())) {
          return;
        }
      } else {
        container.stop().shorten(Duration.ZERO);
      }
      kill(container, init.get());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new UnavailableException(
          "stopping container " + container.id() + " was interrupted", e);
    }
  }

  /** The phase, once a start that is under way has come to its end. */
  private static ContainerPhase settledPhase(ContainerEntry container) {
    container.lock().lock();
    try {
      return container.phase();
    } finally {
      container.lock().unlock();
    }
  }

  private void kill(ContainerEntry container, ProcessId init)
      throws IOException, InterruptedException {
    container.stop().setKilled();
    Pidfd.signal(init, Signals.SIGKILL);
    if (outlivesInit(container)) {
      core.cgroups().killAll(container.record().getCgroup(), core.settings().killTimeout());
    }
    core.reached("StopContainer:killed");
    Duration limit = core.settings().killTimeout();
    if (!container.ended().await(limit.toMillis(), TimeUnit.MILLISECONDS)) {
      throw new DeadlineExceededException(
          "container "
              + container.id()
              + " still runs "
              + limit.toSeconds()
              + " s after SIGKILL: process "
              + init.pid()
              + " may be in an uninterruptible wait");
    }
    LOG.atDebug().addKeyValue("container", container.id()).log("container was killed");
  }

  /**
   * With a PID namespace of its own the container's processes end with its init; else they may
   * stay.
   */
  private static boolean outlivesInit(ContainerEntry container) {
    return container.config().getLinux().getSecurityContext().getNamespaceOptions().getPid()
        != NamespaceMode.CONTAINER;
  }
}
