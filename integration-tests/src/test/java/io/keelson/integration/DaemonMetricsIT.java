package io.keelson.integration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.StreamObserver;
import io.keelson.integration.harness.Cri;
import io.keelson.integration.harness.MetricsEndpoint;
import io.keelson.integration.harness.TestNode;
import io.keelson.proto.cri.v1.CheckpointContainerRequest;
import io.keelson.proto.cri.v1.CheckpointPodRequest;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import io.keelson.proto.cri.v1.PodSandboxStatusRequest;
import io.keelson.proto.cri.v1.RestorePodRequest;
import io.keelson.proto.cri.v1.RuntimeServiceGrpc;
import io.keelson.proto.cri.v1.StopPodSandboxRequest;
import io.keelson.proto.opentelemetry.collector.trace.v1.ExportTraceServiceRequest;
import io.keelson.proto.opentelemetry.collector.trace.v1.ExportTraceServiceResponse;
import io.keelson.proto.opentelemetry.collector.trace.v1.TraceServiceGrpc;
import io.keelson.proto.opentelemetry.trace.v1.Span;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What the daemon tells of itself, and what the command line makes of statistics and events. */
class DaemonMetricsIT {

  private static final Collector COLLECTOR = new Collector();

  @RegisterExtension static final TestNode node = configured();

  private static final MetricsEndpoint METRICS = MetricsEndpoint.of(node);

  @AfterAll
  static void closeCollector() {
    COLLECTOR.close();
  }

  private static TestNode configured() {
    TestNode node = TestNode.create();
    node.set("tracing.endpoint", "\"http://127.0.0.1:" + COLLECTOR.port() + "\"");
    return node.set("tracing.protocol", "\"grpc\"");
  }

  @Test
  void callsPodsSpawnsAndSlowOperationsAreTold() throws Exception {
    Cri cri = node.cri();
    PodSandboxConfig pod = node.pod("watched").build();
    String id = cri.run(cri.runPod(pod), node.sleeper("main").build(), pod);

    String metrics = METRICS.get("/metrics");
    assertThat(metrics).startsWith("HTTP/1.1 200 OK\r\n");
    assertThat(MetricsEndpoint.value(metrics, "keelson_pods{state=\"ready\",}")).isEqualTo(1);
    assertThat(metrics)
        .contains("keelson_image_fetched_bytes_total ")
        .contains("# TYPE keelson_device_allocations_total counter")
        .contains("# TYPE keelson_devices gauge")
        .contains("keelson_event_readers_dropped_total 0")
        .contains("# TYPE keelson_event_backlog gauge", "# TYPE keelson_queue gauge")
        .contains("# TYPE keelson_volumes gauge")
        .contains("# TYPE keelson_csi_calls_total counter")
        .contains("# TYPE keelson_nri_calls_total counter");
    assertThat(MetricsEndpoint.value(metrics, "keelson_containers{state=\"running\",}"))
        .isEqualTo(1);
    assertThat(
            MetricsEndpoint.value(
                metrics, "keelson_calls_total{method=\"RunPodSandbox\",code=\"OK\",}"))
        .isPositive();
    assertThat(
            MetricsEndpoint.value(
                metrics, "keelson_call_seconds_count{method=\"StartContainer\",}"))
        .isPositive();
    assertThat(MetricsEndpoint.value(metrics, "keelson_spawns_total{program=\"conmon\",}"))
        .isPositive();
    // Not the number of the descriptor that a small runtime is started from.
    assertThat(metrics).doesNotContainPattern("keelson_spawns_total\\{program=\"[0-9]+\"");

    Thread slow =
        Thread.ofVirtual()
            .start(() -> cri.exec(id, 60, "sh", "-c", "until [ -e /go ]; do sleep 0.1; done"));
    Waits.until(
        () -> METRICS.get("/debug").contains("1 of them for more than 5 s"), "it is told as slow");
    assertThat(METRICS.get("/debug")).contains("ExecSync", id, "    at ");
    assertThat(
            MetricsEndpoint.value(
                METRICS.get("/metrics"),
                "keelson_operations_slow{method=\"ExecSync\",stage=\"begun\",}"))
        .isEqualTo(1);
    cri.output(id, "touch", "/go");
    slow.join();
    assertThat(METRICS.get("/nothing")).startsWith("HTTP/1.1 404 ");
    assertThat(Files.getPosixFilePermissions(METRICS.socket()))
        .isEqualTo(PosixFilePermissions.fromString("rw-rw----"));
  }

