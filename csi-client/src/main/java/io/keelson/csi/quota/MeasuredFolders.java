package io.keelson.csi.quota;

import io.keelson.linux.KernelThreads;
import io.keelson.linux.tree.Folder;
import io.keelson.linux.tree.Trees;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
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

  /** Is told of folders that hold too much, once for each time they are measured. */
  @FunctionalInterface
  interface Listener {
    void exceeded(String id, DiskUse use);
  }

  private static final class Limit {

    private final List<Path> folders;
    private final long bytes;
    private volatile Optional<DiskUse> last = Optional.empty();

    Limit(List<Path> folders, long bytes) {
      this.folders = List.copyOf(folders);
      this.bytes = bytes;
    }
  }

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

  synchronized void add(String id, List<Path> folders, long bytes) {
    limits.put(id, new Limit(folders, bytes));
    if (thread == null) {
      thread = Thread.ofVirtual().name("measured-folders").start(this::run);
    }
  }

  void remove(String id) {
    limits.remove(id);
  }

  /** Measures now; empty if there is no limit of this id. */
  Optional<DiskUse> measure(String id) throws IOException {
    Limit limit = limits.get(id);
    return limit == null ? Optional.empty() : Optional.of(measure(limit));
  }

  /** What was measured last, by id. */
  Map<String, DiskUse> last() {
    Map<String, DiskUse> last = new TreeMap<>();
    limits.forEach((id, limit) -> limit.last.ifPresent(use -> last.put(id, use)));
    return last;
  }

  private void run() {
    try {
      while (!isDone()) {
        Thread.sleep(interval);
        limits.forEach(this::check);
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

  private void check(String id, Limit limit) {
    try {
      DiskUse use = measure(limit);
      if (use.usedBytes() > limit.bytes) {
        listener.exceeded(id, use);
      }
    } catch (IOException | RuntimeException e) {
      LOG.atDebug()
          .addKeyValue("id", id)
          .addKeyValue("why", e.getMessage())
          .log("a folder could not be measured");
    }
  }

  private DiskUse measure(Limit limit) throws IOException {
    long used =
        kernelThreads.call(
            () -> {
              long sum = 0;
              for (Path path : limit.folders) {
                try (Folder folder = Folder.open(path)) {
                  sum += Trees.usage(folder).bytes();
                }
              }
              return sum;
            });
    DiskUse use = new DiskUse(used, limit.bytes);
    limit.last = Optional.of(use);
    return use;
  }

  @Override
  public synchronized void close() {
    if (thread != null) {
      thread.interrupt();
    }
  }
}
