package io.keelson.sandbox.stats;

import io.keelson.linux.tree.Trees;
import io.keelson.sandbox.port.Provisioner;
import java.io.IOException;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What containers have written to their root file systems. To measure it may mean to walk a million
 * files, so it takes at most a fiftieth of the time, one tree at a time, and no caller waits longer
 * for it than it says; until a new measure is there the last one is the answer. Safe for use by
 * many threads.
 */
final class LayerSampler {

  private static final Logger LOG = LoggerFactory.getLogger(LayerSampler.class);

  private static final long SHARE = 50;
  private static final long LONGEST_NANOS = TimeUnit.MINUTES.toNanos(5);

  /** A measure, with the time of the end of its making, by both clocks, and what it has cost. */
  record Layer(Trees.Usage usage, long time, long clock, long costNanos) {

    boolean isFresh() {
      long valid = Math.clamp(SHARE * costNanos, GroupSampler.FRESH_NANOS, LONGEST_NANOS);
      return System.nanoTime() - clock < valid;
    }
  }

  private final Provisioner provisioner;
  private final ConcurrentMap<String, Layer> layers = new ConcurrentHashMap<>();
  private final ConcurrentMap<String, FutureTask<@Nullable Layer>> underway =
      new ConcurrentHashMap<>();
  private final Semaphore turn = new Semaphore(1);

  LayerSampler(Provisioner provisioner) {
    this.provisioner = provisioner;
  }

  /**
   * The last measure of a container's layer; a new one if it is time for it and it comes by {@code
   * deadline}.
   *
   * @param deadline by {@link System#nanoTime}
   */
  Optional<Layer> sample(String containerId, long deadline) {
    Layer known = layers.get(containerId);
    if (known != null && known.isFresh()) {
      return Optional.of(known);
    }
    FutureTask<@Nullable Layer> task = underway.computeIfAbsent(containerId, this::start);
    try {
      Layer measured = task.get(Math.max(0, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
      return Optional.ofNullable(measured);
    } catch (TimeoutException _) {
      return Optional.ofNullable(known);
    } catch (ExecutionException e) {
      LOG.atDebug()
          .addKeyValue("container", containerId)
          .log("writable layer can't be measured: {}", String.valueOf(e.getCause()));
      return Optional.ofNullable(known);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Optional.ofNullable(known);
    }
  }

  private FutureTask<@Nullable Layer> start(String containerId) {
    FutureTask<@Nullable Layer> task = new FutureTask<>(() -> measure(containerId));
    Thread.ofVirtual()
        .name("layer-usage")
        .start(
            () -> {
              task.run();
              underway.remove(containerId);
            });
    return task;
  }

  private @Nullable Layer measure(String containerId) throws IOException, InterruptedException {
    turn.acquire();
    try {
      long begin = System.nanoTime();
      Optional<Trees.Usage> usage = provisioner.usage(containerId);
      if (usage.isEmpty()) {
        layers.remove(containerId);
        return null;
      }
      long end = System.nanoTime();
      Layer layer = new Layer(usage.get(), GroupSampler.now(), end, end - begin);
      layers.put(containerId, layer);
      return layer;
    } finally {
      turn.release();
    }
  }

  /** Forgets all containers but these. */
  void retain(Set<String> containerIds) {
    layers.keySet().retainAll(containerIds);
  }
}
