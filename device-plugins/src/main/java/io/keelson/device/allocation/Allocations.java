package io.keelson.device.allocation;

import io.keelson.device.plugin.Device;
import io.keelson.device.plugin.Resource;
import io.keelson.proto.deviceplugin.v1beta1.ContainerAllocateResponse;
import io.keelson.proto.record.v1.DeviceAllocation;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;

/**
 * All allocations of the node, in memory as on disk. A change is written before it is seen. Safe
 * for use by many threads.
 */
public final class Allocations {

  private final AllocationFiles files;
  private final ReentrantLock lock = new ReentrantLock();

  /** Guarded by {@link #lock}. */
  private final Map<AllocationKey, DeviceAllocation> byKey = new HashMap<>();

  private Allocations(AllocationFiles files) {
    this.files = files;
  }

  /** Reads what an earlier life of the daemon gave away. */
  public static Allocations open(Path folder) throws IOException {
    Allocations allocations = new Allocations(new AllocationFiles(folder));
    for (DeviceAllocation allocation : allocations.files.load()) {
      allocations.byKey.put(AllocationKey.of(allocation), allocation);
    }
    return allocations;
  }

  public List<DeviceAllocation> all() {
    return where(_ -> true);
  }

  /** What a container holds by its id. */
  public List<DeviceAllocation> ofContainer(String containerId) {
    return where(allocation -> allocation.getContainerIdsList().contains(containerId));
  }

  /** What belongs to a pod as a whole. */
  public List<DeviceAllocation> ofSandbox(String sandboxId) {
    return where(
        allocation ->
            allocation.getContainer().isEmpty() && allocation.getSandboxId().equals(sandboxId));
  }

  /**
   * What was asked for by name of pod and container, ahead of the container or by another attempt.
   */
  public List<DeviceAllocation> ofName(String podUid, String container) {
    return where(
        allocation ->
            allocation.getPodUid().equals(podUid) && allocation.getContainer().equals(container));
  }

  public List<DeviceAllocation> ofResource(String resource) {
    return where(allocation -> allocation.getResource().equals(resource));
  }

  Optional<DeviceAllocation> find(Claimant claimant, String resource) {
    lock.lock();
    try {
      return Optional.ofNullable(byKey.get(AllocationKey.of(claimant, resource)));
    } finally {
      lock.unlock();
    }
  }

  private List<DeviceAllocation> where(Predicate<DeviceAllocation> wanted) {
    lock.lock();
    try {
      return byKey.values().stream().filter(wanted).toList();
    } finally {
      lock.unlock();
    }
  }

  /** The claimant holds these devices, in place of what it held of this resource. */
  DeviceAllocation hold(Claimant claimant, Resource resource, List<String> ids) throws IOException {
    lock.lock();
    try {
      AllocationKey key = AllocationKey.of(claimant, resource.name());
      DeviceAllocation before = byKey.get(key);
      DeviceAllocation.Builder next =
          before == null ? DeviceAllocation.newBuilder() : before.toBuilder();
      next.setPodUid(claimant.podUid())
          .setPodNamespace(claimant.namespace())
          .setPodName(claimant.podName())
          .setSandboxId(claimant.sandboxId())
          .setContainer(claimant.container())
          .setResource(resource.name())
          .clearDeviceIds()
          .addAllDeviceIds(ids)
          .clearNumaNodes()
          .addAllNumaNodes(nodes(resource, ids));
      if (claimant.containerId().isEmpty()) {
        next.setReserved(!claimant.container().isEmpty());
      } else if (!next.getContainerIdsList().contains(claimant.containerId())) {
        next.addContainerIds(claimant.containerId());
      }
      return put(next.build());
    } finally {
      lock.unlock();
    }
  }

  private static List<Long> nodes(Resource resource, List<String> ids) {
    return ids.stream()
        .map(resource.devices()::get)
        .filter(Objects::nonNull)
        .map(Device::numaNodes)
        .flatMap(List::stream)
        .distinct()
        .sorted()
        .toList();
  }

  /** A container takes what was reserved under its name. */
  public DeviceAllocation join(DeviceAllocation reserved, String containerId) throws IOException {
    lock.lock();
    try {
      DeviceAllocation now = byKey.getOrDefault(AllocationKey.of(reserved), reserved);
      return now.getContainerIdsList().contains(containerId)
          ? now
          : put(now.toBuilder().addContainerIds(containerId).build());
    } finally {
      lock.unlock();
    }
  }

  DeviceAllocation answered(DeviceAllocation allocation, ContainerAllocateResponse answer)
      throws IOException {
    lock.lock();
    try {
      DeviceAllocation now = byKey.getOrDefault(AllocationKey.of(allocation), allocation);
      return now.hasResponse() && now.getResponse().equals(answer)
          ? now
          : put(now.toBuilder().setResponse(answer).build());
    } finally {
      lock.unlock();
    }
  }

  DeviceAllocation keepOnly(DeviceAllocation allocation, List<String> ids) throws IOException {
    lock.lock();
    try {
      DeviceAllocation now = byKey.getOrDefault(AllocationKey.of(allocation), allocation);
      return put(now.toBuilder().clearDeviceIds().addAllDeviceIds(ids).build());
    } finally {
      lock.unlock();
    }
  }

  private DeviceAllocation put(DeviceAllocation allocation) throws IOException {
    files.save(allocation);
    byKey.put(AllocationKey.of(allocation), allocation);
    return allocation;
  }

  /** A container goes. Returns what nobody holds any more. */
  List<DeviceAllocation> leave(String containerId) throws IOException {
    lock.lock();
    try {
      List<DeviceAllocation> freed = new ArrayList<>();
      for (DeviceAllocation allocation : ofContainer(containerId)) {
        List<String> left =
            allocation.getContainerIdsList().stream()
                .filter(id -> !id.equals(containerId))
                .toList();
        if (left.isEmpty()) {
          drop(allocation);
          freed.add(allocation);
        } else {
          put(allocation.toBuilder().clearContainerIds().addAllContainerIds(left).build());
        }
      }
      return freed;
    } finally {
      lock.unlock();
    }
  }

  void drop(DeviceAllocation allocation) throws IOException {
    lock.lock();
    try {
      files.delete(allocation);
      byKey.remove(AllocationKey.of(allocation));
    } finally {
      lock.unlock();
    }
  }

  /**
   * Forgets holders that do not exist.
   *
   * @return what nobody holds any more, still there
   */
  public List<DeviceAllocation> orphans(
      Collection<String> containerIds, Collection<String> sandboxIds) {
    Set<String> containers = Set.copyOf(containerIds);
    Set<String> sandboxes = Set.copyOf(sandboxIds);
    return where(
        allocation -> {
          if (allocation.getContainer().isEmpty()) {
            return !sandboxes.contains(allocation.getSandboxId());
          }
          boolean used = allocation.getContainerIdsList().stream().anyMatch(containers::contains);
          boolean waits = allocation.getReserved() && allocation.getContainerIdsCount() == 0;
          return !used && !waits;
        });
  }
}
