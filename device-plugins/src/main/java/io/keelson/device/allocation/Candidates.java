package io.keelson.device.allocation;

import io.keelson.device.allocation.DeviceChoice.Pool;
import io.keelson.device.plugin.Device;
import io.keelson.device.plugin.Resource;
import io.keelson.proto.record.v1.DeviceAllocation;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which devices of a resource can be given to whom, and which of them are. Callers see to it that
 * none is given away meanwhile.
 */
final class Candidates {

  private static final Logger log = LoggerFactory.getLogger(Candidates.class);

  private final Allocations allocations;

  Candidates(Allocations allocations) {
    this.allocations = allocations;
  }

  /**
   * What the request may be given.
   *
   * @throws io.keelson.sandbox.error.ResourceExhaustedException if that is not enough
   */
  Pool pool(Claimant claimant, DeviceRequest request, Resource resource) {
    List<DeviceAllocation> held = allocations.ofResource(resource.name());
    Optional<DeviceAllocation> own = allocations.find(claimant, resource.name());
    Holdings others = new Holdings(held.stream().filter(a -> !own.equals(Optional.of(a))).toList());
    List<Device> must = new ArrayList<>();
    if (own.isPresent()) {
      // What a container had it gets again, also if the device is ill or away by now.
      own.get().getDeviceIdsList().stream()
          .limit(request.count())
          .map(id -> resource.devices().getOrDefault(id, Device.of(id, false)))
          .forEach(must::add);
    }
    List<Device> free =
        new ArrayList<>(
            resource.devices().values().stream()
                .filter(device -> resource.isUsable(device.id()) && !others.isHeld(device.id()))
                .filter(device -> !must.contains(device))
                .toList());
    int available = free.size();
    for (DeviceRequest.Selector selector : request.selectors()) {
      if (must.stream().noneMatch(selector::matches)) {
        Device found =
            free.stream()
                .filter(selector::matches)
                .findFirst()
                .orElseThrow(
                    () ->
                        others.exhausted(
                            claimant, request, resource, available, absent(resource, selector)));
        must.add(found);
        free.remove(found);
      }
    }
    if (must.size() + free.size() < request.count()) {
      throw others.exhausted(claimant, request, resource, available, "");
    }
    return new Pool(Math.max(request.count(), must.size()), must, free);
  }

  private static String absent(Resource resource, DeviceRequest.Selector selector) {
    boolean exists = resource.devices().values().stream().anyMatch(selector::matches);
    return exists ? ", and %s is not free".formatted(selector) : ", and none is " + selector;
  }

  /**
   * The devices that are to be given, as the plugin prefers.
   *
   * @param node the NUMA node that all of a claimant's devices can come from
   */
  static List<String> choose(Resource resource, Pool pool, Optional<Long> node) {
    List<String> candidates = DeviceChoice.candidates(pool, node);
    List<String> preference = List.of();
    if (resource.plugin().hasPreference()
        && pool.must().size() < pool.wanted()
        && candidates.size() > pool.wanted()) {
      try {
        preference =
            resource
                .plugin()
                .prefer(candidates, pool.must().stream().map(Device::id).toList(), pool.wanted());
      } catch (IOException e) {
        log.atWarn()
            .addKeyValue("resource", resource.name())
            .log("going on without the plugin's preference: {}", e.getMessage());
      }
    }
    return DeviceChoice.choose(pool, candidates, preference);
  }
}
