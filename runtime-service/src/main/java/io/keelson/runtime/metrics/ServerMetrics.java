package io.keelson.runtime.metrics;

import io.prometheus.client.CollectorRegistry;
import io.prometheus.client.Counter;
import io.prometheus.client.Histogram;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.TimeUnit;

/**
 * Counts the calls that the daemon serves by method and outcome, and how long they take. Safe for
 * use by many threads.
 */
public final class ServerMetrics {

  private static final double[] BUCKETS = {
    .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 120
  };

  private record Key(String method, String code) {}

  private final Counter calls;
  private final Histogram seconds;
  private final ConcurrentMap<Key, Counter.Child> callsBy = new ConcurrentHashMap<>();
  private final ConcurrentMap<String, Histogram.Child> secondsBy = new ConcurrentHashMap<>();

  /** Registers the metrics. */
  public ServerMetrics(CollectorRegistry registry) {
    calls =
        Counter.build("keelson_calls_total", "Calls by method and gRPC status code.")
            .labelNames("method", "code")
            .register(registry);
    seconds =
        Histogram.build("keelson_call_seconds", "How long calls take, by method.")
            .labelNames("method")
            .buckets(BUCKETS)
            .register(registry);
  }

  /**
   * A call has ended.
   *
   * @param code of its status
   */
  public void ended(String method, String code, long nanos) {
    callsBy.computeIfAbsent(new Key(method, code), k -> calls.labels(k.method, k.code)).inc();
    secondsBy
        .computeIfAbsent(method, seconds::labels)
        .observe(nanos / (double) TimeUnit.SECONDS.toNanos(1));
  }
}
