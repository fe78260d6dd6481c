package io.keelson.sandbox.launch;

import io.keelson.linux.Pidfd;
import io.keelson.linux.ProcessId;
import io.keelson.linux.Signals;
import io.keelson.linux.cgroup.Cgroups;
import io.keelson.sandbox.error.KeelsonException;
import io.keelson.sandbox.port.LaunchRequest;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Ends a container by force, whatever is left of it, and takes away what its runtime and its
 * monitor keep of it. What is not there any more is no error. Safe for use by many threads, for
 * different containers.
 */
final class ContainerDeletion {

  private static final Logger LOG = LoggerFactory.getLogger(ContainerDeletion.class);

  private final Cgroups cgroups;
  private final Duration timeout;

  /**
   * @param timeout for processes that are killed to end, and for groups to be empty
   */
  ContainerDeletion(Cgroups cgroups, Duration timeout) {
    this.cgroups = cgroups;
    this.timeout = timeout;
  }

  void delete(LaunchRequest request, OciRuntime runtime) throws IOException {
    String id = request.containerId();
    Bundle bundle = new Bundle(request.bundle());
    Bundle.Spec spec = bundle.spec();
    Optional<String> group = spec.cgroup();
    Optional<ProcessId> monitor = Monitors.find(bundle);
    if (monitor.isPresent() && Bundle.readPid(bundle.initPid()).isEmpty()) {
      end(monitor.get(), Duration.ZERO); // its runtime dies with it
    }
    boolean dead = false;
    if (group.isPresent()) {
      dead = cgroups.killAll(group.get(), timeout);
      if (!dead) {
        LOG.atWarn()
            .addKeyValue("container", id)
            .addKeyValue("processes", cgroups.processes(group.get()))
            .log("processes of a container don't end though they were killed");
      }
    }
    try {
      runtime.delete(id, spec, dead);
    } catch (IOException | KeelsonException e) {
      LOG.atWarn()
          .addKeyValue("container", id)
          .log("clearing away what the runtime can't delete: {}", e.getMessage());
    }
    runtime.forget(id);
    if (group.isPresent()) {
      cgroups.remove(group.get(), timeout);
    }
    if (monitor.isPresent()) {
      end(monitor.get(), timeout);
    }
  }

  /** conmon ends by itself when its container has; one that does not is stuck, and killed. */
  private void end(ProcessId monitor, Duration patience) throws IOException {
    Optional<Pidfd> pidfd = Pidfd.open(monitor);
    if (pidfd.isPresent()) {
      try (Pidfd open = pidfd.get()) {
        if (!open.await(patience)) {
          open.signal(Signals.SIGKILL);
          open.await(timeout);
        }
      }
    }
  }
}
