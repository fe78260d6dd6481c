package io.keelson.cni.plugin;

import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * One lock for each pod: a runtime must not run operations for one container in parallel (CNI spec,
 * 3).
 */
final class PodLocks {

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition released = lock.newCondition();
  private final Set<String> held = new HashSet<>();

  /** Waits until no one else holds the pod. Not reentrant. */
  Held hold(String sandboxId) {
    lock.lock();
    try {
      while (!held.add(sandboxId)) {
        released.awaitUninterruptibly();
      }
    } finally {
      lock.unlock();
    }
    return () -> release(sandboxId);
  }

  private void release(String sandboxId) {
    lock.lock();
    try {
      held.remove(sandboxId);
      released.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** The pod is held until this is closed. */
  @FunctionalInterface
  interface Held extends AutoCloseable {
    @Override
    void close();
  }
}
