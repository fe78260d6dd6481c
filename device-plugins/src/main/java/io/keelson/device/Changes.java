package io.keelson.device;

import io.keelson.device.allocation.AllocationObserver;
import io.keelson.device.plugin.PluginRegistry;
import io.keelson.device.plugin.Resource;
import io.keelson.proto.record.v1.DeviceAllocation;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/** Wakes those who watch the devices. Safe for use by many threads. */
final class Changes implements AllocationObserver, PluginRegistry.ChangeListener {

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();

  /** Guarded by {@link #lock}. */
  private long version = 1;

  /**
   * Returns when something is newer than this version.
   *
   * @param seen what an earlier call returned, 0 at first
   */
  long await(long seen) throws InterruptedException {
    lock.lock();
    try {
      while (version == seen) {
        changed.await();
      }
      return version;
    } finally {
      lock.unlock();
    }
  }

  private void signal() {
    lock.lock();
    try {
      version++;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void allocated(DeviceAllocation allocation) {
    signal();
  }

  @Override
  public void released(DeviceAllocation allocation) {
    signal();
  }

  @Override
  public void failed(Exception why) {}

  @Override
  public void changed(@Nullable Resource before, Resource now) {
    signal();
  }
}