  @Test
  void theCommandLineShowsStatisticsAndEvents() throws Exception {
    Cri cri = node.cri();
    PodSandboxConfig pod = node.pod("shown").build();
    String sandbox = cri.runPod(pod);
    cri.run(sandbox, node.sleeper("main").build(), pod);
    assertThat(keelson("stats")).contains("CPU", "main", "%");
    assertThat(keelson("stats", "--pods", "shown")).contains("shown", "RECEIVED");
    assertThat(keelson("stats", "-o", "json")).contains("\"usageCoreNanoSeconds\"");
    assertThat(keelson("top", "-n", "1")).contains("main");

    Process events = command("events", "-n", "1");
    String line = "";
    for (int i = 0; i < 100 && line.isEmpty(); i++) {
      cri.remove(cri.create(sandbox, node.sleeper("other").build(), pod));
      if (events.waitFor(300, TimeUnit.MILLISECONDS)) {
        line = new String(events.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      }
    }
    assertThat(line).contains("container", "shown");
  }

  @Test
  void theStagesOfAPodStartAreSpans() throws Exception {
    String pod = node.cri().runPod(node.pod("traced").build());
    assertThat(pod).isNotEmpty();
    List<Span> spans = COLLECTOR.until(span -> span.toString().contains("it/traced"));
    Span call = spans.getLast();
    assertThat(call.getName()).isEqualTo("RunPodSandbox");
    assertThat(call.getKind()).isEqualTo(Span.SpanKind.SPAN_KIND_SERVER);
    List<Span> stages =
        COLLECTOR.all().stream()
            .filter(span -> span.getParentSpanId().equals(call.getSpanId()))
            .toList();
    assertThat(stages)
        .extracting(Span::getName)
        .contains("RunPodSandbox:namespaces", "RunPodSandbox:network");
    assertThat(stages)
        .allSatisfy(
            stage -> {
              assertThat(stage.getTraceId()).isEqualTo(call.getTraceId());
              assertThat(stage.getStartTimeUnixNano())
                  .isBetween(call.getStartTimeUnixNano(), call.getEndTimeUnixNano());
            });
    assertThat(COLLECTOR.all()).extracting(Span::getName).doesNotContain("ListPodSandbox");
  }

  /** Red if a kubelet's trace ends at the daemon's socket, or is recorded against its will. */
  @Test
  void aCallJoinsTheTraceOfItsCaller() throws Exception {
    String trace = "0af7651916cd43dd8448eb211c80319c";
    String span = "b7ad6b7169203331";
    String unrecorded = "1bf7651916cd43dd8448eb211c80319c";
    String pod = node.cri().runPod(node.pod("joined").build());
    PodSandboxStatusRequest status =
        PodSandboxStatusRequest.newBuilder().setPodSandboxId(pod).build();
    var _ = inTrace("00-%s-%s-00".formatted(unrecorded, span)).podSandboxStatus(status);
    var _ = inTrace("00-%s-%s-01".formatted(trace, span)).podSandboxStatus(status);
    var _ =
        inTrace("00-%s-%s-01".formatted(trace, span))
            .stopPodSandbox(StopPodSandboxRequest.newBuilder().setPodSandboxId(pod).build());

    List<Span> joined =
        COLLECTOR.until(one -> isOf(trace, one) && one.getName().equals("StopPodSandbox")).stream()
            .filter(one -> isOf(trace, one))
            .toList();
    assertThat(joined)
        .filteredOn(one -> hex(one.getParentSpanId()).equals(span))
        .extracting(Span::getName)
        .containsExactly("PodSandboxStatus", "StopPodSandbox");
    assertThat(COLLECTOR.all()).noneMatch(one -> isOf(unrecorded, one));
    Span call = joined.getLast();
    assertThat(COLLECTOR.all())
        .filteredOn(one -> one.getParentSpanId().equals(call.getSpanId()))
        .isNotEmpty()
        .allMatch(one -> one.getName().startsWith("StopPodSandbox:"));
  }

  private static boolean isOf(String trace, Span span) {
    return hex(span.getTraceId()).equals(trace);
  }

  private static String hex(ByteString id) {
    return HexFormat.of().formatHex(id.toByteArray());
  }

  private static RuntimeServiceGrpc.RuntimeServiceBlockingStub inTrace(String traceparent) {
    Metadata headers = new Metadata();
    headers.put(Metadata.Key.of("traceparent", Metadata.ASCII_STRING_MARSHALLER), traceparent);
    return node.cri()
        .runtime()
        .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers));
  }

  @Test
  void checkpointsAreRefusedInWordsThatCallersKnow() throws IOException {
    Cri cri = node.cri();
    PodSandboxConfig pod = node.pod("checkpoint").build();
    String id = cri.run(cri.runPod(pod), node.sleeper("main").build(), pod);
    assertThatThrownBy(() -> checkpoint(id, "/tmp/never"))
        .hasMessageContaining("UNIMPLEMENTED")
        .hasMessageContaining("checkpoint/restore support not available");
    assertThatThrownBy(() -> checkpoint(id, "here")).hasMessageContaining("INVALID_ARGUMENT");
    assertThatThrownBy(() -> checkpoint("feedface", "/tmp/x")).hasMessageContaining("NOT_FOUND");
    CheckpointPodRequest ofPod =
        CheckpointPodRequest.newBuilder()
            .setPodSandboxId(cri.pods().getFirst().getId())
            .setOutputPath("/tmp/never")
            .build();
    assertThatThrownBy(() -> cri.runtime().checkpointPod(ofPod))
        .hasMessageContaining("UNIMPLEMENTED")
        .hasMessageContaining("checkpoint/restore support not available");
    assertThat(Path.of("/tmp/never")).doesNotExist();

    Path folder = node.folder("checkpointed");
    Files.writeString(
        folder.resolve("pod.options"), "{\"version\": 1, \"containers\": [\"main\"]}");
    RestorePodRequest restore =
        RestorePodRequest.newBuilder()
            .setCheckpointPath(folder.toString())
            .setConfig(node.pod("restored"))
            .addContainerConfigs(node.sleeper("main"))
            .build();
    assertThatThrownBy(() -> cri.runtime().restorePod(restore))
        .hasMessageContaining("UNIMPLEMENTED")
        .hasMessageContaining("checkpoint/restore support not available");
    assertThat(cri.pods()).as("no pod is left of that").hasSize(1);
  }

  private static void checkpoint(String id, String location) {
    var _ =
        node.cri()
            .runtime()
            .checkpointContainer(
                CheckpointContainerRequest.newBuilder()
                    .setContainerId(id)
                    .setLocation(location)
                    .build());
  }

  /** Takes by gRPC what an OpenTelemetry collector would. */
  private static final class Collector extends TraceServiceGrpc.TraceServiceImplBase {

    private final List<Span> spans = new ArrayList<>(); // guarded by this
    private final Server server;

    Collector() {
      try {
        server =
            NettyServerBuilder.forAddress(
                    new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                .addService(this)
                .build()
                .start();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    @Override
    public synchronized void export(
        ExportTraceServiceRequest request, StreamObserver<ExportTraceServiceResponse> answer) {
      request
          .getResourceSpansList()
          .forEach(
              resource ->
                  resource.getScopeSpansList().forEach(one -> spans.addAll(one.getSpansList())));
      answer.onNext(ExportTraceServiceResponse.getDefaultInstance());
      answer.onCompleted();
    }

    int port() {
      return server.getPort();
    }

    synchronized List<Span> all() {
      return List.copyOf(spans);
    }

    /** All spans up to the first one that is looked for. */
    List<Span> until(Predicate<Span> wanted) {
      await().atMost(Duration.ofSeconds(60)).until(() -> all().stream().anyMatch(wanted));
      List<Span> found = new ArrayList<>();
      for (Span span : all()) {
        found.add(span);
        if (wanted.test(span)) {
          break;
        }
      }
      return found;
    }

    void close() {
      server.shutdownNow();
    }
  }

  private static Process command(String... words) throws IOException {
    ProcessBuilder builder = new ProcessBuilder(node.keelson(words)).redirectErrorStream(true);
    builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
    return builder.start();
  }

  private static String keelson(String... words) throws IOException, InterruptedException {
    Process process = command(words);
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(output).isZero();
    return output;
  }
}
