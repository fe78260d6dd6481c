package io.keelson.csi.driver;

import io.grpc.Channel;
import io.grpc.ClientInterceptors;
import io.grpc.ConnectivityState;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.AbstractBlockingStub;
import io.keelson.proto.csi.v1.ControllerGrpc;
import io.keelson.proto.csi.v1.GroupControllerGrpc;
import io.keelson.proto.csi.v1.IdentityGrpc;
import io.keelson.proto.csi.v1.NodeGrpc;
import io.keelson.proto.csi.v1.SnapshotMetadataGrpc;
import io.keelson.sandbox.error.KeelsonException;
import io.keelson.sandbox.rpc.RpcFailures;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A driver at one endpoint. Its process may come and go: each call connects if need be. What it can
 * do is asked once and again after it was away. Safe for use by many threads.
 */
public final class Driver implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(Driver.class);

  private final String name;
  private final Endpoint endpoint;
  private final Origin origin;
  private final ManagedChannel channel;
  private final Channel calls;
  private final CallPolicy policy;
  private final CallMetrics metrics;
  private volatile @Nullable DriverInfo info;
  private volatile DriverHealth health = DriverHealth.UNKNOWN;

  /** How the daemon came to know of a driver. */
  public enum Origin {
    CONFIGURATION("configuration"),
    REGISTRATION("registration"),
    BUILT_IN("built-in");

    private final String word;

    Origin(String word) {
      this.word = word;
    }

    public String word() {
      return word;
    }
  }

  Driver(
      String name,
      Endpoint endpoint,
      Origin origin,
      ManagedChannel channel,
      CallPolicy policy,
      CallMetrics metrics) {
    this.name = name;
    this.endpoint = endpoint;
    this.origin = origin;
    this.channel = channel;
    this.calls = ClientInterceptors.intercept(channel, new DiscreetCalls());
    this.policy = policy;
    this.metrics = metrics;
  }

  /** Empty as long as an endpoint of the configuration has not answered. */
  public String name() {
    return name;
  }

  public Endpoint endpoint() {
    return endpoint;
  }

  public Origin origin() {
    return origin;
  }

  public DriverHealth health() {
    return health;
  }

  void health(DriverHealth now) {
    if (now.state() != health.state()) {
      LOG.atInfo()
          .addKeyValue("driver", name)
          .addKeyValue("endpoint", endpoint)
          .addKeyValue("state", now.state().word())
          .addKeyValue("message", now.message())
          .log("the state of a CSI driver has changed");
    }
    health = now;
  }

  /** What the driver has said of itself; null if it was not asked since it was last away. */
  public @Nullable DriverInfo knownInfo() {
    return info;
  }

  /**
   * What the driver says of itself, from memory if it has been asked.
   *
   * @throws KeelsonException if it does not answer in time
   */
  public DriverInfo info(Operation operation) {
    DriverInfo known = info;
    if (known == null) {
      known = new Introspection(this).ask(operation);
      remember(known);
    }
    return known;
  }

  /** Its process is another one: what it can do is asked anew, and calls need not wait. */
  void renewed() {
    info = null;
    channel.resetConnectBackoff();
  }

  private void remember(DriverInfo known) {
    info = known;
    // Also where it is back before the next call: it may be another one.
    channel.notifyWhenStateChanged(ConnectivityState.READY, () -> info = null);
  }

  /** This driver under the name that it gives itself. */
  Driver named(String itsName) {
    Driver named = new Driver(itsName, endpoint, origin, channel, policy, metrics);
    DriverInfo known = info;
    if (known != null) {
      named.remember(known);
    }
    return named;
  }

  /** A call of the Identity service. */
  public <T> T identity(
      String method, Operation operation, Function<IdentityGrpc.IdentityBlockingStub, T> call) {
    return call(method, "", operation, IdentityGrpc::newBlockingStub, call);
  }

  /**
   * A call of the Node service; tried again as long as its failure may pass and the operation has
   * time.
   *
   * @param subject what it is about, for messages
   * @throws KeelsonException as the driver's last answer says
   */
  public <T> T node(
      String method,
      String subject,
      Operation operation,
      Function<NodeGrpc.NodeBlockingStub, T> call) {
    return call(method, subject, operation, NodeGrpc::newBlockingStub, call);
  }

  /** A call of the Controller service; as {@link #node}. */
  public <T> T controller(
      String method,
      String subject,
      Operation operation,
      Function<ControllerGrpc.ControllerBlockingStub, T> call) {
    return call(method, subject, operation, ControllerGrpc::newBlockingStub, call);
  }

  /** A call of the GroupController service; as {@link #node}. */
  public <T> T group(
      String method,
      String subject,
      Operation operation,
      Function<GroupControllerGrpc.GroupControllerBlockingStub, T> call) {
    return call(method, subject, operation, GroupControllerGrpc::newBlockingStub, call);
  }

  /**
   * A call of the SnapshotMetadata service; as {@link #node}.
   *
   * @param call takes all answers; called again after a failure, it goes on from where it was
   */
  public <T> T snapshotMetadata(
      String method,
      String subject,
      Operation operation,
      Function<SnapshotMetadataGrpc.SnapshotMetadataBlockingStub, T> call) {
    return call(method, subject, operation, SnapshotMetadataGrpc::newBlockingStub, call);
  }

  private <S extends AbstractBlockingStub<S>, T> T call(
      String method,
      String subject,
      Operation operation,
      Function<Channel, S> service,
      Function<S, T> call) {
    String before = "";
    for (int attempt = 1; ; attempt++) {
      operation.listener().step(method, attempt, before);
      Duration limit = operation.left();
      limit = limit.compareTo(policy.callTimeout()) < 0 ? limit : policy.callTimeout();
      long began = System.nanoTime();
      try {
        S stub =
            service.apply(calls).withDeadlineAfter(limit.toMillis() + 1, TimeUnit.MILLISECONDS);
        T answer = call.apply(stub);
        done(method, Status.Code.OK, began);
        return answer;
      } catch (StatusRuntimeException e) {
        Status.Code code = e.getStatus().getCode();
        done(method, code, began);
        if (code == Status.Code.UNAVAILABLE) {
          renewed(); // whoever answers next may be able to do other things
        }
        KeelsonException failure = CallFailures.of(name, method, subject, e);
        if (!CallFailures.isTransient(code)) {
          throw failure;
        }
        operation.doubt();
        // A driver that was replaced or is gone for good has no channel any more.
        if (channel.isShutdown() || !operation.pause(policy.pauseAfter(attempt))) {
          throw failure;
        }
        before = String.valueOf(failure.getMessage());
        LOG.atInfo()
            .addKeyValue("driver", name)
            .addKeyValue("method", method)
            .addKeyValue("attempt", attempt)
            .addKeyValue("words", RpcFailures.text(e))
            .log("a call to a CSI driver failed and is made again");
      }
    }
  }

  private void done(String method, Status.Code code, long began) {
    metrics.called(name, method, code.name(), Duration.ofNanos(System.nanoTime() - began));
  }

  @Override
  public void close() {
    channel.shutdownNow();
  }
}
