package io.keelson.runtime.collector;

import io.keelson.proto.opentelemetry.collector.trace.v1.ExportTraceServiceRequest;
import io.keelson.runtime.metrics.TraceSink;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;

/** OTLP over HTTP, in its binary form ({@code http/protobuf}). */
public final class HttpTraceSink implements TraceSink {

  private final URI endpoint;
  private final Duration timeout;
  private final HttpClient client;

  /**
   * @param endpoint of the collector, such as {@code http://127.0.0.1:4318/v1/traces}
   * @param timeout until its answer
   */
  public HttpTraceSink(URI endpoint, Duration timeout) {
    this.endpoint = endpoint;
    this.timeout = timeout;
    this.client = HttpClient.newBuilder().connectTimeout(timeout).build();
  }

  @Override
  public void send(ExportTraceServiceRequest spans) throws IOException, InterruptedException {
    HttpRequest request =
        HttpRequest.newBuilder(endpoint)
            .timeout(timeout)
            .header("Content-Type", "application/x-protobuf")
            .POST(HttpRequest.BodyPublishers.ofByteArray(spans.toByteArray()))
            .build();
    int status = client.send(request, HttpResponse.BodyHandlers.discarding()).statusCode();
    if (status / 100 != 2) {
      throw new IOException("it answered " + status);
    }
  }

  @Override
  public String toString() {
    return endpoint.toString();
  }

  @Override
  public void close() {
    client.close();
  }
}
