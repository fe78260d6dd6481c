package io.keelson.integration.harness;

import io.grpc.BindableService;
import io.grpc.ForwardingServerCall;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.ServerInterceptors;
import io.grpc.Status;
import io.keelson.csi.local.LocalDriver;
import io.keelson.proto.csi.v1.ControllerGetCapabilitiesResponse;
import io.keelson.proto.csi.v1.ControllerModifyVolumeResponse;
import io.keelson.proto.csi.v1.ControllerPublishVolumeResponse;
import io.keelson.proto.csi.v1.ControllerServiceCapability;
import io.keelson.proto.csi.v1.ControllerUnpublishVolumeResponse;
import io.keelson.proto.csi.v1.GetPluginCapabilitiesResponse;
import io.keelson.proto.csi.v1.NodeGetCapabilitiesResponse;
import io.keelson.proto.csi.v1.NodeGetVolumeStatsResponse;
import io.keelson.proto.csi.v1.NodeServiceCapability;
import io.keelson.proto.csi.v1.VolumeCondition;
import io.keelson.sandbox.rpc.UnixServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * The local driver in a process of its own (that of the test), which also attaches and modifies
 * volumes and freezes groups of them, and which misbehaves on command. Registered behind the node's
 * own extension, it runs for all tests of a class.
 */
