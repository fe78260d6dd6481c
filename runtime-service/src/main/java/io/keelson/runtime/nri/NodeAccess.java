package io.keelson.runtime.nri;

import io.keelson.linux.ProcessId;
import io.keelson.proto.cri.v1.ContainerStatus;
import io.keelson.proto.cri.v1.PodSandboxState;
import io.keelson.proto.nri.v1alpha1.ContainerEviction;
import io.keelson.proto.nri.v1alpha1.ContainerUpdate;
import io.keelson.proto.nri.v1alpha1.LinuxResources;
import io.keelson.sandbox.Containers;
import io.keelson.sandbox.Pods;
import io.keelson.sandbox.error.KeelsonException;
import io.keelson.sandbox.error.NotFoundException;
import io.keelson.sandbox.error.OperationFailedException;
import io.keelson.sandbox.error.UnsupportedException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What plugins see and change of the node's containers, by way of the core. Safe for use by many
 * threads.
 */
final class NodeAccess {

  private static final Logger LOG = LoggerFactory.getLogger(NodeAccess.class);

  /** For a container that a plugin evicts to end by itself: what Kubernetes gives by default. */
  private static final Duration EVICTION_GRACE = Duration.ofSeconds(30);

  private final Pods pods;
  private final Containers containers;
  private final Duration patience;

  /**
   * By way of {@code pods} and {@code containers}.
   *
   * @param patience how long an update waits for another change of the same container
   */
  NodeAccess(Pods pods, Containers containers, Duration patience) {
    this.pods = pods;
    this.containers = containers;
    this.patience = patience;
  }

  /** Empty for a container that callers can't see. */
  Optional<ContainerStatus> status(String id) {
    try {
      return Optional.of(containers.status(id, false).getStatus());
    } catch (NotFoundException _) {
      return Optional.empty();
    }
  }

  /** True for a pod that callers see as not ready. */
  boolean isStopped(String podId) {
    try {
      return pods.status(podId, false).getStatus().getState() == PodSandboxState.SANDBOX_NOTREADY;
    } catch (NotFoundException _) {
      return false;
    }
  }

  /** Of its init, 0 if it does not run. */
  int pid(String id) {
    return containers.init(id).map(ProcessId::pid).orElse(0);
  }

  /**
   * Makes the updates that can be made.
   *
   * @return those that failed
   */
  List<ContainerUpdate> apply(List<ContainerUpdate> updates, String reason) {
    List<ContainerUpdate> failed = new ArrayList<>();
    for (ContainerUpdate update : updates) {
      try {
        apply(update);
      } catch (IOException | KeelsonException e) {
        LOG.atWarn()
            .addKeyValue("container", update.getContainerId())
            .addKeyValue("by", reason)
            .setCause(e)
            .log("resources that an NRI plugin wants can't be set");
        failed.add(update);
      }
    }
    return failed;
  }

  /**
   * Makes the updates.
   *
   * @throws OperationFailedException if one fails that must not
   */
  void applyAll(List<ContainerUpdate> updates, String reason) {
    for (ContainerUpdate failed : apply(updates, reason)) {
      if (!failed.getIgnoreFailure()) {
        throw new OperationFailedException(
            "container %s can't be updated as NRI plugins want (%s)"
                .formatted(failed.getContainerId(), reason));
      }
    }
  }

  private void apply(ContainerUpdate update) throws IOException {
    LinuxResources wanted = update.getLinux().getResources();
    if (!wanted.getBlockioClass().getValue().isEmpty()) {
      throw new UnsupportedException("the class of block I/O is given when a container is made");
    }
    containers.adjust(
        update.getContainerId(),
        Resources.toCri(wanted),
        limits -> Resources.beyondCri(wanted, limits),
        patience);
  }

  /** Ends containers without waiting for it. */
  void evict(List<ContainerEviction> evictions, String plugin) {
    for (ContainerEviction eviction : evictions) {
      String id = eviction.getContainerId();
      LOG.atWarn()
          .addKeyValue("container", id)
          .addKeyValue("plugin", plugin)
          .addKeyValue("reason", eviction.getReason())
          .log("an NRI plugin evicts a container");
      Thread.ofVirtual().name("nri-evict-" + id).start(() -> stop(id));
    }
  }

  private void stop(String id) {
    try {
      containers.stop(id, EVICTION_GRACE);
    } catch (IOException | KeelsonException e) {
      LOG.atWarn()
          .addKeyValue("container", id)
          .setCause(e)
          .log("a container that an NRI plugin evicts can't be stopped");
    }
  }
}
