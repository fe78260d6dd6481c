package io.keelson.runtime.cli;

import io.grpc.StatusRuntimeException;
import io.keelson.proto.cri.v1.ContainerState;
import io.keelson.proto.cri.v1.ContainerStatus;
import io.keelson.proto.cri.v1.ContainerStatusRequest;

/** Asks for the states of containers. */
final class Statuses {

  private final CriClient daemon;

  Statuses(CriClient daemon) {
    this.daemon = daemon;
  }

  ContainerStatus of(String containerId) {
    return daemon
        .runtime()
        .containerStatus(ContainerStatusRequest.newBuilder().setContainerId(containerId).build())
        .getStatus();
  }

  /** False if it has ended or is gone; a daemon that is being started again leaves it running. */
  boolean isRunning(String containerId) {
    try {
      return of(containerId).getState() == ContainerState.CONTAINER_RUNNING;
    } catch (StatusRuntimeException e) {
      return switch (e.getStatus().getCode()) {
        case NOT_FOUND -> false;
        case UNAVAILABLE -> true;
        default -> throw e;
      };
    }
  }
}
