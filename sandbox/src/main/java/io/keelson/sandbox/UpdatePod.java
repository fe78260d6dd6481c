package io.keelson.sandbox;

import io.keelson.proto.cri.v1.LinuxContainerResources;
import io.keelson.proto.record.v1.SandboxRecord;
import io.keelson.sandbox.RecordStore.Durability;
import io.keelson.sandbox.error.FailedPreconditionException;
import io.keelson.sandbox.port.PodContext;
import io.keelson.sandbox.port.PodExtension;
import java.io.IOException;
import java.util.concurrent.locks.Lock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * UpdatePodSandboxResources: what the request names replaces what was known of the pod's resources.
 * The cgroup itself is the caller's, who has changed it before it calls.
 */
final class UpdatePod {

  private static final Logger LOG = LoggerFactory.getLogger(UpdatePod.class);

  private final Core core;

  UpdatePod(Core core) {
    this.core = core;
  }

  /** What is not set stays as it was. */
  void update(
      String idOrPrefix, LinuxContainerResources overhead, LinuxContainerResources resources)
      throws IOException {
    PodEntry pod = core.pods().get(idOrPrefix);
    Lock lock = pod.lock().writeLock();
    lock.lock();
    try {
      if (!pod.isReady()) {
        throw new FailedPreconditionException("pod sandbox " + pod.id() + " is not ready");
      }
      PodContext context = pod.context(core.settings());
      LinuxContainerResources newOverhead =
          Resources.merge(context.config().getLinux().getOverhead(), overhead);
      LinuxContainerResources newResources =
          Resources.merge(context.config().getLinux().getResources(), resources);
      for (PodExtension extension : core.podExtensions()) {
        extension.update(context, newOverhead, newResources);
      }
      SandboxRecord next =
          pod.record().toBuilder().setOverhead(newOverhead).setResources(newResources).build();
      core.save(pod, next, Durability.DAEMON);
      PodContext updated = pod.context(core.settings());
      Notices.tell(core.podExtensions(), extension -> extension.updated(updated));
    } finally {
      lock.unlock();
    }
    LOG.atInfo().addKeyValue("pod", pod.id()).log("resources of the pod sandbox are updated");
  }
}
