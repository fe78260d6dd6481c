package io.keelson.device.plugin;

import java.util.List;
import java.util.Map;

/**
 * One device of a resource.
 *
 * @param id unique within its resource, and the same for the same device over restarts
 * @param healthy only healthy devices are given away; a container that holds one keeps it
 * @param numaNodes to which it is near, ascending; empty if that is not known
 * @param attributes by which a request may name it, such as {@code pci} or {@code serial}; those of
 *     vendors' plugins have none, the contract knows no such thing
 */
public record Device(
    String id, boolean healthy, List<Long> numaNodes, Map<String, String> attributes) {

  public Device {
    numaNodes = numaNodes.stream().sorted().toList();
    attributes = Map.copyOf(attributes);
  }

  /** A device of which nothing more is known. */
  public static Device of(String id, boolean healthy) {
    return new Device(id, healthy, List.of(), Map.of());
  }

  /** Whether a request for {@code name:value} means this one; {@code id} is known by all. */
  public boolean matches(String name, String value) {
    return name.equals("id") ? id.equals(value) : value.equals(attributes.get(name));
  }
}
