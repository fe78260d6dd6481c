package io.keelson.runtime.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import io.grpc.Server;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import io.keelson.proto.opentelemetry.collector.trace.v1.ExportTracePartialSuccess;
import io.keelson.proto.opentelemetry.collector.trace.v1.ExportTraceServiceRequest;
import io.keelson.proto.opentelemetry.collector.trace.v1.ExportTraceServiceResponse;
import io.keelson.proto.opentelemetry.collector.trace.v1.TraceServiceGrpc;
import io.keelson.proto.opentelemetry.trace.v1.Span;
import io.keelson.proto.opentelemetry.trace.v1.Status;
import io.keelson.runtime.collector.GrpcTraceSink;
import io.keelson.runtime.collector.HttpTraceSink;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.Test;

/** Calls on their way to a collector, over loopback. */
class TraceSinkTest {

  /** The first call of all loads the libraries. */
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private static final InetSocketAddress ANY_PORT =
      new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);

  private static ExportTraceServiceRequest failedCall() {
    Operation operation =
        new Operation(
            "RunPodSandbox",
            Thread.currentThread(),
            1_000,
            Optional.of(
                new TraceContext("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", true)));
    operation.ids(Map.of("pod", "it/one"));
    operation.passed("RunPodSandbox:network", 1_500);
    operation.outcome("UNAVAILABLE");
    return new Spans("1").of(List.of(new Spans.Ended(operation, 2_000)));
  }

  @Test
  void aCallIsASpanOfItsCallersTraceWithItsStagesBelowIt() {
    List<Span> spans = failedCall().getResourceSpans(0).getScopeSpans(0).getSpansList();
    Span call = spans.getFirst();
    assertThat(call.getTraceId().size()).isEqualTo(16);
    assertThat(call.getParentSpanId().byteAt(0)).isEqualTo((byte) 0xb7);
    assertThat(call.getStatus().getCode()).isEqualTo(Status.StatusCode.STATUS_CODE_ERROR);
    assertThat(call.getEndTimeUnixNano() - call.getStartTimeUnixNano()).isEqualTo(1_000);
    assertThat(call.getAttributesList().toString()).contains("keelson.pod", "it/one");
    Span stage = spans.getLast();
    assertThat(stage.getName()).isEqualTo("RunPodSandbox:network");
    assertThat(stage.getParentSpanId()).isEqualTo(call.getSpanId());
    assertThat(stage.getTraceId()).isEqualTo(call.getTraceId());
    assertThat(stage.getEndTimeUnixNano() - stage.getStartTimeUnixNano()).isEqualTo(500);
  }

  @Test
  void spansComeByHttp() throws Exception {
    BlockingQueue<byte[]> bodies = new LinkedBlockingQueue<>();
    HttpServer server = HttpServer.create(ANY_PORT, 0);
    server.createContext(
        "/v1/traces",
        exchange -> {
          bodies.add(exchange.getRequestBody().readAllBytes());
          String type = exchange.getRequestHeaders().getFirst("Content-Type");
          exchange.sendResponseHeaders(type.equals("application/x-protobuf") ? 200 : 415, -1);
          exchange.close();
        });
    server.start();
    String host = "http://127.0.0.1:" + server.getAddress().getPort();
    try (TraceSink sink = new HttpTraceSink(URI.create(host + "/v1/traces"), PATIENCE);
        TraceSink lost = new HttpTraceSink(URI.create(host + "/elsewhere"), PATIENCE)) {
      ExportTraceServiceRequest sent = failedCall();
      sink.send(sent);
      assertThat(ExportTraceServiceRequest.parseFrom(bodies.remove())).isEqualTo(sent);
      assertThatThrownBy(() -> lost.send(sent)).isInstanceOf(IOException.class);
    } finally {
      server.stop(0);
    }
  }

  @Test
  void spansComeByGrpcAndARefusalIsAFailure() throws Exception {
    BlockingQueue<ExportTraceServiceRequest> requests = new LinkedBlockingQueue<>();
    Server server =
        NettyServerBuilder.forAddress(ANY_PORT)
            .addService(
                new TraceServiceGrpc.TraceServiceImplBase() {
                  @Override
                  public void export(
                      ExportTraceServiceRequest request,
                      StreamObserver<ExportTraceServiceResponse> answer) {
                    requests.add(request);
                    answer.onNext(
                        ExportTraceServiceResponse.newBuilder()
                            .setPartialSuccess(
                                ExportTracePartialSuccess.newBuilder()
                                    .setRejectedSpans(request.getResourceSpansCount() - 1)
                                    .setErrorMessage("too many"))
                            .build());
                    answer.onCompleted();
                  }
                })
            .build()
            .start();
    try (TraceSink sink =
        new GrpcTraceSink(URI.create("http://127.0.0.1:" + server.getPort()), PATIENCE)) {
      ExportTraceServiceRequest sent = failedCall();
      sink.send(sent);
      assertThat(requests.remove()).isEqualTo(sent);
      ExportTraceServiceRequest twice = sent.toBuilder().mergeFrom(sent).build();
      assertThatThrownBy(() -> sink.send(twice)).hasMessageContaining("too many");
      server.shutdownNow().awaitTermination();
      assertThatThrownBy(() -> sink.send(sent))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("UNAVAILABLE");
    } finally {
      server.shutdownNow();
    }
  }
}
