package io.keelson.device.container;

import io.keelson.device.allocation.Allocations;
import io.keelson.device.allocation.Allocator;
import io.keelson.device.allocation.DeviceRequest;
import io.keelson.device.nic.Nics;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import io.keelson.proto.deviceplugin.v1beta1.DeviceSpec;
import io.keelson.proto.record.v1.DeviceAllocation;
import io.keelson.sandbox.FaultPoints;
import io.keelson.sandbox.error.KeelsonException;
import io.keelson.sandbox.error.NotFoundException;
import io.keelson.sandbox.port.ContainerContext;
import io.keelson.sandbox.port.Isolator;
import io.keelson.sandbox.spec.SpecBuilder;
import io.keelson.sandbox.spec.SpecDevice;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Devices that come to, and go from, containers that run, because somebody asks for it. Must be
 * among the isolators, after {@link RunningContainers}. Safe for use by many threads.
 */
public final class Hotplug implements Isolator {

  private static final Logger log = LoggerFactory.getLogger(Hotplug.class);

  private final Allocator allocator;
  private final Allocations allocations;
  private final Nics nics;
  private final RunningContainers containers;
  private final WithdrawnDevices withdrawn;
  private final FaultPoints faults;

  public Hotplug(
      Allocator allocator,
      Allocations allocations,
      Nics nics,
      RunningContainers containers,
      WithdrawnDevices withdrawn,
      FaultPoints faults) {
    this.allocator = allocator;
    this.allocations = allocations;
    this.nics = nics;
    this.containers = containers;
    this.withdrawn = withdrawn;
    this.faults = faults;
  }

  /**
   * Gives devices to a container that runs, beside those that it has.
   *
   * @return what it holds of the resources then
   */
  public List<DeviceAllocation> attach(String idOrPrefix, String request) throws IOException {
    ContainerContext container = containers.get(idOrPrefix);
    PodSandboxConfig pod = container.pod().config();
    String name = container.config().getMetadata().getName();
    ReentrantLock lock = containers.changing();
    lock.lock();
    try {
      LiveDevices live = containers.live(container);
      settle(container);
      Map<String, Integer> before = new HashMap<>();
      for (DeviceAllocation held : allocations.ofName(pod.getMetadata().getUid(), name)) {
        before.put(held.getResource(), held.getDeviceIdsCount());
      }
      List<DeviceRequest> wanted = new ArrayList<>();
      for (DeviceRequest more : DeviceRequest.parse(request)) {
        int held = before.getOrDefault(more.resource(), 0);
        wanted.add(new DeviceRequest(more.resource(), held + more.count(), more.selectors()));
      }
      List<DeviceAllocation> given =
          allocator.allocateToRunning(
              DeviceAnnotations.claimant(container.pod().id(), pod, name, container.id()), wanted);
      try {
        putIn(container, live, given);
      } catch (IOException | RuntimeException e) {
        for (DeviceAllocation allocation : given) {
          undo(allocation, e);
        }
        throw e;
      }
      for (DeviceAllocation allocation : given) {
        allocations.settled(allocation);
      }
      return given;
    } finally {
      lock.unlock();
    }
  }

  private void putIn(ContainerContext container, LiveDevices live, List<DeviceAllocation> given)
      throws IOException {
    nics.lend(container.pod(), container.id(), given);
    List<SpecDevice> nodes = new ArrayList<>();
    for (DeviceAllocation allocation : given) {
      nodes.addAll(live.nodes(allocation));
    }
    live.allow(containers.held(container), List.of());
    faults.reached("Hotplug:allowed");
    live.make(nodes);
    faults.reached("Hotplug:made");
  }

  private void undo(DeviceAllocation given, Exception failure) {
    try {
      takeOut(given, given.getSettled());
    } catch (IOException | KeelsonException e) {
      failure.addSuppressed(e);
    }
  }

