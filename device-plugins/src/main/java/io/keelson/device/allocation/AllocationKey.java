package io.keelson.device.allocation;

import io.keelson.proto.record.v1.DeviceAllocation;

/** What an allocation is found by again, over restarts of containers and of the daemon. */
record AllocationKey(String podUid, String container, String resource) {

  static AllocationKey of(DeviceAllocation allocation) {
    return new AllocationKey(
        allocation.getPodUid(), allocation.getContainer(), allocation.getResource());
  }

  static AllocationKey of(Claimant claimant, String resource) {
    return new AllocationKey(claimant.podUid(), claimant.container(), resource);
  }
}
