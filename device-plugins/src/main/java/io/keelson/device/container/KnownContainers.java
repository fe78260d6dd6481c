package io.keelson.device.container;

import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.error.NotFoundException;
import io.keelson.sandbox.port.ContainerContext;
import io.keelson.sandbox.port.Isolator;
import io.keelson.sandbox.spec.SpecBuilder;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/** The node's containers by id, so that devices can come to one that runs. */
final class KnownContainers implements Isolator {

  private final Runnable recovered;
  private final Map<String, ContainerContext> containers = new ConcurrentHashMap<>();

  /**
   * @param recovered to be done when those of an earlier life of the daemon are known
   */
  KnownContainers(Runnable recovered) {
    this.recovered = recovered;
  }

  @Override
  public void prepare(ContainerContext container, SpecBuilder spec) {}

  @Override
  public void created(ContainerContext container) {
    containers.put(container.id(), container);
  }

  @Override
  public void recover(Collection<ContainerContext> known) {
    known.forEach(this::created);
    recovered.run();
  }

  @Override
  public void cleanup(ContainerContext container) {
    containers.remove(container.id());
  }

  Optional<ContainerContext> find(String id) {
    return Optional.ofNullable(containers.get(id));
  }

  /**
   * By id or a prefix of it that no other has.
   *
   * @throws NotFoundException if there is none
   */
  ContainerContext get(String idOrPrefix) {
    List<ContainerContext> matches =
        containers.values().stream().filter(c -> c.id().startsWith(idOrPrefix)).toList();
    if (idOrPrefix.isEmpty() || matches.isEmpty()) {
      throw new NotFoundException("there is no container " + idOrPrefix);
    }
    if (matches.size() > 1) {
      throw new InvalidRequestException(
          "%d containers have ids that begin with %s".formatted(matches.size(), idOrPrefix));
    }
    return matches.getFirst();
  }
}
