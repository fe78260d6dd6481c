package io.keelson.image.pull;

import io.keelson.image.source.CorruptContentException;
import io.keelson.sandbox.error.FailedPreconditionException;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.error.NotFoundException;
import io.keelson.sandbox.error.ResourceExhaustedException;
import io.keelson.sandbox.error.UnsupportedException;
import io.prometheus.client.CollectorRegistry;
import io.prometheus.client.Counter;
import io.prometheus.client.Gauge;
import io.prometheus.client.Histogram;
import java.io.EOFException;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.TimeUnit;

/**
 * What pulls cost and how they end, as Prometheus counts it. Counting never waits. Safe for use by
 * many threads.
 */
public final class ImageMetrics {

  /** Parts of a pull that take time. */
  public enum Stage {
    /** Manifest and config are fetched. */
    RESOLVE,
    /** Programs look at signatures. */
    VERIFY,
    /** A layer waits for its turn. */
    WAIT,
    /** A layer is fetched and unpacked, which goes on at the same time. */
    UNPACK,
    /** A layer that is there in full becomes part of the store. */
    PUBLISH
  }

  private static final double[] SECONDS = {0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300};

  private final Counter pulls =
      Counter.build("keelson_image_pulls_total", "Pulls and imports by how they ended.")
          .labelNames("result")
          .create();
  private final Gauge inProgress =
      Gauge.build("keelson_image_pulls_in_progress", "Pulls and imports under way.").create();
  private final Histogram pullSeconds =
      Histogram.build("keelson_image_pull_seconds", "How long pulls and imports took.")
          .buckets(SECONDS)
          .create();
  private final Histogram stageSeconds =
      Histogram.build("keelson_image_stage_seconds", "How long the stages of pulls took.")
          .labelNames("stage")
          .buckets(SECONDS)
          .create();
  private final Counter layers =
      Counter.build(
              "keelson_image_layers_total",
              "Layers of pulled images: fetched, made of a kept blob, or present.")
          .labelNames("result")
          .create();
  private final Counter bytes =
      Counter.build("keelson_image_fetched_bytes_total", "Bytes of layers as they came.").create();

  /** Has a registry tell of all of it. */
  public void register(CollectorRegistry registry) {
    List.of(pulls, inProgress, pullSeconds, stageSeconds, layers, bytes)
        .forEach(registry::register);
  }

  /** Counts a pull or import and how it ends. */
  public <T> T pull(Callable<T> work) throws IOException {
    inProgress.inc();
    long start = System.nanoTime();
    String result = "error";
    try {
      T done = work.call();
      result = "success";
      return done;
    } catch (IOException | RuntimeException e) {
      result = cause(e);
      throw e;
    } catch (Exception e) {
      throw new IOException(e);
    } finally {
      inProgress.dec();
      pulls.labels(result).inc();
      pullSeconds.observe(seconds(System.nanoTime() - start));
    }
  }

  private static String cause(Exception e) {
    String message = String.valueOf(e.getMessage());
    return switch (e) {
      case CancellationException _ -> "cancelled";
      case NotFoundException _ -> "not_found";
      case InvalidRequestException _, UnsupportedException _ -> "invalid";
      case ResourceExhaustedException _ -> "disk_full";
      case FailedPreconditionException _ -> "precondition";
      default -> {
        if (message.startsWith("SignatureValidationFailed")) {
          yield "signature";
        }
        if (e.getCause() instanceof CorruptContentException
            || e.getCause() instanceof EOFException) {
          yield "corrupt";
        }
        yield message.startsWith("RegistryUnavailable") ? "registry_unavailable" : "error";
      }
    };
  }

  /** A stage has taken that long. */
  public void took(Stage stage, long nanos) {
    stageSeconds.labels(stage.name().toLowerCase(Locale.ROOT)).observe(seconds(nanos));
  }

  /** A layer was fetched. */
  public void layerFetched(long size) {
    layers.labels("fetched").inc();
    bytes.inc((double) Math.max(size, 0));
  }

  /** A layer was made of a blob that was here. */
  public void layerKept() {
    layers.labels("kept").inc();
  }

  /** A layer was here already. */
  public void layerPresent() {
    layers.labels("present").inc();
  }

  private static double seconds(long nanos) {
    return nanos / (double) TimeUnit.SECONDS.toNanos(1);
  }
}
