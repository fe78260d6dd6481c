package io.keelson.sandbox.stats;

import io.keelson.linux.NamespaceType;
import io.keelson.linux.Namespaces;
import io.keelson.linux.netlink.Link;
import io.keelson.linux.netlink.RouteSocket;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

/**
 * Reads the links of network namespaces by netlink, each at most once a second. It keeps no
 * descriptor open, which would keep a namespace alive that its pod has left. Safe for use by many
 * threads.
 */
final class NetworkSampler {

  private static final String LOOPBACK = "lo";

  /** The links of a namespace at a moment, without the loopback and those that are down. */
  record Traffic(List<Link> links, long time, long clock) {}

  private final ConcurrentMap<Path, Traffic> samples = new ConcurrentHashMap<>();

  /** No older than a second; a namespace that is gone is missing in the answer. */
  Map<Path, Traffic> sample(Collection<Path> namespaces) throws IOException {
    Map<Path, Traffic> result = new HashMap<>();
    List<Path> stale = new ArrayList<>();
    long clock = System.nanoTime();
    for (Path namespace : namespaces) {
      Traffic known = samples.get(namespace);
      if (known != null && clock - known.clock() < GroupSampler.FRESH_NANOS) {
        result.put(namespace, known);
      } else {
        stale.add(namespace);
      }
    }
    long time = GroupSampler.now();
    Namespaces.callInEach(stale, NamespaceType.NET, NetworkSampler::links)
        .forEach(
            (namespace, links) -> {
              Traffic traffic = new Traffic(links, time, clock);
              samples.put(namespace, traffic);
              result.put(namespace, traffic);
            });
    return result;
  }

  private static List<Link> links() throws IOException {
    try (RouteSocket socket = RouteSocket.open()) {
      return socket.links().stream()
          .filter(link -> link.up() && !link.name().equals(LOOPBACK))
          .toList();
    }
  }

  /** Forgets all namespaces but these. */
  void retain(Set<Path> namespaces) {
    samples.keySet().retainAll(namespaces);
  }
}
