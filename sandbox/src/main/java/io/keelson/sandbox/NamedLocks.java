package io.keelson.sandbox;

import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * One lock for each name, for as long as somebody holds it. Safe for use by many threads; nobody
 * who waits can be interrupted.
 */
public final class NamedLocks {

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition released = lock.newCondition();
  private final Set<String> held = new HashSet<>();

  /** Waits until no one else holds the name. Not reentrant. */
  public Held hold(String name) {
    lock.lock();
    try {
      while (!held.add(name)) {
        released.awaitUninterruptibly();
      }
    } finally {
      lock.unlock();
    }
    return () -> release(name);
  }

  private void release(String name) {
    lock.lock();
    try {
      held.remove(name);
      released.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** The name is held until this is closed. */
  @FunctionalInterface
  public interface Held extends AutoCloseable {
    @Override
    void close();
  }
}
