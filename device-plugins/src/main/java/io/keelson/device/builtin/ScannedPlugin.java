package io.keelson.device.builtin;

import io.keelson.device.plugin.Device;
import io.keelson.device.plugin.DevicePlugin;
import io.keelson.device.plugin.SharedIds;
import io.keelson.proto.deviceplugin.v1beta1.ContainerAllocateResponse;
import io.keelson.proto.deviceplugin.v1beta1.DeviceSpec;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A built-in plugin whose devices are found by looking at the host, again and again. One that is
 * gone is remembered as ill: when it comes back, under whatever number, it is the same. Each can be
 * given to several holders at once, as {@link SharedIds} tell.
 */
final class ScannedPlugin implements DevicePlugin {

  private static final Logger log = LoggerFactory.getLogger(ScannedPlugin.class);

  private final String resource;
  private final DeviceScan scan;
  private final int shares;
  private final Duration interval;
  private final NodeListener nodeListener;
  private final Semaphore wake = new Semaphore(0);
  private final Thread thread;
  private final ReentrantLock lock = new ReentrantLock();

  /** Guarded by {@link #lock}. */
  private Map<String, FoundDevice> known = new LinkedHashMap<>();

  private @Nullable Listener listener;

  /**
   * @param shares how many holders each device may have
   * @param interval between two looks at the host
   */
  ScannedPlugin(
      String resource, DeviceScan scan, int shares, Duration interval, NodeListener nodeListener) {
    this.resource = resource;
    this.scan = scan;
    this.shares = shares;
    this.interval = interval;
    this.nodeListener = nodeListener;
    this.thread = Thread.ofVirtual().name("devices-" + resource).unstarted(this::follow);
  }

  @Override
  public void watch(Listener told) {
    listener = told;
    look();
    thread.start();
  }

  /** Looks at the host soon: something has changed there. */
  void trigger() {
    wake.release();
  }

  private void follow() {
    try {
      while (true) {
        if (wake.tryAcquire(interval.toMillis(), TimeUnit.MILLISECONDS)) {
          wake.drainPermits();
        }
        look();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // closed
    }
  }

  private void look() {
    Map<String, FoundDevice> before;
    Map<String, FoundDevice> now = new LinkedHashMap<>();
    lock.lock();
    try {
      before = known;
      before.values().forEach(device -> now.put(device.id(), device.absent()));
      scan.scan().forEach(device -> now.put(device.id(), device));
      known = now;
    } catch (IOException | RuntimeException e) {
      log.atWarn()
          .addKeyValue("resource", resource)
          .log("the host can't be looked at for devices: {}", e.getMessage());
      return;
    } finally {
      lock.unlock();
    }
    if (!before.equals(now) || before.isEmpty()) {
      tell(before, now);
    }
  }

  private void tell(Map<String, FoundDevice> before, Map<String, FoundDevice> now) {
    List<Device> devices = new ArrayList<>();
    now.values()
        .forEach(
            found ->
                ids(found.id())
                    .forEach(
                        id ->
                            devices.add(
                                new Device(
                                    id,
                                    found.present() || scan.isAwaitable(),
                                    found.numaNodes(),
                                    found.attributes()))));
    Objects.requireNonNull(listener).devices(devices);
    now.forEach(
        (id, found) -> {
          FoundDevice earlier = before.get(id);
          List<DeviceSpec> old = earlier == null ? List.of() : earlier.nodes();
          if (earlier != null && !old.equals(found.nodes())) {
            nodeListener.nodesChanged(resource, ids(id), old, found.nodes());
          }
        });
  }

  private List<String> ids(String id) {
    return SharedIds.of(id, shares);
  }

  private FoundDevice found(String id) throws IOException {
    lock.lock();
    try {
      FoundDevice device = known.get(SharedIds.device(id, shares));
      if (device == null || !(device.present() || scan.isAwaitable())) {
        throw new IOException("device %s is not there".formatted(id));
      }
      return device;
    } finally {
      lock.unlock();
    }
  }

  @Override
  public ContainerAllocateResponse allocate(List<String> ids) throws IOException {
    Map<String, FoundDevice> given = new LinkedHashMap<>();
    for (String id : ids) {
      FoundDevice device = found(id);
      given.put(device.id(), device);
    }
    ContainerAllocateResponse.Builder answer = ContainerAllocateResponse.newBuilder();
    given.values().forEach(device -> answer.addAllDevices(device.nodes()));
    scan.complete(List.copyOf(given.values()), answer);
    return answer.build();
  }

  /** What every container with any of the devices gets beside their nodes. */
  void complete(ContainerAllocateResponse.Builder answer) throws IOException {
    scan.complete(present(), answer);
  }

  /** What is there now, for CDI specs. */
  List<FoundDevice> present() {
    lock.lock();
    try {
      return known.values().stream().filter(FoundDevice::present).toList();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void close() {
    thread.interrupt();
  }
}
