package io.keelson.device;

import io.keelson.device.plugin.Device;
import io.keelson.device.plugin.Resource;
import io.keelson.proto.record.v1.DeviceAllocation;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * A resource with its devices and who holds each, at one moment. What is held is told for as long
 * as it is held, also if its plugin, or the plugin's list, does not know it any more.
 *
 * @param name of the resource
 * @param plugin how its plugin is
 * @param devices in the plugin's order, then those that are held without it
 */
public record Inventory(String name, Resource.State plugin, List<Entry> devices) {

  public Inventory {
    devices = List.copyOf(devices);
  }

  /** What can be done with a device. */
  public enum State {
    FREE,
    /** Also if its plugin calls it unhealthy: its holder keeps it. */
    HELD,
    /** Nobody holds it and nobody gets it: it is unhealthy, or its plugin is away. */
    UNUSABLE
  }

  /**
   * A device.
   *
   * @param usable healthy, and its plugin serves
   */
  public record Entry(Device device, boolean usable, Optional<DeviceAllocation> holder) {

    public State state() {
      if (holder.isPresent()) {
        return State.HELD;
      }
      return usable ? State.FREE : State.UNUSABLE;
    }
  }

  /** How many devices are in this state. */
  public int count(State state) {
    return Math.toIntExact(devices.stream().filter(entry -> entry.state() == state).count());
  }

  static List<Inventory> of(
      Collection<Resource> resources, Collection<DeviceAllocation> allocations) {
    Map<String, Map<String, DeviceAllocation>> held = new TreeMap<>();
    for (DeviceAllocation allocation : allocations) {
      Map<String, DeviceAllocation> byId =
          held.computeIfAbsent(allocation.getResource(), _ -> new TreeMap<>());
      allocation.getDeviceIdsList().forEach(id -> byId.put(id, allocation));
    }
    Map<String, Inventory> all = new TreeMap<>();
    for (Resource resource : resources) {
      Map<String, DeviceAllocation> holders =
          new HashMap<>(held.getOrDefault(resource.name(), Map.of()));
      List<Entry> entries = new ArrayList<>();
      for (Device device : resource.devices().values()) {
        entries.add(
            new Entry(
                device,
                resource.isUsable(device.id()),
                Optional.ofNullable(holders.remove(device.id()))));
      }
      entries.addAll(unknown(holders));
      all.put(resource.name(), new Inventory(resource.name(), resource.state(), entries));
    }
    held.forEach(
        (name, holders) ->
            all.computeIfAbsent(
                name, _ -> new Inventory(name, Resource.State.GONE, unknown(holders))));
    return List.copyOf(all.values());
  }

  private static List<Entry> unknown(Map<String, DeviceAllocation> holders) {
    return new TreeMap<>(holders)
        .entrySet().stream()
            .map(
                held ->
                    new Entry(Device.of(held.getKey(), false), false, Optional.of(held.getValue())))
            .toList();
  }
}
