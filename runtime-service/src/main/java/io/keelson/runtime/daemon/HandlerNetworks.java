package io.keelson.runtime.daemon;

import io.keelson.linux.netlink.IpPrefix;
import io.keelson.sandbox.port.PodNetwork;
import java.io.IOException;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The node's network, and those of the runtime handlers that have one of their own. A pod whose
 * handler has left the configuration is the node's.
 */
final class HandlerNetworks implements PodNetwork {

  private final PodNetwork ofNode;
  private final Map<String, PodNetwork> ofHandlers;

  /**
   * @param ofHandlers by the name of the handler; the default handler's also by the empty name
   */
  HandlerNetworks(PodNetwork ofNode, Map<String, ? extends PodNetwork> ofHandlers) {
    this.ofNode = ofNode;
    this.ofHandlers = Map.copyOf(ofHandlers);
  }

  @Override
  public Attachment attach(Pod pod) throws IOException {
    return of(pod).attach(pod);
  }

  @Override
  public void detach(Pod pod) throws IOException {
    of(pod).detach(pod);
  }

  private PodNetwork of(Pod pod) {
    return ofHandlers.getOrDefault(pod.runtimeHandler(), ofNode);
  }

  /** That of the pods that name no handler: it is the one that a node is judged by. */
  @Override
  public Condition condition() {
    return ofHandlers.getOrDefault("", ofNode).condition();
  }

  @Override
  public Map<String, String> details() {
    return ofHandlers.getOrDefault("", ofNode).details();
  }

  /** The node's: a handler's own configuration is its administrator's. */
  @Override
  public void assign(List<IpPrefix> subnets) throws IOException {
    ofNode.assign(subnets);
  }

  /** All of them: what a handler's network has of a pod that is the node's now is a left-over. */
  @Override
  public void recover(Collection<Pod> known) throws IOException {
    ofNode.recover(known.stream().filter(pod -> of(pod).equals(ofNode)).toList());
    for (PodNetwork network : Set.copyOf(ofHandlers.values())) {
      network.recover(known.stream().filter(pod -> of(pod).equals(network)).toList());
    }
  }
}
