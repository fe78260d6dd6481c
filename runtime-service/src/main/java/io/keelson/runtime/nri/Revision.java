package io.keelson.runtime.nri;

import io.keelson.proto.cri.v1.LinuxContainerResources;
import io.keelson.proto.nri.v1alpha1.Container;
import io.keelson.proto.nri.v1alpha1.ContainerState;
import io.keelson.proto.nri.v1alpha1.LinuxResources;
import io.keelson.proto.nri.v1alpha1.PodSandbox;
import io.keelson.proto.nri.v1alpha1.UpdateContainerRequest;
import io.keelson.proto.nri.v1alpha1.UpdateContainerResponse;
import io.keelson.sandbox.port.ContainerContext;
import java.util.List;
import java.util.Optional;

/**
 * UpdateContainer: every plugin in its turn changes what the caller asked for as those before it
 * left it.
 */
final class Revision {

  /**
   * What is to be done.
   *
   * @param own of the container itself
   * @param others of other containers
   */
  record Result(LinuxResources own, Updates others) {}

  /**
   * Asks plugins; the container's cell is locked.
   *
   * @throws io.keelson.sandbox.error.OperationFailedException if one refuses, or two want what
   *     can't both be
   */
  Result ask(
      Cell<ContainerContext> cell,
      NodeAccess node,
      LinuxContainerResources change,
      List<Plugin> plugins) {
    ContainerState state =
        node.pid(cell.id()) == 0
            ? ContainerState.CONTAINER_CREATED
            : ContainerState.CONTAINER_RUNNING;
    Container container = ContainerMessages.of(cell, node, state);
    PodSandbox pod = PodMessages.of(cell.context().pod());
    LinuxResources asked = Resources.ofCri(change);
    Updates updates = new Updates(new Owners(), "");
    for (Plugin plugin : plugins) {
      if (!plugin.knows(cell.id())) {
        continue;
      }
      Optional<UpdateContainerResponse> answer =
          Relay.ask(
              plugin,
              PluginCall.UPDATE,
              UpdateContainerRequest.newBuilder()
                  .setPod(pod)
                  .setContainer(container)
                  .setLinuxResources(over(asked, updates.of(cell.id())))
                  .build());
      answer.ifPresent(
          response ->
              updates.take(response.getUpdateList(), response.getEvictList(), plugin.label()));
    }
    return new Result(over(asked, updates.extract(cell.id())), updates);
  }

  private static LinuxResources over(LinuxResources base, LinuxResources change) {
    LinuxResources.Builder merged = base.toBuilder();
    new ResourceMerge(new Owners(), "", "").merge(change, merged);
    return merged.build();
  }
}
