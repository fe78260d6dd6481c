package io.keelson.device;

import io.keelson.device.allocation.AllocationObserver;
import io.keelson.proto.record.v1.DeviceAllocation;
import java.util.List;

/** Tells several observers. */
record Observers(List<AllocationObserver> all) implements AllocationObserver {

  Observers {
    all = List.copyOf(all);
  }

  @Override
  public void allocated(DeviceAllocation allocation) {
    all.forEach(observer -> observer.allocated(allocation));
  }

  @Override
  public void released(DeviceAllocation allocation) {
    all.forEach(observer -> observer.released(allocation));
  }

  @Override
  public void failed(Exception why) {
    all.forEach(observer -> observer.failed(why));
  }
}
