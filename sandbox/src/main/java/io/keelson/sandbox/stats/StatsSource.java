package io.keelson.sandbox.stats;

import io.keelson.linux.ProcessId;
import io.keelson.proto.cri.v1.ContainerConfig;
import io.keelson.proto.cri.v1.LinuxContainerResources;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** What there is to be measured, from memory. Safe for use by many threads. */
public interface StatsSource {

  /** All pods. */
  List<Pod> pods();

  /**
   * @throws io.keelson.sandbox.error.NotFoundException unless exactly one pod's id begins so
   */
  Pod pod(String idOrPrefix);

  /** All containers that run. */
  List<Container> running();

  /**
   * Also one that does not run.
   *
   * @throws io.keelson.sandbox.error.NotFoundException unless exactly one container's id begins so
   */
  Container container(String idOrPrefix);

  /**
   * A pod.
   *
   * @param group the pod's control group, below each hierarchy
   * @param createdAt nanoseconds since the epoch
   * @param netns the pinned network namespace; empty with the host's network, or once stopped
   */
  record Pod(
      String id,
      PodSandboxConfig config,
      String group,
      long createdAt,
      boolean ready,
      Optional<Path> netns) {}

  /**
   * A container.
   *
   * @param group its control group, below each hierarchy
   * @param createdAt nanoseconds since the epoch
   * @param startedAt nanoseconds since the epoch
   * @param init its first process, if it runs
   * @param image its name, as the status tells it
   * @param resources in force
   */
  record Container(
      String id,
      String sandboxId,
      ContainerConfig config,
      String group,
      long createdAt,
      long startedAt,
      Optional<ProcessId> init,
      String image,
      LinuxContainerResources resources) {

    boolean runs() {
      return init.isPresent();
    }
  }
}
