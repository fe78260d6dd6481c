package io.keelson.runtime.collector;

import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.keelson.proto.opentelemetry.collector.trace.v1.ExportTraceServiceRequest;
import io.keelson.proto.opentelemetry.collector.trace.v1.ExportTraceServiceResponse;
import io.keelson.proto.opentelemetry.collector.trace.v1.TraceServiceGrpc;
import io.keelson.runtime.metrics.TraceSink;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** OTLP over gRPC. */
public final class GrpcTraceSink implements TraceSink {

  private static final int DEFAULT_PORT = 4317;

  private final URI endpoint;
  private final Duration timeout;
  private final ManagedChannel channel;

  /**
   * @param endpoint of the collector, such as {@code http://127.0.0.1:4317}; {@code https} for TLS
   *     with a certificate that the host trusts. There is no path.
   * @param timeout until its answer
   */
  public GrpcTraceSink(URI endpoint, Duration timeout) {
    this.endpoint = endpoint;
    this.timeout = timeout;
    int port = endpoint.getPort() < 0 ? DEFAULT_PORT : endpoint.getPort();
    NettyChannelBuilder builder =
        NettyChannelBuilder.forAddress(endpoint.getHost(), port).directExecutor();
    this.channel =
        (endpoint.getScheme().equals("https")
                ? builder.useTransportSecurity()
                : builder.usePlaintext())
            .build();
  }

  @Override
  public void send(ExportTraceServiceRequest spans) throws IOException, InterruptedException {
    ExportTraceServiceResponse answer;
    try {
      answer =
          TraceServiceGrpc.newBlockingStub(channel)
              .withDeadlineAfter(timeout.toMillis(), TimeUnit.MILLISECONDS)
              .export(spans);
    } catch (StatusRuntimeException e) {
      if (Thread.interrupted()) {
        throw new InterruptedException();
      }
      throw new IOException("it answered " + e.getStatus(), e);
    }
    if (answer.getPartialSuccess().getRejectedSpans() > 0) {
      throw new IOException("it refused spans: " + answer.getPartialSuccess().getErrorMessage());
    }
  }

  @Override
  public String toString() {
    return endpoint.toString();
  }

  @Override
  public void close() {
    channel.shutdownNow();
  }
}
