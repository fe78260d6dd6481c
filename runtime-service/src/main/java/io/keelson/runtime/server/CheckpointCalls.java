package io.keelson.runtime.server;

import io.grpc.Context;
import io.grpc.Deadline;
import io.keelson.proto.cri.v1.CheckpointContainerRequest;
import io.keelson.proto.cri.v1.CheckpointContainerResponse;
import io.keelson.proto.cri.v1.CheckpointPodRequest;
import io.keelson.proto.cri.v1.CheckpointPodResponse;
import io.keelson.proto.cri.v1.RestorePodRequest;
import io.keelson.proto.cri.v1.RestorePodResponse;
import io.keelson.sandbox.Checkpoints;
import io.keelson.sandbox.error.InvalidRequestException;
import java.io.IOException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** The calls about checkpoints. */
public final class CheckpointCalls {

  /** For callers that say nothing of time. */
  private static final Duration USUAL_LIMIT = Duration.ofMinutes(10);

  private final Checkpoints checkpoints;

  public CheckpointCalls(Checkpoints checkpoints) {
    this.checkpoints = checkpoints;
  }

  CheckpointContainerResponse container(CheckpointContainerRequest request) throws IOException {
    String id = Requests.containerId(request.getContainerId());
    Path archive = absolute(request.getLocation(), "the archive");
    long seconds = request.getTimeout();
    if (seconds < 0) {
      throw new InvalidRequestException("the time-out " + seconds + " s is negative");
    }
    checkpoints.container(id, archive, seconds == 0 ? limit() : Duration.ofSeconds(seconds));
    return CheckpointContainerResponse.getDefaultInstance();
  }

  CheckpointPodResponse pod(CheckpointPodRequest request) throws IOException {
    String id = Requests.podId(request.getPodSandboxId());
    Path folder = absolute(request.getOutputPath(), "the folder of the checkpoint");
    requireNone(request.getOptionsMap());
    checkpoints.pod(id, folder, request.getContainerIdsList(), limit());
    return CheckpointPodResponse.getDefaultInstance();
  }

  RestorePodResponse restore(RestorePodRequest request) throws IOException {
    Path folder = absolute(request.getCheckpointPath(), "the folder of the checkpoint");
    requireNone(request.getOptionsMap());
    return checkpoints.restorePod(
        folder,
        request.getConfig(),
        request.getRuntimeHandler(),
        request.getContainerConfigsList());
  }

  /** What the call's own deadline leaves. */
  private static Duration limit() {
    Deadline deadline = Context.current().getDeadline();
    return deadline == null
        ? USUAL_LIMIT
        : Duration.ofNanos(Math.max(1, deadline.timeRemaining(TimeUnit.NANOSECONDS)));
  }

  private static void requireNone(Map<String, String> options) {
    if (!options.isEmpty()) {
      throw new InvalidRequestException(
          "there are no options of the names " + String.join(", ", options.keySet()));
    }
  }

  private static Path absolute(String path, String what) {
    if (!path.startsWith("/")) {
      throw new InvalidRequestException(
          "the path of " + what + " must be absolute, not \"" + path + "\"");
    }
    try {
      return Path.of(path).normalize();
    } catch (InvalidPathException e) {
      throw new InvalidRequestException("the path of " + what + " is none: " + e.getReason(), e);
    }
  }
}