  /**
   * Takes devices from a container that runs. Harmless for those that were taken from it before.
   *
   * @param ids empty for all that it holds of the resource
   * @throws NotFoundException if it never held one of them
   */
  public void detach(String idOrPrefix, String resource, Collection<String> ids)
      throws IOException {
    ContainerContext container = containers.get(idOrPrefix);
    ReentrantLock lock = containers.changing();
    lock.lock();
    try {
      settle(container);
      Optional<DeviceAllocation> held =
          allocations.ofContainer(container.id()).stream()
              .filter(allocation -> allocation.getResource().equals(resource))
              .findFirst();
      List<String> leaving =
          held.stream()
              .flatMap(allocation -> allocation.getDeviceIdsList().stream())
              .filter(id -> ids.isEmpty() || ids.contains(id))
              .toList();
      List<String> others = ids.stream().filter(id -> !leaving.contains(id)).toList();
      if ((leaving.isEmpty() || !others.isEmpty())
          && !withdrawn.hasDevices(container.id(), resource, others)) {
        throw new NotFoundException(
            "container %s holds no %s %s"
                .formatted(container.id(), resource, String.join(", ", others))
                .stripTrailing());
      }
      if (held.isPresent() && !leaving.isEmpty()) {
        detach(container, held.get(), leaving);
      }
    } finally {
      lock.unlock();
    }
  }

  private void detach(ContainerContext container, DeviceAllocation held, List<String> leaving)
      throws IOException {
    List<String> kept =
        held.getDeviceIdsList().stream().filter(id -> !leaving.contains(id)).toList();
    DeviceAllocation left = allocator.reduced(held, kept);
    withdrawn.addDevices(container.id(), held.getResource(), leaving);
    allocations.settling(held, left);
    faults.reached("Hotplug:leaving");
    try {
      takeOut(held, left);
    } catch (IOException | RuntimeException e) {
      allocations.settled(held); // it holds all of it as before
      throw e;
    }
  }

  /** The devices are free only when no container that runs can reach them any more. */
  private void takeOut(DeviceAllocation held, DeviceAllocation left) throws IOException {
    for (String id : held.getContainerIdsList()) {
      Optional<ContainerContext> container = containers.find(id);
      if (container.isPresent()) {
        withdraw(container.get(), held, left);
      }
    }
    nics.takeHomeDevices(
        held.getResource(),
        held.getDeviceIdsList().stream()
            .filter(id -> !left.getDeviceIdsList().contains(id))
            .toList());
    allocator.shrink(held, left);
  }

  private void withdraw(ContainerContext container, DeviceAllocation held, DeviceAllocation left)
      throws IOException {
    LiveDevices live = containers.live(container);
    List<SpecDevice> gone = new ArrayList<>();
    for (DeviceSpec node : held.getResponse().getDevicesList()) {
      if (!left.getResponse().getDevicesList().contains(node)) {
        gone.addAll(live.remove(node));
      }
    }
    faults.reached("Hotplug:removed");
    List<DeviceAllocation> all = containers.held(container);
    all.replaceAll(
        one ->
            one.getResource().equals(left.getResource()) && !one.getContainer().isEmpty()
                ? left
                : one);
    live.allow(all, gone);
  }

  @Override
  public void prepare(ContainerContext container, SpecBuilder spec) {}

  /** The daemon was killed while devices came or went: what came is undone, what went has gone. */
  @Override
  public void recover(Collection<ContainerContext> known) {
    ReentrantLock lock = containers.changing();
    lock.lock();
    try {
      for (DeviceAllocation half : allocations.unsettled()) {
        settle(half);
      }
    } catch (IOException | KeelsonException e) {
      log.atError()
          .setCause(e)
          .log("devices that were half in a container stay there; the next change tries again");
    } finally {
      lock.unlock();
    }
  }

  private void settle(ContainerContext container) throws IOException {
    for (DeviceAllocation held : allocations.ofContainer(container.id())) {
      if (held.hasSettled()) {
        settle(held);
      }
    }
  }

  private void settle(DeviceAllocation half) throws IOException {
    log.atInfo()
        .addKeyValue("containers", half.getContainerIdsList())
        .addKeyValue("resource", half.getResource())
        .addKeyValue("devices", half.getDeviceIdsList())
        .log(
            "a change of devices was cut short: {} are left", half.getSettled().getDeviceIdsList());
    takeOut(half, half.getSettled());
  }
}
