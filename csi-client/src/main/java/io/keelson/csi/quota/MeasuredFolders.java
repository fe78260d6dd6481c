package io.keelson.csi.quota;

import io.keelson.linux.KernelThreads;
import io.keelson.linux.tree.Folder;
import io.keelson.linux.tree.Trees;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Measures folders every now and then, for file systems that can't limit them: whoever goes beyond
 * a limit is told of, some time later. The thread runs as long as there is something to measure.
 * Safe for use by many threads.
 */
final class MeasuredFolders implements AutoCloseable {

  /** Is told of a folder that holds too much, once for each time it is measured. */
  @FunctionalInterface
  interface Listener {
    void exceeded(String id, long usedBytes, long limitBytes);
  }

  private record Limit(Path folder, long bytes) {}

  private static final Logger LOG = LoggerFactory.getLogger(MeasuredFolders.class);

  private final Map<String, Limit> limits = new ConcurrentHashMap<>();
  private final Duration interval;
  private final KernelThreads kernelThreads;
  private final Listener listener;
  private @Nullable Thread thread;

  MeasuredFolders(Duration interval, KernelThreads kernelThreads, Listener listener) {
    this.interval = interval;
    this.kernelThreads = kernelThreads;
    this.listener = listener;
  }

  synchronized void add(String id, Path folder, long bytes) {
    limits.put(id, new Limit(folder, bytes));
    if (thread == null) {
      thread = Thread.ofVirtual().name("measured-folders").start(this::run);
    }
  }

  void remove(String id) {
    limits.remove(id);
  }

  private void run() {
    try {
      while (!isDone()) {
        Thread.sleep(interval);
        limits.forEach(this::measure);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // the daemon ends
    }
  }

  private synchronized boolean isDone() {
    if (limits.isEmpty()) {
      thread = null;
      return true;
    }
    return false;
  }

  private void measure(String id, Limit limit) {
    try {
      long used =
          kernelThreads.call(
              () -> {
                try (Folder folder = Folder.open(limit.folder)) {
                  return Trees.usage(folder).bytes();
                }
              });
      if (used > limit.bytes) {
        listener.exceeded(id, used, limit.bytes);
      }
    } catch (IOException | RuntimeException e) {
      LOG.atDebug()
          .addKeyValue("id", id)
          .addKeyValue("why", e.getMessage())
          .log("a folder could not be measured");
    }
  }

  @Override
  public synchronized void close() {
    if (thread != null) {
      thread.interrupt();
    }
  }
}
