package io.keelson.device.allocation;

import io.keelson.device.allocation.DeviceChoice.Pool;
import io.keelson.device.plugin.DevicePlugin;
import io.keelson.device.plugin.PluginRegistry;
import io.keelson.device.plugin.Resource;
import io.keelson.proto.deviceplugin.v1beta1.ContainerAllocateResponse;
import io.keelson.proto.record.v1.DeviceAllocation;
import io.keelson.sandbox.FaultPoints;
import io.keelson.sandbox.NamedLocks;
import io.keelson.sandbox.error.FailedPreconditionException;
import io.keelson.sandbox.error.KeelsonException;
import io.keelson.sandbox.error.OperationFailedException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * Gives devices of all resources to containers and pods. Each device has one holder at a time; who
 * holds what is on disk before anyone is told of it. Safe for use by many threads; calls for one
 * claimant never overlap.
 */
public final class Allocator {

  private final PluginRegistry registry;
  private final Allocations allocations;
  private final Candidates candidates;
  private final AllocationObserver observer;
  private final FaultPoints faults;

  /** By resource. Held over a choice, so that no device is chosen twice; taken in order. */
  private final NamedLocks choosing = new NamedLocks();

  public Allocator(
      PluginRegistry registry,
      Allocations allocations,
      AllocationObserver observer,
      FaultPoints faults) {
    this.faults = faults;
    this.registry = registry;
    this.allocations = allocations;
    this.candidates = new Candidates(allocations);
    this.observer = observer;
  }

  /**
   * Gives all that is asked for, or nothing. Who asks again, as the same container of the same pod,
   * gets the same devices.
   *
   * @param nearTo NUMA nodes that are preferred, such as those of the container's memory
   * @return one for each resource, with the plugins' answers
   * @throws io.keelson.sandbox.error.ResourceExhaustedException if there are not enough
   * @throws io.keelson.sandbox.error.UnavailableException if a plugin is not back in time
   */
  public List<DeviceAllocation> allocate(
      Claimant claimant, List<DeviceRequest> requests, Set<Long> nearTo) throws IOException {
    return allocate(claimant, requests, nearTo, false);
  }

  /**
   * The same for a container that runs: what it is given is unsettled, until it is there.
   *
   * @see Allocations#settled
   */
  public List<DeviceAllocation> allocateToRunning(Claimant claimant, List<DeviceRequest> requests)
      throws IOException {
    return allocate(claimant, requests, Set.of(), true);
  }

  private List<DeviceAllocation> allocate(
      Claimant claimant, List<DeviceRequest> requests, Set<Long> nearTo, boolean settles)
      throws IOException {
    List<DeviceAllocation> given = new ArrayList<>();
    List<Taken> taken = new ArrayList<>();
    try {
      List<Resource> resources = new ArrayList<>();
      for (DeviceRequest request : requests) {
        resources.add(registry.await(request.resource()));
      }
      for (DeviceAllocation reserved :
          reserve(claimant, requests, resources, nearTo, settles, taken)) {
        faults.reached("Devices:held");
        given.add(complete(reserved));
        faults.reached("Devices:answered");
      }
      for (DeviceAllocation allocation : given) {
        observer.allocated(allocation);
      }
      return given;
    } catch (IOException | RuntimeException e) {
      observer.failed(e);
      for (Taken one : taken) {
        giveUp(one, e);
      }
      throw e;
    }
  }

  /** What a request has taken so far, and what the claimant had of the same resource before. */
  private record Taken(DeviceAllocation now, Optional<DeviceAllocation> before) {}

  private List<DeviceAllocation> reserve(
      Claimant claimant,
      List<DeviceRequest> requests,
      List<Resource> resources,
      Set<Long> nearTo,
      boolean settles,
      List<Taken> taken)
      throws IOException {
    List<NamedLocks.Held> locks =
        new TreeSet<>(requests.stream().map(DeviceRequest::resource).toList())
            .stream().map(choosing::hold).toList();
    try {
      Map<DeviceRequest, Pool> pools = new LinkedHashMap<>();
      for (int i = 0; i < requests.size(); i++) {
        pools.put(requests.get(i), candidates.pool(claimant, requests.get(i), resources.get(i)));
      }
      Optional<Long> node = DeviceChoice.node(pools.values(), nearTo);
      List<DeviceAllocation> reserved = new ArrayList<>();
      for (int i = 0; i < requests.size(); i++) {
        Resource resource = resources.get(i);
        Pool pool = Objects.requireNonNull(pools.get(requests.get(i)));
        List<String> ids = Candidates.choose(resource, pool, node);
        Optional<DeviceAllocation> before = allocations.find(claimant, resource.name());
        DeviceAllocation allocation = allocations.hold(claimant, resource, ids, settles);
        reserved.add(allocation);
        taken.add(new Taken(allocation, before));
      }
      return reserved;
    } finally {
      locks.forEach(NamedLocks.Held::close);
    }
  }

