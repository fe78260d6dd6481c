package io.keelson.sandbox;

import com.google.protobuf.ByteString;
import io.keelson.proto.cri.v1.LinuxContainerResources;
import io.keelson.proto.cri.v1.PodSandbox;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import io.keelson.proto.cri.v1.PodSandboxFilter;
import io.keelson.proto.cri.v1.PodSandboxStatusResponse;
import io.keelson.sandbox.error.FailedPreconditionException;
import java.io.IOException;
import java.nio.channels.SocketChannel;
import java.util.List;
import java.util.Map;

/**
 * The pod sandboxes of this node (CRI v1, the PodSandbox calls of RuntimeService). Safe for use by
 * many threads: changes of one pod come one after another, status and list answer from memory and
 * wait for nobody. Wherever an id is asked for, a unique prefix of it will do.
 */
public final class Pods {

  private final Core core;
  private final RunPod runPod;
  private final UpdatePod updatePod;
  private final StopPod stopPod;
  private final PodViews views;

  Pods(Core core, RunPod runPod, UpdatePod updatePod, StopPod stopPod, PodViews views) {
    this.core = core;
    this.runPod = runPod;
    this.updatePod = updatePod;
    this.stopPod = stopPod;
    this.views = views;
  }

  /**
   * Runs a pod sandbox. A request that was made before (same metadata and configuration) joins the
   * one under way or answers the pod that it made.
   *
   * @param handler the name of the OCI runtime, empty for the default one
   * @return the sandbox's id
   * @throws io.keelson.sandbox.error.AlreadyExistsException if another configuration has the name
   */
  public String run(PodSandboxConfig config, String handler) throws IOException {
    return runPod.run(config, handler);
  }

  /**
   * Takes note of a pod's resources after the caller has changed its cgroup; what is not set stays.
   *
   * @throws io.keelson.sandbox.error.NotFoundException for an unknown id
   */
  public void update(String id, LinuxContainerResources overhead, LinuxContainerResources resources)
      throws IOException {
    updatePod.update(id, overhead, resources);
  }

  /** Kills its containers and takes network and namespaces away. Harmless if stopped or unknown. */
  public void stop(String id) throws IOException {
    stopPod.stop(id);
  }

  /** Stops the pod and deletes it with its containers. Harmless if unknown. */
  public void remove(String id) throws IOException {
    stopPod.remove(id);
  }

  /**
   * @param verbose adds {@code info} for people
   * @throws io.keelson.sandbox.error.NotFoundException for an unknown id
   */
  public PodSandboxStatusResponse status(String id, boolean verbose) {
    PodEntry pod = core.pods().get(id);
    // Taken before the statuses are looked at: a kubelet drops an event that is older than a
    // status it has, so that one must never hold less than was true at its time.
    long time = Core.now();
    PodSandboxStatusResponse.Builder response =
        PodSandboxStatusResponse.newBuilder()
            .setStatus(views.status(pod))
            .addAllContainersStatuses(views.containerStatuses(pod))
            .setTimestamp(time);
    if (verbose) {
      response.putAllInfo(Map.of("info", InfoJson.write(views.details(pod))));
    }
    return response.build();
  }

  /**
   * Connects to a port of a ready pod, as one of its own processes would on its loopback.
   *
   * @throws java.net.ConnectException if nobody listens there
   */
  public SocketChannel connect(String id, int port) throws IOException {
    return PodLoopback.connect(core, requireReady(id), port);
  }

  /**
   * The whole id of a pod that is ready now.
   *
   * @throws io.keelson.sandbox.error.NotFoundException for an unknown id
   * @throws FailedPreconditionException if it is not ready
   */
  public String requireReady(String id) {
    PodEntry pod = core.pods().get(id);
    if (!pod.isReady()) {
      throw new FailedPreconditionException("pod sandbox " + pod.id() + " is not ready");
    }
    return pod.id();
  }

  /** Newest first. */
  public List<PodSandbox> list(PodSandboxFilter filter) {
    return views.list(filter);
  }

  /** As {@link #list}, each {@link PodSandbox} serialised: fast, for who only sends it on. */
  public List<ByteString> listSerialized(PodSandboxFilter filter) {
    return views.listSerialized(filter);
  }
}
