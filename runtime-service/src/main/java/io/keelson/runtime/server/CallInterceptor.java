package io.keelson.runtime.server;

import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;
import org.slf4j.event.Level;
import org.slf4j.spi.LoggingEventBuilder;

/**
 * What every call goes through, so that no handler does it: it is refused before recovery has
 * ended, every line that is logged on its thread carries its pod and container, an exception
 * becomes a status, and its end is logged.
 */
public final class CallInterceptor implements ServerInterceptor {

  private static final Logger log = LoggerFactory.getLogger(CallInterceptor.class);

  private static final Metadata.Key<String> TRACEPARENT =
      Metadata.Key.of("traceparent", Metadata.ASCII_STRING_MARSHALLER);

  private final ReadinessGate gate;
  private final CallObserver observer;

  public CallInterceptor(ReadinessGate gate) {
    this(gate, CallObserver.NONE);
  }

  /**
   * @param observer hears of every call
   */
  public CallInterceptor(ReadinessGate gate, CallObserver observer) {
    this.gate = gate;
    this.observer = observer;
  }

  @Override
  public <Q, A> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
    String method = call.getMethodDescriptor().getFullMethodName();
    if (!gate.admits(method)) {
      call.close(
          Status.UNAVAILABLE.withDescription("server is not initialized yet"), new Metadata());
      return new ServerCall.Listener<>() {};
    }
    LoggedCall<Q, A> logged = new LoggedCall<>(call, method, observer);
    return new LoggedListener<>(
        next.startCall(logged, headers),
        logged,
        observer,
        Optional.ofNullable(headers.get(TRACEPARENT)));
  }

  /** Remembers what the call is about and logs how it ended. */
  private static final class LoggedCall<Q, A> extends SimpleForwardingServerCall<Q, A> {

    private final String method;
    private final CallObserver observer;
    private final long startNanos = System.nanoTime();
    private final AtomicBoolean closed = new AtomicBoolean();
    private volatile Map<String, String> ids = Map.of();

    LoggedCall(ServerCall<Q, A> call, String method, CallObserver observer) {
      super(call);
      this.observer = observer;
      this.method = method.substring(method.lastIndexOf('/') + 1);
    }

    @Override
    public void close(Status status, Metadata trailers) {
      if (closed.compareAndSet(false, true)) {
        logEnd(status);
        observer.ended(method, status.getCode().name(), System.nanoTime() - startNanos);
        super.close(status, trailers);
      }
    }

    void request(Object request) {
      ids = CallIds.of(request);
    }

    void fail(Throwable thrown) {
      Metadata trailers = Status.trailersFromThrowable(thrown);
      close(StatusMapping.of(thrown), trailers == null ? new Metadata() : trailers);
    }

    private void logEnd(Status status) {
      LoggingEventBuilder event =
          log.atLevel(level(status.getCode()))
              .addKeyValue("ms", TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - startNanos));
      for (Map.Entry<String, String> id : ids.entrySet()) {
        event = event.addKeyValue(id.getKey(), id.getValue());
      }
      if (status.isOk()) {
        event.log("{} done", method);
      } else {
        event
            .setCause(status.getCode() == Status.Code.INTERNAL ? status.getCause() : null)
            .log("{} failed: {}: {}", method, status.getCode(), status.getDescription());
      }
    }

    /** What callers run into in the ordinary course of things is no news. */
    private static Level level(Status.Code code) {
      return switch (code) {
        case OK, CANCELLED, NOT_FOUND, UNIMPLEMENTED -> Level.DEBUG;
        case INTERNAL -> Level.ERROR;
        case UNKNOWN,
            INVALID_ARGUMENT,
            DEADLINE_EXCEEDED,
            ALREADY_EXISTS,
            PERMISSION_DENIED,
            RESOURCE_EXHAUSTED,
            FAILED_PRECONDITION,
            ABORTED,
            OUT_OF_RANGE,
            UNAVAILABLE,
            DATA_LOSS,
            UNAUTHENTICATED ->
            Level.WARN;
      };
    }
  }

  /** Runs the handler (gRPC does so at the half close of a call) with the log's keys set. */
  private static final class LoggedListener<Q, A> extends SimpleForwardingServerCallListener<Q> {

    private final LoggedCall<Q, A> call;
    private final CallObserver observer;
    private final Optional<String> traceparent;

    LoggedListener(
        ServerCall.Listener<Q> listener,
        LoggedCall<Q, A> call,
        CallObserver observer,
        Optional<String> traceparent) {
      super(listener);
      this.traceparent = traceparent;
      this.observer = observer;
      this.call = call;
    }

    @Override
    public void onMessage(Q message) {
      call.request(message);
      super.onMessage(message);
    }

    @Override
    public void onHalfClose() {
      Map<String, String> ids = new TreeMap<>(call.ids);
      ids.forEach(MDC::put);
      observer.handling(call.method, ids, traceparent);
      try {
        super.onHalfClose();
      } catch (RuntimeException
          | Error e) { // whatever the handler threw, the caller gets an answer
        call.fail(e);
      } finally {
        observer.handled();
        ids.keySet().forEach(MDC::remove);
      }
    }
  }
}
