package io.keelson.device.container;

import io.keelson.device.allocation.Allocations;
import io.keelson.device.allocation.Allocator;
import io.keelson.device.allocation.DeviceRequest;
import io.keelson.device.nic.Nics;
import io.keelson.proto.record.v1.DeviceAllocation;
import io.keelson.sandbox.port.PodContext;
import io.keelson.sandbox.port.PodExtension;
import java.io.IOException;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/** The devices that a pod has as a whole, from its making until it is stopped. */
public final class PodDevices implements PodExtension {

  private final Allocator allocator;
  private final Allocations allocations;
  private final Nics nics;

  public PodDevices(Allocator allocator, Allocations allocations, Nics nics) {
    this.nics = nics;
    this.allocator = allocator;
    this.allocations = allocations;
  }

  @Override
  public void run(PodContext pod) throws IOException {
    List<DeviceRequest> requests = DeviceAnnotations.ofPod(pod.config());
    if (!requests.isEmpty()) {
      nics.lend(
          pod,
          "",
          allocator.allocate(
              DeviceAnnotations.claimant(pod.id(), pod.config()), requests, Set.of()));
    }
  }

  @Override
  public void stop(PodContext pod) throws IOException {
    nics.takeHomeFromPod(pod.id());
    allocator.releasePod(pod.id());
  }

  @Override
  public void recover(Collection<PodContext> known) throws IOException {
    nics.recover(known);
    Set<String> pods = known.stream().map(PodContext::id).collect(Collectors.toSet());
    for (DeviceAllocation allocation : allocations.all()) {
      if (allocation.getContainer().isEmpty() && !pods.contains(allocation.getSandboxId())) {
        allocator.release(allocation);
      }
    }
  }
}
