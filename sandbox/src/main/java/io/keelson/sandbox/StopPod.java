package io.keelson.sandbox;

import io.keelson.linux.NamespaceType;
import io.keelson.proto.cri.v1.ContainerEventType;
import io.keelson.proto.record.v1.SandboxPhase;
import io.keelson.proto.record.v1.SandboxRecord;
import io.keelson.sandbox.RecordStore.Durability;
import io.keelson.sandbox.error.FailedPreconditionException;
import io.keelson.sandbox.error.KeelsonException;
import io.keelson.sandbox.port.PodContext;
import io.keelson.sandbox.port.PodExtension;
import io.keelson.sandbox.port.PodNetwork;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.locks.Lock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * StopPodSandbox and RemovePodSandbox. Stopping: containers (killed), holder, network, namespaces.
 * Removing: stopping, then containers, files, cgroup, record. Each step is harmless when done
 * twice, so that a call that failed half way is simply made again.
 */
final class StopPod {

  private static final Logger LOG = LoggerFactory.getLogger(StopPod.class);

  private final Core core;
  private final StopContainer stopContainer;
  private final RemoveContainer removeContainer;

  StopPod(Core core, StopContainer stopContainer, RemoveContainer removeContainer) {
    this.core = core;
    this.stopContainer = stopContainer;
    this.removeContainer = removeContainer;
  }

  /** Harmless for a pod that is stopped or unknown. */
  void stop(String idOrPrefix) throws IOException {
    Optional<PodEntry> pod = core.pods().find(idOrPrefix);
    if (pod.isPresent()) {
      withLock(pod.get(), () -> stopLocked(pod.get()));
    }
  }

  /** Stops what runs. Harmless for an unknown pod. */
  void remove(String idOrPrefix) throws IOException {
    Optional<PodEntry> found = core.pods().find(idOrPrefix);
    if (found.isEmpty()) {
      return;
    }
    PodEntry pod = found.get();
    withLock(
        pod,
        () -> {
          if (core.pods().find(pod.id()).isEmpty()) {
            return;
          }
          stopLocked(pod);
          removeLocked(pod);
        });
  }

  /** Finishes what an earlier life of the daemon began; the pod is in no other thread's hands. */
  void finish(PodEntry pod) throws IOException {
    boolean remove =
        pod.phase() == SandboxPhase.SANDBOX_PHASE_REMOVING
            || pod.phase() == SandboxPhase.SANDBOX_PHASE_CREATING;
    if (remove) {
      remove(pod.id());
    } else {
      stop(pod.id());
    }
  }

  private interface Work {
    void run() throws IOException;
  }

  private static void withLock(PodEntry pod, Work work) throws IOException {
    Lock lock = pod.lock().writeLock();
    lock.lock();
    try {
      work.run();
    } finally {
      lock.unlock();
    }
  }

  private void stopLocked(PodEntry pod) throws IOException {
    if (pod.phase() == SandboxPhase.SANDBOX_PHASE_STOPPED) {
      return;
    }
    if (pod.phase() != SandboxPhase.SANDBOX_PHASE_REMOVING) {
      save(pod, SandboxPhase.SANDBOX_PHASE_STOPPING);
      core.reached("StopPodSandbox:recorded");
    }
    InParallel.forEach(
        core.containers().of(pod.id()), container -> stopContainer.stop(container, Duration.ZERO));
    core.reached("StopPodSandbox:containers");

    PodContext context = pod.context(core.settings());
    for (PodExtension extension : core.podExtensions().reversed()) {
      extension.stop(context);
    }
    core.reached("StopPodSandbox:extensions");
    core.holder().stop(pod.id(), context.stateDirectory());
    Path netns = context.namespaces().get(NamespaceType.NET);
    if (netns != null) {
      Optional<Path> there = Optional.of(netns).filter(Files::exists);
      core.network()
          .detach(
              new PodNetwork.Pod(pod.id(), there, pod.config(), pod.record().getRuntimeHandler()));
    }
    core.reached("StopPodSandbox:network");
    RunPod.unpin(context);
    core.reached("StopPodSandbox:namespaces");
    if (pod.phase() != SandboxPhase.SANDBOX_PHASE_REMOVING) {
      save(pod, SandboxPhase.SANDBOX_PHASE_STOPPED);
      core.events().pod(pod, ContainerEventType.CONTAINER_STOPPED_EVENT);
      LOG.atInfo().addKeyValue("pod", pod.id()).log("pod sandbox is stopped");
    }
  }

  private void removeLocked(PodEntry pod) throws IOException {
    save(pod, SandboxPhase.SANDBOX_PHASE_REMOVING);
    core.reached("RemovePodSandbox:recorded");
    Path netns = PodEntry.pins(core.settings(), pod.id(), pod.config()).get(NamespaceType.NET);
    if (netns != null && Files.exists(netns)) {
      throw new FailedPreconditionException(
          "pod sandbox " + pod.id() + " still has its network namespace at " + netns);
    }
    InParallel.forEach(core.containers().of(pod.id()), removeContainer::remove);
    core.reached("RemovePodSandbox:containers");
    PodContext context = pod.context(core.settings());
    for (PodExtension extension : core.podExtensions().reversed()) {
      extension.remove(context);
    }
    core.reached("RemovePodSandbox:extensions");
    PodFiles.delete(core.settings().sandboxState(pod.id()));
    if (pod.record().getOwnsCgroup()) {
      core.cgroups().remove(pod.id(), pod.config());
    }
    core.reached("RemovePodSandbox:files");
    core.podRecords().delete(pod.id());
    core.pods().remove(pod.id());
    core.cgroups().forget(pod.id(), pod.config(), core.pods().all().stream().map(PodEntry::config));
    core.events().pod(pod, ContainerEventType.CONTAINER_DELETED_EVENT);
    core.reached("RemovePodSandbox:removed");
    LOG.atInfo().addKeyValue("pod", pod.id()).log("pod sandbox is removed");
  }

  /**
   * A full disk must not keep a pod from going: what is to be remembered then is remembered in
   * memory only.
   */
  private void save(PodEntry pod, SandboxPhase phase) throws IOException {
    SandboxRecord next = pod.record().toBuilder().setPhase(phase).build();
    try {
      core.save(pod, next, Durability.DAEMON);
    } catch (IOException | KeelsonException e) {
      if (!DiskFull.isCause(e)) {
        throw e;
      }
      LOG.atWarn()
          .addKeyValue("pod", pod.id())
          .log("disk full: going on without writing the record");
      pod.record(next);
    }
  }
}