public final class MisbehavingDriver
    implements ServerInterceptor, AutoCloseable, BeforeAllCallback, AfterAllCallback {

  public static final String NAME = "misbehaving.csi.test";

  /** What is done wrong in a call. */
  public enum Misdeed {
    /** Nothing is done, the answer is ABORTED. */
    ABORTS,
    /** Nothing is done and nothing answered. */
    HANGS,
    /** The work is done, and the answer never sent. */
    FALLS_SILENT,
    /** The work is done, and the driver ends before it answers. */
    DIES_AFTER_WORK,
    /** The work is done, and the answer is INTERNAL. */
    FAILS_AFTER_WORK,
    /** Nothing is done, and the answer is a success. */
    LIES,
    /** The volume is not known any more. */
    FORGETS
  }

  private final Path root;
  private final Path socket;
  private final Map<String, Deque<Misdeed>> misdeeds = new ConcurrentHashMap<>();
  private final Map<String, Misdeed> habits = new ConcurrentHashMap<>();
  private final List<String> calls = Collections.synchronizedList(new ArrayList<>());
  private final AtomicInteger attached = new AtomicInteger();
  private final Map<Class<?>, Object> requests = new ConcurrentHashMap<>();
  private volatile VolumeCondition condition = VolumeCondition.getDefaultInstance();
  private @Nullable UnixServer server;

  /** A driver that the node's configuration names. */
  public static MisbehavingDriver of(TestNode node) {
    Path socket = node.base().resolve("test/csi.sock");
    node.set("volumes.drivers", "[\"" + socket + "\"]");
    return new MisbehavingDriver(node.base().resolve("driver"), socket);
  }

  /**
   * @param root holds its volumes
   */
  private MisbehavingDriver(Path root, Path socket) {
    this.root = root;
    this.socket = socket;
  }

  @Override
  public void beforeAll(ExtensionContext context) throws IOException {
    start();
  }

  @Override
  public void afterAll(ExtensionContext context) {
    close();
  }

  public synchronized void start() throws IOException {
    List<BindableService> services = new ArrayList<>();
    for (BindableService service : new LocalDriver(NAME, root, "node-1", "0").services()) {
      services.add(() -> ServerInterceptors.intercept(service, this));
    }
    services.add(() -> ServerInterceptors.intercept(new GroupSnapshots(), this));
    server = UnixServer.start(socket, services);
  }

  public synchronized boolean isRunning() {
    return server != null;
  }

  /** Ends at once; calls under way are not answered. */
  @Override
  public synchronized void close() {
    try {
      if (server != null) {
        server.close();
        server = null;
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The next call of a method goes wrong; many in a row are done in their order. */
  public void next(String method, Misdeed... all) {
    misdeeds.computeIfAbsent(method, m -> new ArrayDeque<>()).addAll(List.of(all));
  }

  /** Every call of a method goes wrong until it is told to {@link #behave}. */
  public void always(String method, Misdeed misdeed) {
    habits.put(method, misdeed);
  }

  /** From now on all volumes on this node are said to be ill. */
  public void volumesAreIll(String message) {
    condition = VolumeCondition.newBuilder().setAbnormal(true).setMessage(message).build();
  }

  public void behave() {
    misdeeds.clear();
    habits.clear();
    condition = VolumeCondition.getDefaultInstance();
  }

  /** How often a method was called since the last {@link #forgetCalls}. */
  public long calls(String method) {
    return List.copyOf(calls).stream().filter(method::equals).count();
  }

  public void forgetCalls() {
    calls.clear();
  }

  /** Attached less detached. */
  public int attached() {
    return attached.get();
  }

  /** The last request of its kind. */
  public <Q> Q last(Class<Q> request) {
    return request.cast(
        Objects.requireNonNull(requests.get(request), () -> "never seen: " + request));
  }

  @Override
  public <Q, A> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
    String method = call.getMethodDescriptor().getBareMethodName();
    calls.add(method);
    Deque<Misdeed> queue = misdeeds.getOrDefault(method, new ArrayDeque<>());
    Misdeed misdeed = queue.isEmpty() ? habits.get(method) : queue.poll();
    if (misdeed != null) {
      switch (misdeed) {
        case ABORTS -> {
          call.close(Status.ABORTED.withDescription("on command"), new Metadata());
          return new ServerCall.Listener<>() {};
        }
        case HANGS -> {
          return new ServerCall.Listener<>() {};
        }
        case FORGETS -> {
          call.close(Status.NOT_FOUND.withDescription("on command"), new Metadata());
          return new ServerCall.Listener<>() {};
        }
        case LIES -> {
          return watch(answer(call, emptyAnswer(call)));
        }
        case FALLS_SILENT, DIES_AFTER_WORK, FAILS_AFTER_WORK -> {}
      }
    }
    if (method.equals("ControllerPublishVolume")) {
      attached.incrementAndGet();
    } else if (method.equals("ControllerUnpublishVolume")) {
      attached.set(0);
    }
    ServerCall<Q, A> afterwards = new Afterwards<>(call, misdeed);
    return switch (method) {
      case "ControllerPublishVolume" ->
          watch(
              answer(
                  afterwards,
                  ControllerPublishVolumeResponse.newBuilder()
                      .putPublishContext("device", "test-device")
                      .build()));
      case "ControllerUnpublishVolume" ->
          watch(answer(afterwards, ControllerUnpublishVolumeResponse.getDefaultInstance()));
      case "ControllerModifyVolume" ->
          watch(answer(afterwards, ControllerModifyVolumeResponse.getDefaultInstance()));
      default -> watch(next.startCall(afterwards, headers));
    };
  }

  private <Q> ServerCall.Listener<Q> watch(ServerCall.Listener<Q> listener) {
    return new io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener<>(listener) {
      @Override
      public void onMessage(Q message) {
        requests.put(message.getClass(), message);
        super.onMessage(message);
      }
    };
  }

  @SuppressWarnings("unchecked") // the answer is the method's own
  private static <Q, A> ServerCall.Listener<Q> answer(ServerCall<Q, A> call, Object answer) {
    call.request(1);
    return new ServerCall.Listener<>() {
      @Override
      public void onHalfClose() {
        call.sendHeaders(new Metadata());
        call.sendMessage((A) answer);
        call.close(Status.OK, new Metadata());
      }
    };
  }

  private static ControllerServiceCapability can(ControllerServiceCapability.RPC.Type type) {
    return ControllerServiceCapability.newBuilder()
        .setRpc(ControllerServiceCapability.RPC.newBuilder().setType(type))
        .build();
  }

  private static NodeServiceCapability can(NodeServiceCapability.RPC.Type type) {
    return NodeServiceCapability.newBuilder()
        .setRpc(NodeServiceCapability.RPC.newBuilder().setType(type))
        .build();
  }

  private static <A> A emptyAnswer(ServerCall<?, A> call) {
    return call.getMethodDescriptor().parseResponse(java.io.InputStream.nullInputStream());
  }

  /** A call whose work is done, and then something else happens. */
  private final class Afterwards<Q, A>
      extends ForwardingServerCall.SimpleForwardingServerCall<Q, A> {

    private final @Nullable Misdeed misdeed;

    Afterwards(ServerCall<Q, A> call, @Nullable Misdeed misdeed) {
      super(call);
      this.misdeed = misdeed;
    }

    @Override
    @SuppressWarnings("unchecked") // the same message with capabilities more
    public void sendMessage(A message) {
      if (misdeed != null) {
        return;
      }
      super.sendMessage(
          switch (message) {
            case ControllerGetCapabilitiesResponse controller ->
                (A)
                    controller.toBuilder()
                        .addCapabilities(
                            can(ControllerServiceCapability.RPC.Type.PUBLISH_UNPUBLISH_VOLUME))
                        .addCapabilities(can(ControllerServiceCapability.RPC.Type.MODIFY_VOLUME))
                        .build();
            case GetPluginCapabilitiesResponse plugin ->
                (A) plugin.toBuilder().addCapabilities(GroupSnapshots.CAPABILITY).build();
            case NodeGetCapabilitiesResponse own ->
                (A)
                    own.toBuilder()
                        // So it says; its files have the group that they had.
                        .addCapabilities(can(NodeServiceCapability.RPC.Type.VOLUME_MOUNT_GROUP))
                        .addCapabilities(can(NodeServiceCapability.RPC.Type.VOLUME_CONDITION))
                        .build();
            case NodeGetVolumeStatsResponse stats ->
                (A) stats.toBuilder().setVolumeCondition(condition).build();
            default -> message;
          });
    }

    @Override
    public void close(Status status, Metadata trailers) {
      switch (misdeed) {
        case FAILS_AFTER_WORK ->
            super.close(Status.INTERNAL.withDescription("on command"), new Metadata());
        case DIES_AFTER_WORK -> Thread.ofVirtual().start(MisbehavingDriver.this::close);
        case FALLS_SILENT -> {}
        case null, default -> super.close(status, trailers);
      }
    }
  }
}
