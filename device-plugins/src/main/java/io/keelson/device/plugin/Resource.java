package io.keelson.device.plugin;

import java.time.Instant;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A resource of the node at one moment.
 *
 * @param name such as {@code vendor.example/device}
 * @param state of its plugin
 * @param since when the plugin came into this state
 * @param plugin to be asked; calls fail if it is gone
 * @param devices by id, in the plugin's order; those of a plugin that is gone are the last known
 */
public record Resource(
    String name, State state, Instant since, DevicePlugin plugin, Map<String, Device> devices) {

  public Resource {
    devices = Collections.unmodifiableMap(new LinkedHashMap<>(devices));
  }

  /** How the plugin of a resource is. */
  public enum State {
    /** It has registered and has not told its devices yet. */
    REGISTERED,
    /** Its devices can be given away. */
    SERVING,
    /** It ended. Its devices are not given away; who holds one keeps it. */
    GONE
  }

  /** Whether this device could be given away if nobody holds it. */
  public boolean isUsable(String id) {
    Device device = devices.get(id);
    return state == State.SERVING && device != null && device.healthy();
  }

  Resource with(State next, Instant at) {
    return new Resource(name, next, at, plugin, devices);
  }

  Resource with(List<Device> all, Instant at) {
    Map<String, Device> byId = new LinkedHashMap<>();
    all.forEach(device -> byId.put(device.id(), device));
    return new Resource(name, State.SERVING, state == State.SERVING ? since : at, plugin, byId);
  }
}
