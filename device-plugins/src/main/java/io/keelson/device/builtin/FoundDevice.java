package io.keelson.device.builtin;

import io.keelson.proto.deviceplugin.v1beta1.DeviceSpec;
import java.util.List;
import java.util.Map;

/**
 * A device as a scan of the host found it.
 *
 * @param id the same for the same device, whatever number it has this time
 * @param present false for one that is known and waited for
 * @param numaNodes to which it is near
 * @param attributes by which a request may name it
 * @param nodes that a container with this device sees
 */
record FoundDevice(
    String id,
    boolean present,
    List<Long> numaNodes,
    Map<String, String> attributes,
    List<DeviceSpec> nodes) {

  FoundDevice {
    numaNodes = List.copyOf(numaNodes);
    attributes = Map.copyOf(attributes);
    nodes = List.copyOf(nodes);
  }

  FoundDevice absent() {
    return new FoundDevice(id, false, numaNodes, attributes, List.of());
  }
}
