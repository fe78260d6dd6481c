package io.keelson.runtime.nri;

import io.keelson.proto.nri.v1alpha1.Container;
import io.keelson.proto.nri.v1alpha1.PodSandbox;
import io.keelson.sandbox.port.ContainerContext;
import io.keelson.sandbox.port.PodContext;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The plugins that are connected, and the pods and containers that they are told of.
 *
 * <p>How nothing is lost or told twice when a plugin connects: at one instant it joins the list and
 * all cells of that instant are noted. What is made later finds the plugin in the list. What was
 * there before is looked at one by one, each under its lock; from then on the plugin knows it and
 * hears of every further turn, and before that of none. Until it has been told the whole, the
 * plugin's turn is taken, so that everything else comes after.
 */
final class Plugins {

  /**
   * A new cell, and the plugins that there were when it was made.
   *
   * @param <C> what the core tells of it
   */
  record Opened<C>(Cell<C> cell, List<Plugin> plugins) {}

  /**
   * What a plugin was not told of by events.
   *
   * @param pods in no order
   * @param containers in no order
   */
  record Present(List<PodSandbox> pods, List<Container> containers) {}

  private static final Logger LOG = LoggerFactory.getLogger(Plugins.class);

  private final Object membership = new Object();
  private final ReentrantLock attaching = new ReentrantLock();
  private final Map<String, Cell<PodContext>> pods = new ConcurrentHashMap<>();
  private final Map<String, Cell<ContainerContext>> containers = new ConcurrentHashMap<>();
  private volatile List<Plugin> plugins = List.of(); // changed under membership

  /** In the order in which they are asked. */
  List<Plugin> all() {
    return plugins;
  }

  Opened<PodContext> open(PodContext pod) {
    return open(pods, pod.id(), pod);
  }

  Opened<ContainerContext> open(ContainerContext container) {
    return open(containers, container.id(), container);
  }

  private <C> Opened<C> open(Map<String, Cell<C>> cells, String id, C context) {
    synchronized (membership) {
      return new Opened<>(cells.computeIfAbsent(id, _ -> new Cell<>(id, context)), plugins);
    }
  }

  Optional<Cell<PodContext>> pod(String id) {
    return Optional.ofNullable(pods.get(id));
  }

  Optional<Cell<ContainerContext>> container(String id) {
    return Optional.ofNullable(containers.get(id));
  }

  List<Cell<ContainerContext>> containersOf(String podId) {
    return containers.values().stream()
        .filter(cell -> cell.context().pod().id().equals(podId))
        .toList();
  }

  void removePod(String id) {
    pods.remove(id);
    forget(id);
  }

  void removeContainer(String id) {
    containers.remove(id);
    forget(id);
  }

  private void forget(String id) {
    plugins.forEach(plugin -> plugin.forget(id));
  }

  /**
   * Adds a plugin whose turn the caller has taken.
   *
   * @param pod describes a pod whose cell is locked, empty for one that is not to be told of
   * @param container the same for a container
   * @return what it is to be told before its turn is ended
   */
  Present attach(
      Plugin plugin,
      Function<Cell<PodContext>, Optional<PodSandbox>> pod,
      Function<Cell<ContainerContext>, Optional<Container>> container) {
    attaching.lock(); // else two of them could wait for each other's turn
    try {
      Collection<Cell<PodContext>> podCells;
      Collection<Cell<ContainerContext>> containerCells;
      synchronized (membership) {
        List<Plugin> next = new ArrayList<>(plugins);
        next.add(plugin);
        next.sort(Comparator.comparing(member -> member.identity().index()));
        plugins = List.copyOf(next);
        podCells = List.copyOf(pods.values());
        containerCells = List.copyOf(containers.values());
      }
      return new Present(
          describe(plugin, podCells, pod), describe(plugin, containerCells, container));
    } finally {
      attaching.unlock();
    }
  }

  private static <C, M> List<M> describe(
      Plugin plugin, Collection<Cell<C>> cells, Function<Cell<C>, Optional<M>> description) {
    List<M> described = new ArrayList<>();
    for (Cell<C> cell : cells) {
      cell.lock().lock();
      try {
        if (!cell.removed() && !cell.ended()) {
          description
              .apply(cell)
              .ifPresent(
                  message -> {
                    plugin.know(cell.id());
                    described.add(message);
                  });
        }
      } finally {
        cell.lock().unlock();
      }
    }
    return described;
  }

  void detach(Plugin plugin) {
    synchronized (membership) {
      List<Plugin> next = new ArrayList<>(plugins);
      if (!next.remove(plugin)) {
        return;
      }
      plugins = List.copyOf(next);
    }
    LOG.atInfo().addKeyValue("plugin", plugin.label()).log("NRI plugin has gone");
  }
}