  /** Asks the plugin what belongs into the container, and keeps the answer. */
  private DeviceAllocation complete(DeviceAllocation reserved) throws IOException {
    ContainerAllocateResponse answer = ask(reserved, reserved.getDeviceIdsList(), true);
    return allocations
        .answered(reserved, answer)
        .orElseThrow(
            () ->
                new FailedPreconditionException(
                    "%s %s were given back meanwhile"
                        .formatted(reserved.getResource(), reserved.getDeviceIdsList())));
  }

  private ContainerAllocateResponse ask(DeviceAllocation held, List<String> ids, boolean starts)
      throws IOException {
    DevicePlugin plugin = registry.await(held.getResource()).plugin();
    try {
      ContainerAllocateResponse answer = plugin.allocate(ids);
      faults.reached("Devices:allocated");
      if (starts && plugin.wantsPreStart()) {
        plugin.preStart(ids);
      }
      return answer;
    } catch (IOException e) {
      throw new OperationFailedException(
          "%s %s can't be allocated: %s".formatted(held.getResource(), ids, e.getMessage()), e);
    }
  }

  private void giveUp(Taken taken, Exception failure) {
    try {
      if (taken.before.isPresent()) {
        var _ = allocations.become(taken.before.get());
      } else {
        allocations.drop(taken.now);
      }
    } catch (IOException | KeelsonException e) {
      failure.addSuppressed(e);
    }
  }

  /** A container is removed: what it alone held is free. */
  public void releaseContainer(String containerId) throws IOException {
    for (DeviceAllocation gone : allocations.leave(containerId)) {
      faults.reached("Devices:left");
      freed(gone);
    }
  }

  /** A pod is stopped: what belonged to all of it is free. */
  public void releasePod(String sandboxId) throws IOException {
    for (DeviceAllocation own : allocations.ofSandbox(sandboxId)) {
      release(own);
    }
  }

  /** Takes devices back, whoever holds them. */
  public void release(DeviceAllocation allocation) throws IOException {
    allocations.drop(allocation);
    freed(allocation);
  }

  /**
   * What would be left of an allocation with some of its devices alone, as the plugin answers for
   * them. Nothing is given back yet.
   *
   * @param kept among its devices
   */
  public DeviceAllocation reduced(DeviceAllocation held, List<String> kept) throws IOException {
    DeviceAllocation.Builder left =
        held.toBuilder()
            .clearSettled()
            .clearDeviceIds()
            .addAllDeviceIds(kept)
            .clearNumaNodes()
            .clearResponse();
    if (!kept.isEmpty()) {
      left.setResponse(ask(held, kept, false))
          .addAllNumaNodes(Allocations.nodes(registry.await(held.getResource()), kept));
    }
    return left.build();
  }

  /** Takes back what {@link #reduced} left out. */
  public void shrink(DeviceAllocation held, DeviceAllocation left) throws IOException {
    if (left.getDeviceIdsCount() == 0) {
      release(held);
    } else {
      var _ = allocations.become(left);
      observer.released(held);
    }
  }

  /** The plugin's devices have other nodes by now: what it answers now is what counts. */
  public void answerAnew(DeviceAllocation held) throws IOException {
    ContainerAllocateResponse answer;
    try {
      answer = ask(held, held.getDeviceIdsList(), false);
    } catch (IOException | KeelsonException e) {
      answer = held.getResponse().toBuilder().clearDevices().build(); // the device is away
    }
    var _ = allocations.answered(held, answer);
  }

  private void freed(DeviceAllocation allocation) throws IOException {
    observer.released(allocation);
    Optional<Resource> resource = registry.resource(allocation.getResource());
    if (resource.isPresent()) {
      resource.get().plugin().free(allocation.getDeviceIdsList());
    }
  }
}
