package io.keelson.device.container;

import io.keelson.device.allocation.Allocations;
import io.keelson.device.allocation.Allocator;
import io.keelson.device.builtin.NodeListener;
import io.keelson.proto.deviceplugin.v1beta1.DeviceSpec;
import io.keelson.proto.record.v1.DeviceAllocation;
import io.keelson.sandbox.error.KeelsonException;
import io.keelson.sandbox.port.ContainerContext;
import io.keelson.sandbox.spec.SpecDevice;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives containers that run, and hold a device that was plugged in or out, the nodes that it has
 * now. Safe for use by many threads.
 */
public final class NodeFollower implements NodeListener {

  private static final Logger log = LoggerFactory.getLogger(NodeFollower.class);

  private final Allocator allocator;
  private final Allocations allocations;
  private final RunningContainers containers;

  public NodeFollower(Allocator allocator, Allocations allocations, RunningContainers containers) {
    this.allocator = allocator;
    this.allocations = allocations;
    this.containers = containers;
  }

  @Override
  public void nodesChanged(
      String resource, List<String> ids, List<DeviceSpec> before, List<DeviceSpec> now) {
    for (DeviceAllocation allocation : allocations.ofResource(resource)) {
      if (allocation.getDeviceIdsList().stream().anyMatch(ids::contains)) {
        try {
          follow(allocation, before, now);
        } catch (IOException | KeelsonException e) {
          log.atError()
              .setCause(e)
              .addKeyValue("resource", resource)
              .addKeyValue("devices", ids)
              .log("a device came or went, and its containers could not follow");
        }
      }
    }
  }

  private void follow(DeviceAllocation allocation, List<DeviceSpec> before, List<DeviceSpec> now)
      throws IOException {
    ReentrantLock lock = containers.changing();
    lock.lock();
    try {
      allocator.answerAnew(allocation);
      for (String id : allocation.getContainerIdsList()) {
        Optional<ContainerContext> container = containers.find(id);
        if (container.isEmpty()) {
          continue;
        }
        LiveDevices live = containers.live(container.get());
        List<SpecDevice> gone = new ArrayList<>();
        for (DeviceSpec node : before) {
          if (!now.contains(node)) {
            gone.addAll(live.remove(node));
          }
        }
        live.allow(containers.held(container.get()), gone);
        live.make(allocation, now);
        log.atInfo()
            .addKeyValue("container", id)
            .addKeyValue("resource", allocation.getResource())
            .log("device nodes changed from {} to {}", before.size(), now.size());
      }
    } finally {
      lock.unlock();
    }
  }
}
