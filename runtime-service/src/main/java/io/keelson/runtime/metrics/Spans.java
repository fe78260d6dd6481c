package io.keelson.runtime.metrics;

import com.google.protobuf.ByteString;
import io.keelson.proto.opentelemetry.collector.trace.v1.ExportTraceServiceRequest;
import io.keelson.proto.opentelemetry.common.v1.AnyValue;
import io.keelson.proto.opentelemetry.common.v1.InstrumentationScope;
import io.keelson.proto.opentelemetry.common.v1.KeyValue;
import io.keelson.proto.opentelemetry.resource.v1.Resource;
import io.keelson.proto.opentelemetry.trace.v1.ResourceSpans;
import io.keelson.proto.opentelemetry.trace.v1.ScopeSpans;
import io.keelson.proto.opentelemetry.trace.v1.Span;
import io.keelson.proto.opentelemetry.trace.v1.Status;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;

/** Makes spans of calls: one for the call and one below it for each stage. */
final class Spans {

  private static final int TRACE_ID_BYTES = 16;
  private static final int SPAN_ID_BYTES = 8;

  /**
   * @param endNanos by {@link System#nanoTime}
   */
  record Ended(Operation operation, long endNanos) {}

  private final Resource resource;
  private final RandomGenerator random = RandomGenerator.getDefault();
  private final long epochNanos;

  /**
   * @param version of the daemon
   */
  Spans(String version) {
    this.resource =
        Resource.newBuilder()
            .addAttributes(attribute("service.name", "keelson"))
            .addAttributes(attribute("service.version", version))
            .build();
    Instant now = Instant.now();
    this.epochNanos =
        TimeUnit.SECONDS.toNanos(now.getEpochSecond()) + now.getNano() - System.nanoTime();
  }

  ExportTraceServiceRequest of(List<Ended> batch) {
    ScopeSpans.Builder spans =
        ScopeSpans.newBuilder()
            .setScope(InstrumentationScope.newBuilder().setName("io.keelson.runtime"));
    batch.forEach(ended -> add(spans, ended));
    return ExportTraceServiceRequest.newBuilder()
        .addResourceSpans(
            ResourceSpans.newBuilder().setResource(resource).addScopeSpans(spans).build())
        .build();
  }

  private void add(ScopeSpans.Builder spans, Ended ended) {
    Operation operation = ended.operation();
    ByteString trace =
        operation
            .caller()
            .map(caller -> bytes(caller.traceId()))
            .orElseGet(() -> newId(TRACE_ID_BYTES));
    ByteString root = newId(SPAN_ID_BYTES);
    Span.Builder call =
        span(trace, root, operation.method(), operation.startNanos(), ended.endNanos())
            .setKind(Span.SpanKind.SPAN_KIND_SERVER)
            .addAttributes(attribute("rpc.system", "grpc"));
    operation.caller().ifPresent(caller -> call.setParentSpanId(bytes(caller.spanId())));
    operation.ids().forEach((key, id) -> call.addAttributes(attribute("keelson." + key, id)));
    if (!operation.succeeded()) {
      call.setStatus(Status.newBuilder().setCode(Status.StatusCode.STATUS_CODE_ERROR));
    }
    spans.addSpans(call);
    long from = operation.startNanos();
    for (Operation.Stage stage : operation.stages()) {
      spans.addSpans(
          span(trace, newId(SPAN_ID_BYTES), stage.name(), from, stage.nanos())
              .setKind(Span.SpanKind.SPAN_KIND_INTERNAL)
              .setParentSpanId(root));
      from = stage.nanos();
    }
  }

  private Span.Builder span(ByteString trace, ByteString id, String name, long from, long to) {
    return Span.newBuilder()
        .setTraceId(trace)
        .setSpanId(id)
        .setName(name)
        .setStartTimeUnixNano(epochNanos + from)
        .setEndTimeUnixNano(epochNanos + to);
  }

  private static KeyValue attribute(String key, String value) {
    return KeyValue.newBuilder()
        .setKey(key)
        .setValue(AnyValue.newBuilder().setStringValue(value))
        .build();
  }

  private static ByteString bytes(String hex) {
    return ByteString.copyFrom(HexFormat.of().parseHex(hex));
  }

  private ByteString newId(int length) {
    byte[] id = new byte[length];
    random.nextBytes(id);
    return ByteString.copyFrom(id);
  }
}
