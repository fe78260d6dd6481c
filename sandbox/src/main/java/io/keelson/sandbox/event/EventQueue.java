package io.keelson.sandbox.event;

import io.keelson.proto.cri.v1.ContainerEventResponse;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

/**
 * The events that wait for one reader. A reader that is too slow loses nothing silently: the queue
 * takes no more, and ends once what is in it has been read. Safe for use by many threads.
 */
public final class EventQueue implements AutoCloseable {

  private final int capacity;
  private final Consumer<EventQueue> onClose;
  private final Deque<ContainerEventResponse> waiting = new ArrayDeque<>();
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private boolean overflowed;
  private boolean closed;

  EventQueue(int capacity, Consumer<EventQueue> onClose) {
    this.capacity = capacity;
    this.onClose = onClose;
  }

  /** False if there is no room: the queue has ended then. */
  boolean offer(ContainerEventResponse event) {
    lock.lock();
    try {
      if (waiting.size() >= capacity) {
        overflowed = true;
      } else {
        waiting.add(event);
      }
      changed.signalAll();
      return !overflowed;
    } finally {
      lock.unlock();
    }
  }

  /**
   * The next event, when there is one.
   *
   * @return empty once the queue has ended: it is closed, or {@link #overflowed}
   */
  public Optional<ContainerEventResponse> take() throws InterruptedException {
    lock.lock();
    try {
      while (waiting.isEmpty() && !overflowed && !closed) {
        changed.await();
      }
      return closed ? Optional.empty() : Optional.ofNullable(waiting.poll());
    } finally {
      lock.unlock();
    }
  }

  /** Events came faster than they were taken, and the one after the last in the queue is lost. */
  public boolean overflowed() {
    lock.lock();
    try {
      return overflowed;
    } finally {
      lock.unlock();
    }
  }

  int size() {
    lock.lock();
    try {
      return waiting.size();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void close() {
    onClose.accept(this);
    lock.lock();
    try {
      closed = true;
      waiting.clear();
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }
}
