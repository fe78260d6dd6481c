package io.keelson.sandbox;

import io.keelson.proto.cri.v1.ContainerConfig;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import java.nio.file.Path;
import java.util.Optional;

/** Where a container's log is. */
final class ContainerLog {

  private ContainerLog() {}

  /** The pod's log directory and the container's path below it; none if either is empty. */
  static Optional<Path> path(PodSandboxConfig pod, ContainerConfig container) {
    if (pod.getLogDirectory().isEmpty() || container.getLogPath().isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(Path.of(pod.getLogDirectory()).resolve(container.getLogPath()));
  }
}
