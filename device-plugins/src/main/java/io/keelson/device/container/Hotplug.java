package io.keelson.device.container;

import io.keelson.device.allocation.Allocations;
import io.keelson.device.allocation.Allocator;
import io.keelson.device.allocation.DeviceRequest;
import io.keelson.device.builtin.NodeListener;
import io.keelson.device.nic.Nics;
import io.keelson.linux.ProcessId;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import io.keelson.proto.deviceplugin.v1beta1.DeviceSpec;
import io.keelson.proto.record.v1.DeviceAllocation;
import io.keelson.sandbox.FaultPoints;
import io.keelson.sandbox.error.FailedPreconditionException;
import io.keelson.sandbox.error.KeelsonException;
import io.keelson.sandbox.error.NotFoundException;
import io.keelson.sandbox.port.ContainerContext;
import io.keelson.sandbox.port.Isolator;
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
 * Devices that come to, and go from, containers that run: because somebody asks for it, or because
 * a device that a container holds was plugged in or out. Safe for use by many threads.
 */
public final class Hotplug implements NodeListener {

  private static final Logger log = LoggerFactory.getLogger(Hotplug.class);

  private final Allocator allocator;
  private final Allocations allocations;
  private final Nics nics;
  private final NodeOwners owners;
  private final FaultPoints faults;
  private final KnownContainers containers = new KnownContainers(this::settleAll);

  /** Changes of nodes and rules are few, and each depends on what all others have left. */
  private final ReentrantLock lock = new ReentrantLock();

  private volatile Optional<ContainerAccess> access = Optional.empty();

  public Hotplug(
      Allocator allocator,
      Allocations allocations,
      Nics nics,
      NodeOwners owners,
      FaultPoints faults) {
    this.allocator = allocator;
    this.allocations = allocations;
    this.nics = nics;
    this.owners = owners;
    this.faults = faults;
  }

  /** Must be among the isolators, to know the containers. */
  public Isolator isolator() {
    return containers;
  }

  /** Comes once, when the core is there. */
  public void open(ContainerAccess core) {
    access = Optional.of(core);
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
    lock.lock();
    try {
      LiveDevices live = live(container);
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
    live.allow(held(container), List.of());
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
   * Takes devices from a container that runs.
   *
   * @param ids empty for all that it holds of the resource
   */
  public void detach(String idOrPrefix, String resource, Collection<String> ids)
      throws IOException {
    ContainerContext container = containers.get(idOrPrefix);
    lock.lock();
    try {
      if (!isRunning(container)) {
        throw notRunning(container);
      }
      settle(container);
      DeviceAllocation held =
          allocations.ofContainer(container.id()).stream()
              .filter(allocation -> allocation.getResource().equals(resource))
              .filter(allocation -> allocation.getDeviceIdsList().containsAll(ids))
              .findFirst()
              .orElseThrow(
                  () ->
                      new NotFoundException(
                          "container %s holds no %s %s"
                              .formatted(container.id(), resource, String.join(", ", ids))
                              .stripTrailing()));
      List<String> kept =
          held.getDeviceIdsList().stream()
              .filter(id -> !ids.isEmpty() && !ids.contains(id))
              .toList();
      DeviceAllocation left = allocator.reduced(held, kept);
      allocations.settling(held, left);
      faults.reached("Hotplug:leaving");
      try {
        takeOut(held, left);
      } catch (IOException | RuntimeException e) {
        allocations.settled(held); // it holds all of it as before
        throw e;
      }
    } finally {
      lock.unlock();
    }
  }

  /** The devices are free only when no container that runs can reach them any more. */
  private void takeOut(DeviceAllocation held, DeviceAllocation left) throws IOException {
    for (String id : held.getContainerIdsList()) {
      Optional<ContainerContext> container = containers.find(id).filter(this::isRunning);
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
    LiveDevices live = live(container);
    List<SpecDevice> gone = new ArrayList<>();
    for (DeviceSpec node : held.getResponse().getDevicesList()) {
      if (!left.getResponse().getDevicesList().contains(node)) {
        gone.addAll(live.remove(node));
      }
    }
    faults.reached("Hotplug:removed");
    List<DeviceAllocation> all = held(container);
    all.replaceAll(
        one ->
            one.getResource().equals(left.getResource()) && !one.getContainer().isEmpty()
                ? left
                : one);
    live.allow(all, gone);
  }

  /** The daemon was killed while devices came or went: what came is undone, what went has gone. */
  private void settleAll() {
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

  @Override
  public void nodesChanged(
      String resource, List<String> ids, List<DeviceSpec> before, List<DeviceSpec> now) {
    for (DeviceAllocation allocation : allocations.ofResource(resource)) {
      if (allocation.getDeviceIdsList().stream().anyMatch(ids::contains)) {
        try {
          follow(allocation, before, now);
        } catch (IOException | KeelsonException e) {
          log.atError()
              .setCause(e)
              .addKeyValue("resource", resource)
              .addKeyValue("devices", ids)
              .log("a device came or went, and its containers could not follow");
        }
      }
    }
  }

  private void follow(DeviceAllocation allocation, List<DeviceSpec> before, List<DeviceSpec> now)
      throws IOException {
    lock.lock();
    try {
      allocator.answerAnew(allocation);
      for (String id : allocation.getContainerIdsList()) {
        Optional<ContainerContext> container = containers.find(id).filter(this::isRunning);
        if (container.isEmpty()) {
          continue;
        }
        LiveDevices live = live(container.get());
        List<SpecDevice> gone = new ArrayList<>();
        for (DeviceSpec node : before) {
          if (!now.contains(node)) {
            gone.addAll(live.remove(node));
          }
        }
        live.allow(held(container.get()), gone);
        live.make(allocation, now);
        log.atInfo()
            .addKeyValue("container", id)
            .addKeyValue("resource", allocation.getResource())
            .log("device nodes changed from {} to {}", before.size(), now.size());
      }
    } finally {
      lock.unlock();
    }
  }

  private boolean isRunning(ContainerContext container) {
    return access.flatMap(core -> core.init(container.id())).isPresent();
  }

  private static FailedPreconditionException notRunning(ContainerContext container) {
    return new FailedPreconditionException("container %s does not run".formatted(container.id()));
  }

  private LiveDevices live(ContainerContext container) throws IOException {
    ContainerAccess core =
        access.orElseThrow(() -> new FailedPreconditionException("the daemon is not ready yet"));
    ProcessId init = core.init(container.id()).orElseThrow(() -> notRunning(container));
    return new LiveDevices(container, init, core, owners);
  }

  /** All that the container has, of its own and of its pod. */
  private List<DeviceAllocation> held(ContainerContext container) {
    List<DeviceAllocation> held = new ArrayList<>(allocations.ofContainer(container.id()));
    held.addAll(allocations.ofSandbox(container.pod().id()));
    return held;
  }
}
