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
import io.keelson.sandbox.error.FailedPreconditionException;
import io.keelson.sandbox.error.KeelsonException;
import io.keelson.sandbox.error.NotFoundException;
import io.keelson.sandbox.port.ContainerContext;
import io.keelson.sandbox.port.Isolator;
import io.keelson.sandbox.spec.SpecDevice;
import io.keelson.sandbox.spec.SpecDeviceRule;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
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
  private final KnownContainers containers = new KnownContainers();

  /** Changes of nodes and rules are few, and each depends on what all others have left. */
  private final ReentrantLock lock = new ReentrantLock();

  private volatile Optional<ContainerAccess> access = Optional.empty();

  public Hotplug(Allocator allocator, Allocations allocations, Nics nics, NodeOwners owners) {
    this.allocator = allocator;
    this.allocations = allocations;
    this.nics = nics;
    this.owners = owners;
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
    ContainerContext container = running(idOrPrefix);
    PodSandboxConfig pod = container.pod().config();
    String name = container.config().getMetadata().getName();
    lock.lock();
    try {
      Map<String, List<String>> before = new HashMap<>();
      for (DeviceAllocation held : allocations.ofName(pod.getMetadata().getUid(), name)) {
        before.put(held.getResource(), held.getDeviceIdsList());
      }
      List<DeviceRequest> wanted = new ArrayList<>();
      for (DeviceRequest more : DeviceRequest.parse(request)) {
        int held = before.getOrDefault(more.resource(), List.of()).size();
        wanted.add(new DeviceRequest(more.resource(), held + more.count(), more.selectors()));
      }
      List<DeviceAllocation> given =
          allocator.allocate(
              DeviceAnnotations.claimant(container.pod().id(), pod, name, container.id()),
              wanted,
              Set.of());
      try {
        putIn(container, given);
      } catch (IOException | RuntimeException e) {
        for (DeviceAllocation allocation : given) {
          undo(container, allocation, before.getOrDefault(allocation.getResource(), List.of()), e);
        }
        throw e;
      }
      return given;
    } finally {
      lock.unlock();
    }
  }

  private void putIn(ContainerContext container, List<DeviceAllocation> given) throws IOException {
    nics.lend(container.pod(), container.id(), given);
    List<SpecDevice> nodes = new ArrayList<>();
    for (DeviceAllocation allocation : given) {
      nodes.addAll(nodes(container, allocation));
    }
    allow(container, held(container), List.of());
    for (SpecDevice node : nodes) {
      nodesOf(container).make(node);
    }
  }

  private void undo(
      ContainerContext container, DeviceAllocation given, List<String> kept, Exception failure) {
    try {
      takeOut(container, given, kept);
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
    ContainerContext container = running(idOrPrefix);
    lock.lock();
    try {
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
      takeOut(
          container,
          held,
          held.getDeviceIdsList().stream()
              .filter(id -> !ids.isEmpty() && !ids.contains(id))
              .toList());
    } finally {
      lock.unlock();
    }
  }

  /** The devices are free only when the container, if it still runs, can't reach them any more. */
  private void takeOut(ContainerContext container, DeviceAllocation held, List<String> kept)
      throws IOException {
    DeviceAllocation left = allocator.reduced(held, kept);
    if (isRunning(container)) {
      List<SpecDevice> gone = new ArrayList<>(nodes(container, held));
      gone.removeAll(nodes(container, left));
      for (SpecDevice node : gone) {
        nodesOf(container).remove(node.path());
      }
      List<DeviceAllocation> all = held(container);
      all.replaceAll(
          one ->
              one.getResource().equals(left.getResource()) && !one.getContainer().isEmpty()
                  ? left
                  : one);
      allow(container, all, gone);
    }
    nics.takeHomeDevices(
        held.getResource(),
        held.getDeviceIdsList().stream().filter(id -> !kept.contains(id)).toList());
    allocator.shrink(held, left);
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
        Optional<ContainerContext> container = containers.find(id);
        if (container.isEmpty() || !isRunning(container.get())) {
          continue; // it does not run
        }
        for (DeviceSpec node : before) {
          if (!now.contains(node)) {
            nodesOf(container.get()).remove(node.getContainerPath());
          }
        }
        allow(container.get(), held(container.get()), List.of());
        for (SpecDevice node : nodes(container.get(), allocation, now)) {
          nodesOf(container.get()).make(node);
        }
        log.atInfo()
            .addKeyValue("container", id)
            .addKeyValue("resource", allocation.getResource())
            .log("device nodes changed from {} to {}", before.size(), now.size());
      }
    } finally {
      lock.unlock();
    }
  }

  private ContainerContext running(String idOrPrefix) {
    ContainerContext container = containers.get(idOrPrefix);
    var _ = init(container);
    return container;
  }

  private boolean isRunning(ContainerContext container) {
    return access.flatMap(core -> core.init(container.id())).isPresent();
  }

  private ProcessId init(ContainerContext container) {
    return access
        .flatMap(core -> core.init(container.id()))
        .orElseThrow(
            () ->
                new FailedPreconditionException(
                    "container %s does not run".formatted(container.id())));
  }

  private LiveNodes nodesOf(ContainerContext container) {
    return new LiveNodes(init(container), container.pod().userNamespace());
  }

  /** All that the container has, of its own and of its pod. */
  private List<DeviceAllocation> held(ContainerContext container) {
    List<DeviceAllocation> held = new ArrayList<>(allocations.ofContainer(container.id()));
    held.addAll(allocations.ofSandbox(container.pod().id()));
    return held;
  }

  private List<SpecDevice> nodes(ContainerContext container, DeviceAllocation allocation)
      throws IOException {
    return nodes(container, allocation, allocation.getResponse().getDevicesList());
  }

  private List<SpecDevice> nodes(
      ContainerContext container, DeviceAllocation allocation, List<DeviceSpec> wantedNodes)
      throws IOException {
    DeviceAnnotations.Ownership ownership =
        owners.of(container, allocation.getResponse(), BundleFile.user(container.bundle()));
    List<SpecDevice> nodes = new ArrayList<>();
    for (DeviceSpec wanted : wantedNodes) {
      for (SpecDevice node : AnswerApplication.nodes(wanted)) {
        nodes.add(AnswerApplication.owned(node, ownership));
      }
    }
    return nodes;
  }

  /** The rules that it was made with, without what is gone, then those of all that it holds. */
  private void allow(ContainerContext container, List<DeviceAllocation> held, List<SpecDevice> gone)
      throws IOException {
    if (container.config().getLinux().getSecurityContext().getPrivileged()) {
      return;
    }
    List<SpecDeviceRule> rules = new ArrayList<>(BundleFile.rules(container.bundle()));
    for (SpecDevice node : gone) {
      rules.removeIf(rule -> rule.equals(SpecDeviceRule.allow(node, rule.access())));
    }
    for (DeviceAllocation allocation : held) {
      for (DeviceSpec wanted : allocation.getResponse().getDevicesList()) {
        for (SpecDevice node : AnswerApplication.nodes(wanted)) {
          rules.add(SpecDeviceRule.allow(node, AnswerApplication.access(wanted)));
        }
      }
    }
    access
        .orElseThrow(() -> new FailedPreconditionException("the daemon is not ready yet"))
        .deviceRules(container.id(), rules);
  }
}
