package io.keelson.device.allocation;

import io.keelson.device.plugin.Device;
import io.keelson.device.plugin.Resource;
import io.keelson.device.record.KeyedRecords;
import io.keelson.proto.deviceplugin.v1beta1.ContainerAllocateResponse;
import io.keelson.proto.record.v1.DeviceAllocation;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;

/**
 * All allocations of the node, in memory as on disk. A change is written before it is seen. Safe
 * for use by many threads.
 */
public final class Allocations {

  private final KeyedRecords<DeviceAllocation> records;

  /** Held over a change: what is there, made into what shall be. Reads don't wait for it. */
  private final ReentrantLock lock = new ReentrantLock();

  private Allocations(KeyedRecords<DeviceAllocation> records) {
    this.records = records;
  }

  /** Reads what an earlier life of the daemon gave away. */
  public static Allocations open(Path folder) throws IOException {
    return new Allocations(KeyedRecords.open(folder, DeviceAllocation.parser(), Allocations::key));
  }

  private static String key(DeviceAllocation allocation) {
    return key(allocation.getPodUid(), allocation.getContainer(), allocation.getResource());
  }

  /** What an allocation is found by again, over restarts of containers and of the daemon. */
  private static String key(String podUid, String container, String resource) {
    return podUid + '\0' + container + '\0' + resource;
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
    return records.find(key(claimant.podUid(), claimant.container(), resource));
  }

  private List<DeviceAllocation> where(Predicate<DeviceAllocation> wanted) {
    return records.all().stream().filter(wanted).toList();
  }

  /**
   * The claimant holds these devices, in place of what it held of this resource.
   *
   * @param settles they are still to come to a running container: what was held before is kept in
   *     mind until {@link #settled}
   */
  DeviceAllocation hold(Claimant claimant, Resource resource, List<String> ids, boolean settles)
      throws IOException {
    lock.lock();
    try {
      DeviceAllocation.Builder next =
          find(claimant, resource.name())
              .map(DeviceAllocation::toBuilder)
              .orElseGet(DeviceAllocation::newBuilder);
      next.setPodUid(claimant.podUid())
          .setPodNamespace(claimant.namespace())
          .setPodName(claimant.podName())
          .setSandboxId(claimant.sandboxId())
          .setContainer(claimant.container())
          .setResource(resource.name());
      if (settles) {
        next.setSettled(next.clone());
      }
      next.clearDeviceIds()
          .addAllDeviceIds(ids)
          .clearNumaNodes()
          .addAllNumaNodes(nodes(resource, ids));
      if (claimant.containerId().isEmpty()) {
        next.setReserved(!claimant.container().isEmpty());
      } else if (!next.getContainerIdsList().contains(claimant.containerId())) {
        next.addContainerIds(claimant.containerId());
      }
      return records.put(next.build());
    } finally {
      lock.unlock();
    }
  }

  static List<Long> nodes(Resource resource, List<String> ids) {
    return ids.stream()
        .map(resource.devices()::get)
        .filter(Objects::nonNull)
        .map(Device::numaNodes)
        .flatMap(List::stream)
        .distinct()
        .sorted()
        .toList();
  }

  /**
   * A container takes what was reserved under its name.
   *
   * @return empty if it was given back meanwhile
   */
  public Optional<DeviceAllocation> join(DeviceAllocation reserved, String containerId)
      throws IOException {
    return change(
        reserved,
        now ->
            now.getContainerIdsList().contains(containerId)
                ? now
                : now.toBuilder().addContainerIds(containerId).build());
  }

  /** Devices are to go from a running container: this is what it will hold. */
  public void settling(DeviceAllocation held, DeviceAllocation left) throws IOException {
    var _ = change(held, now -> now.toBuilder().setSettled(left).build());
  }

  /** What has come to the container, or was to go from it, is its own now. */
  public void settled(DeviceAllocation held) throws IOException {
    var _ = change(held, now -> now.toBuilder().clearSettled().build());
  }

  /** Allocations that a crash has left between two states. */
  public List<DeviceAllocation> unsettled() {
    return where(DeviceAllocation::hasSettled);
  }

  Optional<DeviceAllocation> answered(DeviceAllocation allocation, ContainerAllocateResponse answer)
      throws IOException {
    return change(allocation, now -> now.toBuilder().setResponse(answer).build());
  }

  /** The devices and the plugin's answer become these; who holds them stays as it is by now. */
  Optional<DeviceAllocation> become(DeviceAllocation wanted) throws IOException {
    return change(
        wanted,
        now ->
            wanted.toBuilder()
                .clearContainerIds()
                .addAllContainerIds(now.getContainerIdsList())
                .build());
  }

  /** What nobody holds any more stays away, whoever still knows it. */
  private Optional<DeviceAllocation> change(
      DeviceAllocation known, UnaryOperator<DeviceAllocation> change) throws IOException {
    lock.lock();
    try {
      Optional<DeviceAllocation> now = records.find(key(known));
      if (now.isEmpty()) {
        return now;
      }
      DeviceAllocation next = change.apply(now.get());
      return next.equals(now.get()) ? now : Optional.of(records.put(next));
    } finally {
      lock.unlock();
    }
  }

  /** A container goes. Returns what nobody holds any more. */
  List<DeviceAllocation> leave(String containerId) throws IOException {
    if (ofContainer(containerId).isEmpty()) {
      return List.of(); // it must not wait for others' changes
    }
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
          records.put(allocation.toBuilder().clearContainerIds().addAllContainerIds(left).build());
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
      records.remove(allocation);
    } finally {
      lock.unlock();
    }
  }
}
