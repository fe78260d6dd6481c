package io.keelson.device.dra;

import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.keelson.device.cdi.CdiName;
import io.keelson.device.registration.Comeback;
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
import io.keelson.sandbox.error.OperationFailedException;
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
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The drivers that have registered, and the calls to them. Safe for use by many threads. */
public final class DraDrivers implements PluginHandler, AutoCloseable {

  /** What a driver names as its version of the API. */
  private static final String VERSION = "v1.DRAPlugin";

  /** Of a call; a kubelet's. */
  private static final Duration DEADLINE = Duration.ofSeconds(45);

  private final UnixChannels channels;
  private final Duration deadline;
  private final ReentrantLock lock = new ReentrantLock();
  private final Comeback comeback;

  /** Guarded by {@link #lock}. */
  private final Map<String, Path> endpoints = new HashMap<>();

  /** Drivers that were there, and since when they are not. Guarded by {@link #lock}. */
  private final Map<String, Instant> gone = new HashMap<>();

  /** By driver. Guarded by {@link #lock}. */
  private final Map<String, DriverHealth> health = new HashMap<>();

  /**
   * @param patience how long a claim waits for its driver after the start of the daemon, or after
   *     the end of the driver
   */
  public DraDrivers(UnixChannels channels, Duration patience) {
    this(channels, patience, DEADLINE);
  }

  /**
   * @param deadline of a call to a driver
   */
  DraDrivers(UnixChannels channels, Duration patience, Duration deadline) {
    this.channels = channels;
    this.comeback = new Comeback(lock, patience);
    this.deadline = deadline;
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
      gone.remove(name);
      end(health.put(name, new DriverHealth(name, channels.open(endpoint))));
      comeback.changed();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void deregister(String name, Path endpoint) {
    lock.lock();
    try {
      if (endpoints.remove(name, endpoint)) {
        gone.put(name, Instant.now());
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

  /**
   * Makes a claim's devices ready; answers the names of the CDI devices for the containers.
   *
   * @throws UnavailableException if the driver is not back in time
   */
  List<String> prepare(ClaimName claim) throws IOException {
    var request = NodePrepareResourcesRequest.newBuilder().addClaims(message(claim)).build();
    @Nullable NodePrepareResourceResponse answer =
        call(await(claim.driver()), claim, stub -> stub.nodePrepareResources(request))
            .getClaimsMap()
            .get(claim.uid());
    requireSuccess(claim, answer == null ? null : answer.getError());
    return answer == null
        ? List.of()
        : answer.getDevicesList().stream()
            .flatMap(device -> device.getCdiDeviceIdsList().stream())
            .map(id -> cdiDevice(claim, id))
            .distinct()
            .toList();
  }

  /**
   * Takes them back.
   *
   * @throws UnavailableException if the driver is not there; it is not waited for
   */
  void unprepare(ClaimName claim) throws IOException {
    var request = NodeUnprepareResourcesRequest.newBuilder().addClaims(message(claim)).build();
    @Nullable NodeUnprepareResourceResponse answer =
        call(require(claim.driver()), claim, stub -> stub.nodeUnprepareResources(request))
            .getClaimsMap()
            .get(claim.uid());
    requireSuccess(claim, answer == null ? null : answer.getError());
  }

  private static String cdiDevice(ClaimName claim, String id) {
    try {
      return CdiName.parse(id).toString();
    } catch (InvalidRequestException e) { // nobody's request is to blame
      throw new OperationFailedException(
          "driver %s, claim %s/%s: %s"
              .formatted(claim.driver(), claim.namespace(), claim.name(), e.getMessage()),
          e);
    }
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

  private <T> T call(Path endpoint, ClaimName claim, Function<DRAPluginBlockingStub, T> call)
      throws IOException {
    ManagedChannel channel = channels.open(endpoint);
    try {
      return call.apply(
          DRAPluginGrpc.newBlockingStub(channel)
              .withDeadlineAfter(deadline.toMillis(), TimeUnit.MILLISECONDS));
    } catch (StatusRuntimeException e) {
      throw new IOException("driver %s: %s".formatted(claim.driver(), RpcFailures.text(e)), e);
    } finally {
      channel.shutdownNow();
    }
  }

  private Path await(String driver) {
    return comeback.await(
        "DRA driver " + driver,
        () -> Optional.ofNullable(endpoints.get(driver)),
        () -> Optional.ofNullable(gone.get(driver)),
        () -> missing(driver));
  }

  private Path require(String driver) {
    lock.lock();
    try {
      Path endpoint = endpoints.get(driver);
      if (endpoint == null) {
        throw missing(driver);
      }
      return endpoint;
    } finally {
      lock.unlock();
    }
  }

  private static UnavailableException missing(String driver) {
    return new UnavailableException("DRA driver %s has not registered".formatted(driver));
  }
}
