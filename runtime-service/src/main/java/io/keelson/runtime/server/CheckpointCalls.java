package io.keelson.runtime.server;

import io.keelson.proto.cri.v1.CheckpointContainerRequest;
import io.keelson.proto.cri.v1.CheckpointContainerResponse;
import io.keelson.proto.cri.v1.CheckpointPodRequest;
import io.keelson.proto.cri.v1.CheckpointPodResponse;
import io.keelson.proto.cri.v1.ContainerState;
import io.keelson.proto.cri.v1.RestorePodRequest;
import io.keelson.proto.cri.v1.RestorePodResponse;
import io.keelson.sandbox.Containers;
import io.keelson.sandbox.Pods;
import io.keelson.sandbox.error.FailedPreconditionException;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.error.UnsupportedException;

/**
 * The calls about checkpoints, which are refused: what is wrong with the request is said first, so
 * that a caller's mistake is not taken for a trait of the node.
 */
public final class CheckpointCalls {

  /** Callers know a node without checkpoints by these words, whatever its runtime. */
  private static final String REFUSAL = "checkpoint/restore support not available";

  private final Pods pods;
  private final Containers containers;

  public CheckpointCalls(Pods pods, Containers containers) {
    this.pods = pods;
    this.containers = containers;
  }

  CheckpointContainerResponse container(CheckpointContainerRequest request) {
    String id = Requests.containerId(request.getContainerId());
    requireAbsolute(request.getLocation(), "the archive");
    if (containers.status(id, false).getStatus().getState() != ContainerState.CONTAINER_RUNNING) {
      throw new FailedPreconditionException(
          "a checkpoint needs a running container; " + id + " does not run");
    }
    throw new UnsupportedException(REFUSAL + ": keelson does not drive CRIU");
  }

  CheckpointPodResponse pod(CheckpointPodRequest request) {
    pods.status(Requests.podId(request.getPodSandboxId()), false);
    requireAbsolute(request.getOutputPath(), "the folder of the checkpoint");
    throw new UnsupportedException(REFUSAL + ": keelson does not drive CRIU");
  }

  RestorePodResponse restore(RestorePodRequest request) {
    requireAbsolute(request.getCheckpointPath(), "the folder of the checkpoint");
    throw new UnsupportedException(REFUSAL + ": keelson does not drive CRIU");
  }

  private static void requireAbsolute(String path, String what) {
    if (!path.startsWith("/")) {
      throw new InvalidRequestException(
          "the path of " + what + " must be absolute, not \"" + path + "\"");
    }
  }
}
