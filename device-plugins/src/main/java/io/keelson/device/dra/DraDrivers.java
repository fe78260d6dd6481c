package io.keelson.device.dra;

import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.keelson.device.registration.PluginHandler;
import io.keelson.proto.dra.v1.Claim;
import io.keelson.proto.dra.v1.DRAPluginGrpc;
import io.keelson.proto.dra.v1.DRAPluginGrpc.DRAPluginBlockingStub;
import io.keelson.proto.dra.v1.NodePrepareResourceResponse;
import io.keelson.proto.dra.v1.NodePrepareResourcesRequest;
import io.keelson.proto.dra.v1.NodeUnprepareResourceResponse;
import io.keelson.proto.dra.v1.NodeUnprepareResourcesRequest;
import io.keelson.proto.drahealth.v1.HealthStatus;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.error.UnavailableException;
import io.keelson.sandbox.rpc.RpcFailures;
import io.keelson.sandbox.rpc.UnixChannels;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The drivers that have registered, and the calls to them. Safe for use by many threads. */
public final class DraDrivers implements PluginHandler, AutoCloseable {

  /** What a driver names as its version of the API. */
  private static final String VERSION = "v1.DRAPlugin";

  private static final Duration DEADLINE = Duration.ofSeconds(45);

  private final UnixChannels channels;
  private final Duration patience;
  private final Instant started = Instant.now();
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();

  /** Guarded by {@link #lock}. */
  private final Map<String, Path> endpoints = new HashMap<>();

  /** By driver. Guarded by {@link #lock}. */
  private final Map<String, DriverHealth> health = new HashMap<>();

  /**
   * @param patience how long a claim waits for its driver after the start of the daemon
   */
  public DraDrivers(UnixChannels channels, Duration patience) {
    this.channels = channels;
    this.patience = patience;
  }

  @Override
  public void validate(String name, Path endpoint, List<String> versions) {
    if (!versions.contains(VERSION)) {
      throw new InvalidRequestException(
          "DRA drivers are spoken to in %s; this one knows %s".formatted(VERSION, versions));
    }
  }

  @Override
  public void register(String name, Path endpoint, List<String> versions) {
    lock.lock();
    try {
      endpoints.put(name, endpoint);
      end(health.put(name, new DriverHealth(name, channels.open(endpoint))));
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void deregister(String name, Path endpoint) {
    lock.lock();
    try {
      if (endpoints.remove(name, endpoint)) {
        end(health.remove(name));
      }
    } finally {
      lock.unlock();
    }
  }

  private static void end(@Nullable DriverHealth watched) {
    if (watched != null) {
      watched.close();
    }
  }

  /** By driver, how many of the devices whose health it tells are how. */
  public Map<String, Map<HealthStatus, Integer>> health() {
    lock.lock();
    try {
      Map<String, Map<HealthStatus, Integer>> counts = new TreeMap<>();
      health.forEach((driver, watched) -> counts.put(driver, watched.counts()));
      return counts;
    } finally {
      lock.unlock();
    }
  }

  /** Ends the watching of health. */
  @Override
  public void close() {
    lock.lock();
    try {
      health.values().forEach(DriverHealth::close);
      health.clear();
    } finally {
      lock.unlock();
    }
  }

  /** Makes a claim's devices ready; answers the names of the CDI devices for the containers. */
  List<String> prepare(ClaimName claim) throws IOException {
    var request = NodePrepareResourcesRequest.newBuilder().addClaims(message(claim)).build();
    @Nullable NodePrepareResourceResponse answer =
        call(claim, stub -> stub.nodePrepareResources(request)).getClaimsMap().get(claim.uid());
    requireSuccess(claim, answer == null ? null : answer.getError());
    return answer == null
        ? List.of()
        : answer.getDevicesList().stream()
            .flatMap(device -> device.getCdiDeviceIdsList().stream())
            .distinct()
            .toList();
  }

  void unprepare(ClaimName claim) throws IOException {
    var request = NodeUnprepareResourcesRequest.newBuilder().addClaims(message(claim)).build();
    @Nullable NodeUnprepareResourceResponse answer =
        call(claim, stub -> stub.nodeUnprepareResources(request)).getClaimsMap().get(claim.uid());
    requireSuccess(claim, answer == null ? null : answer.getError());
  }

  private static Claim message(ClaimName claim) {
    return Claim.newBuilder()
        .setNamespace(claim.namespace())
        .setName(claim.name())
        .setUid(claim.uid())
        .build();
  }

  private static void requireSuccess(ClaimName claim, @Nullable String error) throws IOException {
    if (error == null) {
      throw new IOException(
          "driver %s does not answer for claim %s/%s"
              .formatted(claim.driver(), claim.namespace(), claim.name()));
    }
    if (!error.isEmpty()) {
      throw new IOException(
          "driver %s, claim %s/%s: %s"
              .formatted(claim.driver(), claim.namespace(), claim.name(), error));
    }
  }

  private <T> T call(ClaimName claim, Function<DRAPluginBlockingStub, T> call) throws IOException {
    ManagedChannel channel = channels.open(await(claim.driver()));
    try {
      return call.apply(
          DRAPluginGrpc.newBlockingStub(channel)
              .withDeadlineAfter(DEADLINE.toMillis(), TimeUnit.MILLISECONDS));
    } catch (StatusRuntimeException e) {
      throw new IOException("driver %s: %s".formatted(claim.driver(), RpcFailures.text(e)), e);
    } finally {
      channel.shutdownNow();
    }
  }

  private Path await(String driver) {
    lock.lock();
    try {
      while (true) {
        Path endpoint = endpoints.get(driver);
        if (endpoint != null) {
          return endpoint;
        }
        long left = Duration.between(Instant.now(), started.plus(patience)).toMillis();
        if (left <= 0) {
          throw new UnavailableException("DRA driver %s has not registered".formatted(driver));
        }
        var _ = changed.await(left, TimeUnit.MILLISECONDS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new UnavailableException("interrupted while waiting for DRA driver " + driver, e);
    } finally {
      lock.unlock();
    }
  }
}
