package io.keelson.device.allocation;

import io.keelson.proto.record.v1.DeviceAllocation;

/** Hears of what was given and taken back, for figures and watchers; must not block. */
public interface AllocationObserver {

  void allocated(DeviceAllocation allocation);

  void released(DeviceAllocation allocation);

  void failed(Exception why);
}
