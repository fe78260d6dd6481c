package io.keelson.runtime.metrics;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends calls that have ended to an OpenTelemetry collector (OTLP over HTTP, in JSON): a span for
 * the call and one below it for each stage, in the trace of the caller if it sends one. A call only
 * puts itself into a queue; when the collector is away or slow, spans are dropped and counted, and
 * no call waits.
 */
public final class TraceExporter implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(TraceExporter.class);

  private static final int QUEUE = 2048;
  private static final int BATCH = 256;
  private static final Duration TIMEOUT = Duration.ofSeconds(5);
  private static final Duration GATHER = Duration.ofMillis(500);
  private static final int KIND_INTERNAL = 1;
  private static final int KIND_SERVER = 2;
  private static final int STATUS_ERROR = 2;

  private record Ended(Operation operation, long endNanos) {}

  private final URI endpoint;
  private final String version;
  private final HttpClient client;
  private final ObjectMapper mapper = new ObjectMapper();
  private final RandomGenerator random = RandomGenerator.getDefault();
  private final BlockingQueue<Ended> queue = new ArrayBlockingQueue<>(QUEUE);
  private final LongAdder dropped = new LongAdder();
  private final Thread sender;
  private final long epochNanos;
  private boolean told;

  /**
   * @param endpoint of the collector, such as {@code http://127.0.0.1:4318/v1/traces}
   * @param version of the daemon
   */
  public TraceExporter(URI endpoint, String version) {
    this.endpoint = endpoint;
    this.version = version;
    this.client = HttpClient.newBuilder().connectTimeout(TIMEOUT).build();
    Instant now = Instant.now();
    this.epochNanos =
        TimeUnit.SECONDS.toNanos(now.getEpochSecond()) + now.getNano() - System.nanoTime();
    this.sender = Thread.ofVirtual().name("traces").start(this::run);
  }

  /** Takes a call that has ended; never waits. */
  void offer(Operation operation) {
    if (!isRecorded(operation)) {
      return;
    }
    if (!queue.offer(new Ended(operation, System.nanoTime()))) {
      dropped.increment();
    }
  }

  /** A caller that sends its trace decides; else lists and statuses have nothing to be seen. */
  private static boolean isRecorded(Operation operation) {
    return operation
        .caller()
        .map(TraceContext::sampled)
        .orElseGet(() -> !operation.stages().isEmpty());
  }

  /** How many calls were not sent. */
  long dropped() {
    return dropped.sum();
  }

  private void run() {
    List<Ended> batch = new ArrayList<>();
    try {
      while (true) {
        batch.add(queue.take());
        Thread.sleep(GATHER);
        queue.drainTo(batch, BATCH - 1);
        send(batch);
        batch.clear();
      }
    } catch (InterruptedException _) {
      queue.drainTo(batch, BATCH);
    }
  }

  private void send(List<Ended> batch) throws InterruptedException {
    try {
      HttpRequest request =
          HttpRequest.newBuilder(endpoint)
              .timeout(TIMEOUT)
              .header("Content-Type", "application/json")
              .POST(HttpRequest.BodyPublishers.ofByteArray(mapper.writeValueAsBytes(json(batch))))
              .build();
      int status = client.send(request, HttpResponse.BodyHandlers.discarding()).statusCode();
      if (status / 100 != 2) {
        throw new IOException("it answered " + status);
      }
    } catch (IOException e) {
      dropped.add(batch.size());
      if (!told) {
        told = true;
        LOG.atWarn()
            .addKeyValue("endpoint", endpoint)
            .log("traces can't be sent (told once): {}", String.valueOf(e));
      }
    }
  }

  private ObjectNode json(List<Ended> batch) {
    ObjectNode root = mapper.createObjectNode();
    ObjectNode resourceSpans = root.putArray("resourceSpans").addObject();
    ArrayNode attributes = resourceSpans.putObject("resource").putArray("attributes");
    attribute(attributes, "service.name", "keelson");
    attribute(attributes, "service.version", version);
    ObjectNode scope = resourceSpans.putArray("scopeSpans").addObject();
    scope.putObject("scope").put("name", "io.keelson.runtime");
    ArrayNode spans = scope.putArray("spans");
    batch.forEach(ended -> add(spans, ended));
    return root;
  }

  private void add(ArrayNode spans, Ended ended) {
    Operation operation = ended.operation();
    String trace = operation.caller().map(TraceContext::traceId).orElseGet(() -> id(16));
    String parent = operation.caller().map(TraceContext::spanId).orElse(null);
    String root = id(8);
    ObjectNode call =
        span(
                spans,
                trace,
                root,
                parent,
                operation.method(),
                operation.startNanos(),
                ended.endNanos())
            .put("kind", KIND_SERVER);
    ArrayNode attributes = call.putArray("attributes");
    attribute(attributes, "rpc.system", "grpc");
    operation.ids().forEach((key, value) -> attribute(attributes, "keelson." + key, value));
    if (!operation.succeeded()) {
      call.putObject("status").put("code", STATUS_ERROR);
    }
    long from = operation.startNanos();
    for (Operation.Stage stage : operation.stages()) {
      span(spans, trace, id(8), root, stage.name(), from, stage.nanos()).put("kind", KIND_INTERNAL);
      from = stage.nanos();
    }
  }

  private ObjectNode span(
      ArrayNode spans,
      String trace,
      String id,
      @Nullable String parent,
      String name,
      long from,
      long to) {
    ObjectNode span = spans.addObject().put("traceId", trace).put("spanId", id).put("name", name);
    if (parent != null) {
      span.put("parentSpanId", parent);
    }
    return span.put("startTimeUnixNano", Long.toString(epochNanos + from))
        .put("endTimeUnixNano", Long.toString(epochNanos + to));
  }

  private static void attribute(ArrayNode attributes, String key, String value) {
    attributes.addObject().put("key", key).putObject("value").put("stringValue", value);
  }

  private String id(int bytes) {
    byte[] id = new byte[bytes];
    random.nextBytes(id);
    return HexFormat.of().formatHex(id);
  }

  @Override
  public void close() {
    sender.interrupt();
    client.close();
  }
}
