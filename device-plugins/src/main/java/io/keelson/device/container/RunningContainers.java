package io.keelson.device.container;

import io.keelson.device.allocation.Allocations;
import io.keelson.linux.ProcessId;
import io.keelson.proto.record.v1.DeviceAllocation;
import io.keelson.sandbox.error.FailedPreconditionException;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.error.NotFoundException;
import io.keelson.sandbox.port.ContainerContext;
import io.keelson.sandbox.port.Isolator;
import io.keelson.sandbox.spec.SpecBuilder;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The node's containers, and how the devices of those that run can be changed. Safe for use by many
 * threads.
 */
public final class RunningContainers implements Isolator {

  private final Allocations allocations;
  private final NodeOwners owners;
  private final WithdrawnDevices withdrawn;
  private final Map<String, ContainerContext> known = new ConcurrentHashMap<>();
  private final ReentrantLock changing = new ReentrantLock();

  private volatile Optional<ContainerAccess> access = Optional.empty();

  public RunningContainers(Allocations allocations, NodeOwners owners, WithdrawnDevices withdrawn) {
    this.allocations = allocations;
    this.owners = owners;
    this.withdrawn = withdrawn;
  }

  /** Comes once, when the core is there. */
  public void open(ContainerAccess core) {
    access = Optional.of(core);
  }

  @Override
  public void prepare(ContainerContext container, SpecBuilder spec) {}

  @Override
  public void created(ContainerContext container) {
    known.put(container.id(), container);
  }

  @Override
  public void recover(Collection<ContainerContext> containers) throws IOException {
    containers.forEach(this::created);
    withdrawn.forgetAllBut(Set.copyOf(known.keySet()));
  }

  @Override
  public void cleanup(ContainerContext container) throws IOException {
    known.remove(container.id());
    withdrawn.forget(container.id());
  }

  /**
   * To be held over each change of nodes and rules of access: they are few, and each depends on
   * what all others have left.
   */
  ReentrantLock changing() {
    return changing;
  }

  /** A container, if it is there and runs. */
  Optional<ContainerContext> find(String id) {
    return Optional.ofNullable(known.get(id))
        .filter(container -> access.flatMap(core -> core.init(container.id())).isPresent());
  }

  /**
   * A container that runs, by its id or a prefix of it that no other has.
   *
   * @throws NotFoundException if there is none
   * @throws FailedPreconditionException if it does not run
   */
  ContainerContext get(String idOrPrefix) {
    List<ContainerContext> matches =
        known.values().stream().filter(c -> c.id().startsWith(idOrPrefix)).toList();
    if (idOrPrefix.isEmpty() || matches.isEmpty()) {
      throw new NotFoundException("there is no container " + idOrPrefix);
    }
    if (matches.size() > 1) {
      throw new InvalidRequestException(
          "%d containers have ids that begin with %s".formatted(matches.size(), idOrPrefix));
    }
    var _ = init(matches.getFirst(), core());
    return matches.getFirst();
  }

  private ContainerAccess core() {
    return access.orElseThrow(() -> new FailedPreconditionException("the daemon is not ready yet"));
  }

  private static ProcessId init(ContainerContext container, ContainerAccess core) {
    return core.init(container.id())
        .orElseThrow(
            () ->
                new FailedPreconditionException(
                    "container %s does not run".formatted(container.id())));
  }

  /** What a container that runs has now, to be changed. */
  LiveDevices live(ContainerContext container) throws IOException {
    ContainerAccess core = core();
    return new LiveDevices(container, init(container, core), core, owners, withdrawn);
  }

  /** All that the container holds, of its own and of its pod. */
  List<DeviceAllocation> held(ContainerContext container) {
    List<DeviceAllocation> held = new ArrayList<>(allocations.ofContainer(container.id()));
    held.addAll(allocations.ofSandbox(container.pod().id()));
    return held;
  }
}
