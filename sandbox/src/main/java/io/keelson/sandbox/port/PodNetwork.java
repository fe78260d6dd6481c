package io.keelson.sandbox.port;

import io.keelson.linux.netlink.IpPrefix;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Gives a pod its network. Safe for use by many threads; calls for one pod never overlap. */
public interface PodNetwork {

  /**
   * Connects the pod's network namespace: interfaces, addresses, routes, host ports. The loopback
   * is up already. If it fails, nothing of the pod is left in the network.
   *
   * @throws io.keelson.sandbox.error.KeelsonException with the plugin's own words
   */
  Attachment attach(Pod pod) throws IOException;

  /**
   * Takes away all that {@link #attach} made, also if the network namespace is gone ({@link
   * Pod#netns} empty) and if attach never ended. Doing it twice is harmless.
   */
  void detach(Pod pod) throws IOException;

  /** Whether a pod could be attached now; answered from memory. */
  Condition condition();

  /** What a person debugging wants to know of the network, from memory, by short names. */
  default Map<String, String> details() {
    return Map.of();
  }

  /**
   * The cluster gives these subnets to the pods of this node (CRI v1, UpdateRuntimeConfig), one or
   * none of each family. The same again is harmless.
   *
   * @throws io.keelson.sandbox.error.KeelsonException if pods could not get addresses from them
   */
  default void assign(List<IpPrefix> subnets) throws IOException {}

  /**
   * The daemon has started again: what any other pod than these left in the network (addresses,
   * links, host ports) is taken away.
   */
  void recover(Collection<Pod> known) throws IOException;

  /**
   * A pod as a network sees it.
   *
   * @param netns the pinned network namespace, or empty if it is gone
   * @param runtimeHandler as the pod named it, {@code ""} for the default one; a handler may have a
   *     network of its own
   */
  record Pod(
      String sandboxId, Optional<Path> netns, PodSandboxConfig config, String runtimeHandler) {

    /** A pod of the default handler. */
    public Pod(String sandboxId, Optional<Path> netns, PodSandboxConfig config) {
      this(sandboxId, netns, config, "");
    }
  }

  /**
   * @param addresses of the pod's own interface, IPv4 first, never empty
   * @param cniResult the CNI result (spec 1.1, JSON)
   */
  record Attachment(List<InetAddress> addresses, String cniResult) {
    public Attachment {
      addresses = List.copyOf(addresses);
    }
  }

  /**
   * @param ready pods can be attached
   * @param reason one word for programs, {@code ""} when ready
   * @param message what is wrong and what cures it, {@code ""} if nothing is; a network can be
   *     ready and something wrong beside
   */
  record Condition(boolean ready, String reason, String message) {}
}
