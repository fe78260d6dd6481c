package io.keelson.sandbox;

import io.keelson.proto.cri.v1.ContainerConfig;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import io.keelson.proto.cri.v1.RestorePodResponse;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * Checkpoints of containers and pods (CRI v1, the Checkpoint and Restore calls of RuntimeService).
 * A single container is restored by creating one whose image is the archive. Safe for use by many
 * threads.
 */
public final class Checkpoints {

  private final TakeCheckpoint take;
  private final RestorePod restore;

  Checkpoints(TakeCheckpoint take, RestorePod restore) {
    this.take = take;
    this.restore = restore;
  }

  /**
   * Writes a running container to an archive (a tar, in the form of CRI-O and Podman); it runs on.
   *
   * @param limit how long it may take
   * @throws io.keelson.sandbox.error.UnsupportedException if its runtime or the host can't
   * @throws io.keelson.sandbox.error.DeadlineExceededException after {@code limit}
   */
  public void container(String id, Path archive, Duration limit) throws IOException {
    take.container(id, archive, limit);
  }

  /**
   * Writes running containers of a pod to a folder, all of one moment; they run on.
   *
   * @param ids empty for all that run
   */
  public void pod(String podSandboxId, Path folder, List<String> ids, Duration limit)
      throws IOException {
    take.pod(podSandboxId, folder, ids, limit);
  }

  /**
   * Makes a pod, and of {@link #pod}'s folder its containers, which go on when they are started.
   *
   * @param configs of the containers, found in the checkpoint by their names
   */
  public RestorePodResponse restorePod(
      Path folder, PodSandboxConfig config, String handler, List<ContainerConfig> configs)
      throws IOException {
    return restore.restore(folder, config, handler, configs);
  }
}
