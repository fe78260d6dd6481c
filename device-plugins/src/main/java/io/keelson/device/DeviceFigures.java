package io.keelson.device;

import io.keelson.device.allocation.AllocationObserver;
import io.keelson.device.plugin.PluginRegistry;
import io.keelson.device.plugin.Resource;
import io.keelson.proto.record.v1.DeviceAllocation;
import io.keelson.sandbox.error.KeelsonException;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/** Counts what happens to devices, for metrics. Safe for use by many threads. */
final class DeviceFigures implements AllocationObserver, PluginRegistry.ChangeListener {

  private final Map<String, LongAdder> allocations = new ConcurrentHashMap<>();
  private final Map<String, LongAdder> failures = new ConcurrentHashMap<>();
  private final Map<String, LongAdder> restarts = new ConcurrentHashMap<>();

  @Override
  public void allocated(DeviceAllocation allocation) {
    count(allocations, allocation.getResource());
  }

  @Override
  public void released(DeviceAllocation allocation) {}

  @Override
  public void failed(Exception why) {
    count(
        failures,
        why instanceof KeelsonException
            ? why.getClass().getSimpleName().replace("Exception", "")
            : "OperationFailed");
  }

  /** A plugin that registers for a resource that has one, or had one, has started anew. */
  @Override
  public void changed(@Nullable Resource before, Resource now) {
    if (before != null
        && now.state() == Resource.State.REGISTERED
        && !before.plugin().equals(now.plugin())) {
      count(restarts, now.name());
    }
  }

  private static void count(Map<String, LongAdder> counters, String label) {
    counters.computeIfAbsent(label, _ -> new LongAdder()).increment();
  }

  NodeDevices.Counts counts() {
    return new NodeDevices.Counts(copy(allocations), copy(failures), copy(restarts));
  }

  private static Map<String, Long> copy(Map<String, LongAdder> counters) {
    Map<String, Long> copy = new TreeMap<>();
    counters.forEach((label, counter) -> copy.put(label, counter.sum()));
    return copy;
  }
}
