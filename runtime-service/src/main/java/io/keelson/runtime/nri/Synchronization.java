package io.keelson.runtime.nri;

import io.keelson.proto.nri.v1alpha1.Container;
import io.keelson.proto.nri.v1alpha1.ContainerUpdate;
import io.keelson.proto.nri.v1alpha1.PodSandbox;
import io.keelson.proto.nri.v1alpha1.SynchronizeRequest;
import io.keelson.proto.nri.v1alpha1.SynchronizeResponse;
import io.keelson.runtime.nri.ttrpc.StatusException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Tells a plugin that connects of all that there is, before anything else. */
final class Synchronization {

  /** Of one message; the protocol allows a little more. */
  private static final int MAX_BYTES = 3 << 20;

  private final Plugins plugins;
  private final NriPods pods;
  private final NriContainers containers;
  private final Duration timeout;

  /**
   * One for all plugins.
   *
   * @param timeout for each message
   */
  Synchronization(Plugins plugins, NriPods pods, NriContainers containers, Duration timeout) {
    this.plugins = plugins;
    this.pods = pods;
    this.containers = containers;
    this.timeout = timeout;
  }

  /**
   * Adds a plugin, which then knows all that there is and hears of all that follows.
   *
   * @return what it wants of containers
   * @throws IOException if it does not answer in time, or is gone; it is not added then
   * @throws StatusException if it answers with an error; it is not added then
   */
  List<ContainerUpdate> attach(Plugin plugin) throws IOException, StatusException {
    plugin.takeTurn();
    try {
      Plugins.Present present = plugins.attach(plugin, pods::describe, containers::describe);
      return tell(plugin, present);
    } catch (IOException | StatusException | RuntimeException e) {
      // Who waits for the plugin's turn must find it gone.
      plugin.leave();
      plugins.detach(plugin);
      throw e;
    } finally {
      plugin.endTurn();
    }
  }

  private List<ContainerUpdate> tell(Plugin plugin, Plugins.Present present)
      throws IOException, StatusException {
    List<SynchronizeRequest.Builder> messages = split(present);
    for (SynchronizeRequest.Builder message : messages.subList(0, messages.size() - 1)) {
      SynchronizeResponse answer = call(plugin, message.setMore(true));
      if (!answer.getMore() || answer.getUpdateCount() > 0) {
        throw new IOException("it can't be told of so many pods and containers: it is too old");
      }
    }
    return call(plugin, messages.getLast()).getUpdateList();
  }

  private SynchronizeResponse call(Plugin plugin, SynchronizeRequest.Builder message)
      throws IOException, StatusException {
    return plugin.call("Synchronize", message.build(), SynchronizeResponse.parser(), timeout);
  }

  private static List<SynchronizeRequest.Builder> split(Plugins.Present present) {
    List<SynchronizeRequest.Builder> messages = new ArrayList<>();
    messages.add(SynchronizeRequest.newBuilder());
    long bytes = 0;
    for (PodSandbox pod : present.pods()) {
      bytes = room(messages, bytes, pod.getSerializedSize());
      messages.getLast().addPods(pod);
    }
    for (Container container : present.containers()) {
      bytes = room(messages, bytes, container.getSerializedSize());
      messages.getLast().addContainers(container);
    }
    return messages;
  }

  private static long room(List<SynchronizeRequest.Builder> messages, long bytes, int more) {
    if (bytes + more > MAX_BYTES && bytes > 0) {
      messages.add(SynchronizeRequest.newBuilder());
      return more;
    }
    return bytes + more;
  }
}
