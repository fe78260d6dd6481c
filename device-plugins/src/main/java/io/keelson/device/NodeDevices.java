package io.keelson.device;

import io.keelson.device.allocation.Allocations;
import io.keelson.device.allocation.Allocator;
import io.keelson.device.allocation.Claimant;
import io.keelson.device.allocation.DeviceRequest;
import io.keelson.device.builtin.BuiltInPlugins;
import io.keelson.device.cdi.CdiFolders;
import io.keelson.device.container.Hotplug;
import io.keelson.device.dra.DraDrivers;
import io.keelson.device.plugin.PluginRegistry;
import io.keelson.proto.drahealth.v1.HealthStatus;
import io.keelson.proto.record.v1.DeviceAllocation;
import io.keelson.sandbox.error.InvalidRequestException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What a person or an orchestrator asks of the node's devices. Safe for use by many threads. */
public final class NodeDevices {

  private final PluginRegistry registry;
  private final Allocations allocations;
  private final Allocator allocator;
  private final Hotplug hotplug;
  private final CdiFolders cdi;
  private final Changes changes;
  private final DeviceFigures figures;
  private final BuiltInPlugins builtIn;
  private final DraDrivers drivers;
  private final Path cdiFolder;

  NodeDevices(
      PluginRegistry registry,
      Allocations allocations,
      Allocator allocator,
      Hotplug hotplug,
      CdiFolders cdi,
      Changes changes,
      DeviceFigures figures,
      BuiltInPlugins builtIn,
      DraDrivers drivers,
      Path cdiFolder) {
    this.drivers = drivers;
    this.figures = figures;
    this.builtIn = builtIn;
    this.cdiFolder = cdiFolder;
    this.registry = registry;
    this.allocations = allocations;
    this.allocator = allocator;
    this.hotplug = hotplug;
    this.cdi = cdi;
    this.changes = changes;
  }

  /** All resources by name, with their devices and who holds each; from memory. */
  public List<Inventory> inventory() {
    return Inventory.of(registry.resources(), allocations.all());
  }

  /** Returns when something has changed since a version that it told, 0 at first. */
  public long awaitChange(long seen) throws InterruptedException {
    return changes.await(seen);
  }

  /** By driver of dynamic resource allocation, how many of its devices are how. */
  public Map<String, Map<HealthStatus, Integer>> draHealth() {
    return drivers.health();
  }

  /** Takes devices for a container that is still to be created. */
  public List<DeviceAllocation> reserve(Claimant claimant, String request) throws IOException {
    if (claimant.podUid().isEmpty() || claimant.container().isEmpty()) {
      throw new InvalidRequestException(
          "devices are allocated for a pod_uid and the name of a container");
    }
    return allocator.allocate(claimant, DeviceRequest.parse(request), Set.of());
  }

  /** Gives back what was reserved and no container has. */
  public void release(String podUid, String container) throws IOException {
    for (DeviceAllocation held : allocations.ofName(podUid, container)) {
      if (held.getReserved() && held.getContainerIdsCount() == 0) {
        allocator.release(held);
      }
    }
  }

  /** Gives devices to a container that runs. */
  public List<DeviceAllocation> attach(String containerId, String request) throws IOException {
    return hotplug.attach(containerId, request);
  }

  /**
   * Takes devices from a container that runs. Harmless for those that were taken from it before.
   *
   * @param ids empty for all that it holds of the resource
   */
  public void detach(String containerId, String resource, Collection<String> ids)
      throws IOException {
    hotplug.detach(containerId, resource, ids);
  }

  /**
   * What has happened since the daemon started.
   *
   * @param allocations by resource
   * @param failures of allocations, by cause
   * @param pluginRestarts by resource
   */
  public record Counts(
      Map<String, Long> allocations,
      Map<String, Long> failures,
      Map<String, Long> pluginRestarts) {}

  public Counts counts() {
    return figures.counts();
  }

  /**
   * Writes CDI specs of the built-in GPUs into the standard folder.
   *
   * @return the files
   */
  public List<Path> writeCdiSpecs() throws IOException {
    return builtIn.writeCdiSpecs(cdiFolder);
  }

  public CdiFolders.Inventory cdiDevices() {
    return cdi.inventory();
  }
}
