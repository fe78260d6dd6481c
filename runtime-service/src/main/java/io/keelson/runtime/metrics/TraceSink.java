package io.keelson.runtime.metrics;

import io.keelson.proto.opentelemetry.collector.trace.v1.ExportTraceServiceRequest;
import java.io.IOException;
import java.time.Duration;

/** The way to a collector of OpenTelemetry. For one thread at a time. */
public interface TraceSink extends AutoCloseable {

  /** How long a collector may take to answer. */
  Duration TIMEOUT = Duration.ofSeconds(5);

  /**
   * Hands over some spans.
   *
   * @throws IOException if the collector can't be reached, is too slow, or does not take them
   */
  void send(ExportTraceServiceRequest spans) throws IOException, InterruptedException;

  /** For people: where they go. */
  @Override
  String toString();

  @Override
  void close();
}
