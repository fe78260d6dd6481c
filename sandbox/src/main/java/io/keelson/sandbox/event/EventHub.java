package io.keelson.sandbox.event;

import io.keelson.proto.cri.v1.ContainerEventResponse;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Tells every reader of every event, in one order that is the same for all. An event is made under
 * the hub's lock, so that one that comes later never shows an older state, and costs nothing while
 * nobody reads. Safe for use by many threads.
 */
public final class EventHub implements AutoCloseable {

  /** Makes an event; comes under the hub's lock, so it must neither wait nor publish. */
  @FunctionalInterface
  public interface Snapshot {

    /**
     * @param time nanoseconds since the epoch, later than that of every event before
     */
    ContainerEventResponse take(long time);
  }

  private final ReentrantLock lock = new ReentrantLock();
  private final List<EventQueue> readers = new CopyOnWriteArrayList<>();
  private final LongAdder published = new LongAdder();
  private final LongAdder overflows = new LongAdder();
  private long last;
  private volatile boolean closed;

  /**
   * A new reader, which hears of everything from now on until it is closed.
   *
   * @param capacity how many events may wait for it; with one more the queue ends
   */
  public EventQueue open(int capacity) {
    EventQueue queue = new EventQueue(capacity, readers::remove);
    readers.add(queue);
    if (closed) {
      queue.close();
    }
    return queue;
  }

  /** Never waits for a reader. */
  public void publish(Snapshot snapshot) {
    if (readers.isEmpty()) {
      return;
    }
    lock.lock();
    try {
      Instant now = Instant.now();
      last = Math.max(last + 1, TimeUnit.SECONDS.toNanos(now.getEpochSecond()) + now.getNano());
      ContainerEventResponse event = snapshot.take(last);
      published.increment();
      List<EventQueue> full = readers.stream().filter(reader -> !reader.offer(event)).toList();
      readers.removeAll(full);
      overflows.add(full.size());
    } finally {
      lock.unlock();
    }
  }

  /** Ends all queues, those to come too. */
  @Override
  public void close() {
    closed = true;
    readers.forEach(EventQueue::close);
  }

  /** How many readers there are now. */
  public int readers() {
    return readers.size();
  }

  /** How many events wait for the reader that is furthest behind. */
  public int backlog() {
    return readers.stream().mapToInt(EventQueue::size).max().orElse(0);
  }

  /** How many events were made so far. */
  public long published() {
    return published.sum();
  }

  /** How many readers were so slow that their queue ended. */
  public long overflows() {
    return overflows.sum();
  }
}
