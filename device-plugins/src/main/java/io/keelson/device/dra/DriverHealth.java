package io.keelson.device.dra;

import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.keelson.proto.drahealth.v1.DRAResourceHealthGrpc;
import io.keelson.proto.drahealth.v1.DeviceHealth;
import io.keelson.proto.drahealth.v1.HealthStatus;
import io.keelson.proto.drahealth.v1.NodeWatchResourcesRequest;
import io.keelson.proto.drahealth.v1.NodeWatchResourcesResponse;
import io.keelson.sandbox.rpc.RpcFailures;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Follows what one driver tells of the health of its devices, if it tells any. Safe for use by many
 * threads.
 */
final class DriverHealth implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(DriverHealth.class);

  private static final Duration RETRY = Duration.ofSeconds(5);

  /** For a device whose driver names no other; a kubelet's. */
  private static final Duration FRESH = Duration.ofSeconds(30);

  private final String driver;
  private final ManagedChannel channel;
  private final Thread thread;
  private volatile Told last = new Told(List.of(), 0);

  /** A list and when it came, by {@link System#nanoTime}. */
  private record Told(List<DeviceHealth> devices, long at) {}

  DriverHealth(String driver, ManagedChannel channel) {
    this.driver = driver;
    this.channel = channel;
    this.thread = Thread.ofVirtual().name("dra-health-" + driver).start(this::follow);
  }

  private void follow() {
    try {
      while (true) {
        try {
          Iterator<NodeWatchResourcesResponse> lists =
              DRAResourceHealthGrpc.newBlockingStub(channel)
                  .nodeWatchResources(NodeWatchResourcesRequest.getDefaultInstance());
          while (lists.hasNext()) {
            take(lists.next().getDevicesList());
          }
        } catch (StatusRuntimeException e) {
          if (e.getStatus().getCode() == Status.Code.UNIMPLEMENTED) {
            return; // most drivers tell nothing of health
          }
          log.atDebug()
              .addKeyValue("driver", driver)
              .log("the watching of health has ended: {}", RpcFailures.text(e));
        }
        last = new Told(List.of(), 0);
        TimeUnit.NANOSECONDS.sleep(RETRY.toNanos());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // closed
    }
  }

  private void take(List<DeviceHealth> devices) {
    List<DeviceHealth> before = last.devices();
    last = new Told(devices, System.nanoTime());
    for (DeviceHealth device : devices) {
      if (device.getHealth() == HealthStatus.UNHEALTHY && !before.contains(device)) {
        log.atWarn()
            .addKeyValue("driver", driver)
            .addKeyValue("pool", device.getDevice().getPoolName())
            .addKeyValue("device", device.getDevice().getDeviceName())
            .log("a device is unhealthy: {}", device.getMessage());
      }
    }
  }

  /** How many devices are how; what was told too long ago is unknown. */
  Map<HealthStatus, Integer> counts() {
    Told told = last;
    Duration age = Duration.ofNanos(System.nanoTime() - told.at());
    Map<HealthStatus, Integer> counts = new EnumMap<>(HealthStatus.class);
    for (DeviceHealth device : told.devices()) {
      long seconds = device.getHealthCheckTimeoutSeconds();
      boolean fresh = age.compareTo(seconds > 0 ? Duration.ofSeconds(seconds) : FRESH) <= 0;
      counts.merge(fresh ? device.getHealth() : HealthStatus.UNKNOWN, 1, Integer::sum);
    }
    return counts;
  }

  @Override
  public void close() {
    channel.shutdownNow();
    thread.interrupt();
  }
}
