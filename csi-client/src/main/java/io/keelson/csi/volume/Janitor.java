package io.keelson.csi.volume;

import io.keelson.csi.driver.Operation;
import io.keelson.sandbox.error.KeelsonException;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Does in the background what could not be done at once: each piece of work on a virtual thread of
 * its own, again and again with growing pauses until it succeeds. A driver that arrives ends the
 * pauses. What was not done when the daemon ends is found in the records by the next one.
 */
final class Janitor implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(Janitor.class);

  /** Work that may fail and be tried again. */
  @FunctionalInterface
  interface Work {
    void run(Operation operation) throws IOException;
  }

  private record Task(Semaphore wakeUp, Thread thread) {}

  private static final Duration FIRST_PAUSE = Duration.ofSeconds(1);
  private static final Duration LONGEST_PAUSE = Duration.ofMinutes(5);

  private final Map<String, Task> tasks = new ConcurrentHashMap<>();
  private final Duration patience;
  private volatile boolean closed;
  private final UnpublishVolume unpublish;

  /**
   * @param patience for one try
   */
  Janitor(Duration patience, UnpublishVolume unpublish) {
    this.patience = patience;
    this.unpublish = unpublish;
  }

  /** A publication that nobody wants any more. */
  void unpublish(String publicationId) {
    // Of another name than what else may be under way for it: that must not take this one's place.
    add(
        "unwanted publication " + publicationId,
        operation -> unpublish.unpublish(publicationId, operation));
  }

  /** What is half made or half gone; if a caller completes it first, it stays. */
  void clear(String publicationId) {
    add("publication " + publicationId, operation -> unpublish.clear(publicationId, operation));
  }

  void retire(String volumeKey) {
    add("volume " + volumeKey, operation -> unpublish.retire(volumeKey, operation));
  }

  /** Work of this name that is under way already is not begun a second time. */
  void add(String name, Work work) {
    if (closed) {
      return;
    }
    tasks.computeIfAbsent(
        name,
        key -> {
          Semaphore wakeUp = new Semaphore(0);
          Thread thread =
              Thread.ofVirtual().name("volumes: " + key).unstarted(() -> run(key, work, wakeUp));
          thread.start();
          return new Task(wakeUp, thread);
        });
  }

  /** Ends all pauses: something has changed for the better. */
  void wakeUp() {
    tasks.values().forEach(task -> task.wakeUp().release());
  }

  private void run(String name, Work work, Semaphore wakeUp) {
    Duration pause = FIRST_PAUSE;
    try {
      while (!closed) {
        try {
          work.run(Operation.of(patience, Operation.Listener.NONE));
          LOG.atInfo()
              .addKeyValue("what", name)
              .log("what was left to be done for a volume is done");
          return;
        } catch (IOException | KeelsonException e) {
          LOG.atWarn()
              .addKeyValue("what", name)
              .addKeyValue("why", e.getMessage())
              .addKeyValue("againInSeconds", pause.toSeconds())
              .log("a volume does not get on");
        }
        if (wakeUp.tryAcquire(pause.toMillis(), TimeUnit.MILLISECONDS)) {
          wakeUp.drainPermits();
          pause = FIRST_PAUSE;
        } else {
          pause = pause.multipliedBy(2);
          pause = pause.compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : pause;
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // the daemon ends
    } catch (RuntimeException e) {
      LOG.atError().setCause(e).addKeyValue("what", name).log("work on a volume broke off");
    } finally {
      tasks.remove(name);
    }
  }

  @Override
  public void close() {
    closed = true;
    tasks.values().forEach(task -> task.thread().interrupt());
  }
}
