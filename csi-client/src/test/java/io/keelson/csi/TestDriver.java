package io.keelson.csi;

import com.google.protobuf.Message;
import io.grpc.BindableService;
import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.ServerInterceptors;
import io.grpc.Status;
import io.keelson.sandbox.rpc.UnixServer;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A CSI driver on a socket of its own that writes down what it is asked for and misbehaves on
 * command. Its storage outlives it.
 */
final class TestDriver implements ServerInterceptor, AutoCloseable {

  static final String NAME = "told.csi.test";

  private static final int LONGEST_WAIT_SECONDS = 20;

  final TestStorage storage = new TestStorage();

  private final Path socket;
  private final List<Message> requests = Collections.synchronizedList(new ArrayList<>());
  private final List<String> methods = Collections.synchronizedList(new ArrayList<>());
  private final Map<String, Deque<Misdeed>> misdeeds = new ConcurrentHashMap<>();
  private final Map<String, CyclicBarrier> meetings = new ConcurrentHashMap<>();
  private final Map<String, AtomicInteger> underWay = new ConcurrentHashMap<>();
  private final AtomicInteger mostForOneVolume = new AtomicInteger();
  private volatile int pauseMillis;
  private Optional<UnixServer> server = Optional.empty();

  TestDriver(Path socket) {
    this.socket = socket;
  }

  Path socket() {
    return socket;
  }

  synchronized void start() throws IOException {
    List<BindableService> services = new ArrayList<>();
    for (BindableService service : storage.services()) {
      services.add(() -> ServerInterceptors.intercept(service, this));
    }
    server = Optional.of(UnixServer.start(socket, services));
  }

  synchronized void startIfGone() throws IOException {
    if (server.isEmpty()) {
      start();
    }
  }

  /** Ends at once; calls under way are not answered. */
  @Override
  public synchronized void close() {
    try {
      if (server.isPresent()) {
        server.get().close();
        server = Optional.empty();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The next calls of a method go wrong, in this order. */
  void next(String method, Misdeed... all) {
    misdeeds.computeIfAbsent(method, _ -> new ConcurrentLinkedDeque<>()).addAll(Arrays.asList(all));
  }

  void behave() {
    misdeeds.clear();
  }

  /** Each call takes that long. */
  void isSlow(int milliseconds) {
    pauseMillis = milliseconds;
  }

  /** Calls of a method are answered when that many of them are under way. */
  void meet(String method, int calls) {
    meetings.put(method, new CyclicBarrier(calls));
  }

  /** The most calls for one volume that were under way at a time. */
  int mostForOneVolume() {
    return mostForOneVolume.get();
  }

  /** The methods that were called, in their order, without those of the Identity service. */
  List<String> methods() {
    return List.copyOf(methods).stream()
        .filter(each -> !each.equals("Probe") && !each.startsWith("GetPlugin"))
        .filter(each -> !each.endsWith("GetCapabilities") && !each.equals("NodeGetInfo"))
        .toList();
  }

  long calls(String method) {
    return List.copyOf(methods).stream().filter(method::equals).count();
  }

  void forgetCalls() {
    methods.clear();
    requests.clear();
  }

  /** All requests in their order. */
  List<Message> requests() {
    return List.copyOf(requests);
  }

  /** All requests of one kind in their order. */
  <Q> List<Q> requests(Class<Q> kind) {
    return requests().stream().filter(kind::isInstance).map(kind::cast).toList();
  }

  @Override
  public <Q, A> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
    String method = String.valueOf(call.getMethodDescriptor().getBareMethodName());
    methods.add(method);
    Deque<Misdeed> queue = misdeeds.getOrDefault(method, new ArrayDeque<>());
    Optional<Misdeed> misdeed = Optional.ofNullable(queue.poll());
    UnderWay one = new UnderWay();
    ServerCall.Listener<Q> listener = next.startCall(new Answer<>(call, misdeed, one), headers);
    return new SimpleForwardingServerCallListener<>(listener) {
      @Override
      public void onMessage(Q message) {
        requests.add((Message) message);
        one.volume = volumeOf((Message) message);
        super.onMessage(message);
      }

      @Override
      public void onHalfClose() {
        begin(method, one);
        try {
          if (misdeed.isEmpty() || misdeed.get().works()) {
            super.onHalfClose();
          } else if (misdeed.get().answer().isPresent()) {
            one.end();
            refuse(call, misdeed.get().answer().get());
          }
        } finally {
          one.end();
        }
      }
    };
  }

  private static String volumeOf(Message request) {
    var fields = request.getDescriptorForType();
    for (String name : List.of("volume_id", "source_volume_id")) {
      var field = fields.findFieldByName(name);
      if (field != null) {
        return (String) request.getField(field);
      }
    }
    return "";
  }

  /** A call, until it is answered: after that its caller may make the next one. */
  private final class UnderWay {
    volatile String volume = "";
    private final AtomicBoolean counted = new AtomicBoolean();

    void begin() {
      counted.set(true);
      int now = underWay.computeIfAbsent(volume, _ -> new AtomicInteger()).incrementAndGet();
      if (!volume.isEmpty()) {
        mostForOneVolume.accumulateAndGet(now, Math::max);
      }
    }

    void end() {
      if (counted.getAndSet(false)) {
        underWay.getOrDefault(volume, new AtomicInteger()).decrementAndGet();
      }
    }
  }

  private void begin(String method, UnderWay one) {
    one.begin();
    try {
      Thread.sleep(pauseMillis);
      CyclicBarrier meeting = meetings.get(method);
      if (meeting != null) {
        meeting.await(LONGEST_WAIT_SECONDS, TimeUnit.SECONDS);
      }
    } catch (Exception e) {
      throw new IllegalStateException("a call was alone", e);
    }
  }

  private static <A> void refuse(ServerCall<?, A> call, Status status) {
    if (status.isOk()) {
      call.sendHeaders(new Metadata());
      call.sendMessage(call.getMethodDescriptor().parseResponse(InputStream.nullInputStream()));
    }
    call.close(status, new Metadata());
  }

  /** The work is done, and then something else happens. */
  private final class Answer<Q, A> extends SimpleForwardingServerCall<Q, A> {

    private final Optional<Misdeed> misdeed;
    private final UnderWay one;

    Answer(ServerCall<Q, A> call, Optional<Misdeed> misdeed, UnderWay one) {
      super(call);
      this.misdeed = misdeed;
      this.one = one;
    }

    @Override
    public void sendHeaders(Metadata headers) {
      if (misdeed.isEmpty()) {
        super.sendHeaders(headers);
      }
    }

    @Override
    public void sendMessage(A message) {
      if (misdeed.isEmpty()) {
        super.sendMessage(message);
      }
    }

    @Override
    public void close(Status status, Metadata trailers) {
      one.end();
      if (misdeed.isEmpty()) {
        super.close(status, trailers);
      } else if (misdeed.get().dies()) {
        Thread.ofVirtual().start(TestDriver.this::close);
      } else if (misdeed.get().answer().isPresent()) {
        super.close(misdeed.get().answer().get(), new Metadata());
      }
    }
  }
}
