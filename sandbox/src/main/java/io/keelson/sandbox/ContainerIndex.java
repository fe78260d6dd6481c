package io.keelson.sandbox;

import io.keelson.sandbox.error.NotFoundException;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.stream.Stream;

/** The containers in memory, by id and by pod. Reads take no lock; safe for use by many threads. */
final class ContainerIndex {

  private final Index<ContainerEntry> byId = new Index<>("container");
  private final ConcurrentMap<String, List<ContainerEntry>> bySandbox = new ConcurrentHashMap<>();

  void put(ContainerEntry container) {
    byId.put(container.id(), container);
    bySandbox.merge(
        container.record().getSandboxId(),
        List.of(container),
        (before, added) -> Stream.concat(before.stream(), added.stream()).toList());
  }

  void remove(ContainerEntry container) {
    byId.remove(container.id());
    bySandbox.computeIfPresent(
        container.record().getSandboxId(),
        (_, before) -> {
          List<ContainerEntry> left =
              before.stream().filter(other -> !other.id().equals(container.id())).toList();
          return left.isEmpty() ? null : left;
        });
  }

  Collection<ContainerEntry> all() {
    return byId.all();
  }

  /** In the order in which they were made or found. */
  List<ContainerEntry> of(String sandboxId) {
    return bySandbox.getOrDefault(sandboxId, List.of());
  }

  /** As {@link Index#find}. */
  Optional<ContainerEntry> find(String idOrPrefix) {
    return byId.find(idOrPrefix);
  }

  /**
   * As {@link Index#get}.
   *
   * @throws NotFoundException if no id, or more than one, begins so
   */
  ContainerEntry get(String idOrPrefix) {
    return byId.get(idOrPrefix);
  }
}
