package io.keelson.device.allocation;

import io.keelson.device.plugin.Resource;
import io.keelson.proto.record.v1.DeviceAllocation;
import io.keelson.sandbox.error.ResourceExhaustedException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Who holds which device of one resource, at one moment. */
final class Holdings {

  /** Holders told in full in an error; a call's error must fit into a header. */
  private static final int MOST_TOLD = 20;

  private final Map<String, DeviceAllocation> byDevice = new HashMap<>();

  Holdings(List<DeviceAllocation> allocations) {
    for (DeviceAllocation allocation : allocations) {
      allocation.getDeviceIdsList().forEach(id -> byDevice.put(id, allocation));
    }
  }

  boolean isHeld(String id) {
    return byDevice.containsKey(id);
  }

  /** What was asked, what is free, and who holds the rest. */
  ResourceExhaustedException exhausted(
      Claimant claimant, DeviceRequest request, Resource resource, int free, String why) {
    long unhealthy =
        resource.devices().keySet().stream().filter(id -> !resource.isUsable(id)).count();
    List<String> held = new ArrayList<>();
    new TreeMap<>(byDevice).forEach((id, by) -> held.add(id + " by " + Claimant.name(by)));
    int more = held.size() - MOST_TOLD;
    StringBuilder text = new StringBuilder();
    text.append("%s asks for %s%s: ".formatted(claimant, request, why));
    text.append("%d of %d are free".formatted(free, resource.devices().size()));
    if (unhealthy > 0) {
      text.append(", %d unhealthy".formatted(unhealthy));
    }
    if (!held.isEmpty()) {
      text.append("; held: ");
      text.append(String.join(", ", held.subList(0, Math.min(held.size(), MOST_TOLD))));
    }
    if (more > 0) {
      text.append(" and %d more".formatted(more));
    }
    return new ResourceExhaustedException(text.toString());
  }
}
