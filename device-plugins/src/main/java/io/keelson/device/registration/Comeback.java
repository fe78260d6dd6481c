package io.keelson.device.registration;

import io.keelson.sandbox.error.UnavailableException;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/**
 * The wait for plugins that are not back yet, after the start of the daemon or after their end:
 * "not registered yet" is not "gone". Safe for use by many threads, each with the lock that guards
 * what is known of the plugins.
 */
public final class Comeback {

  private final ReentrantLock lock;
  private final Condition changed;
  private final Duration patience;
  private final Instant started = Instant.now();

  /**
   * @param lock held by those who change what is known, given up by those who wait
   * @param patience how long one is waited for
   */
  public Comeback(ReentrantLock lock, Duration patience) {
    this.lock = lock;
    this.changed = lock.newCondition();
    this.patience = patience;
  }

  /** What is known has changed; the lock is held. */
  public void changed() {
    changed.signalAll();
  }

  /**
   * Waits until it is there; all three are asked with the lock held.
   *
   * @param who is waited for, in words
   * @param gone when it was last there, if it ever was in this life of the daemon
   * @param missing thrown when the time is over
   */
  public <T> T await(
      String who,
      Supplier<Optional<T>> there,
      Supplier<Optional<Instant>> gone,
      Supplier<RuntimeException> missing) {
    lock.lock();
    try {
      while (true) {
        Optional<T> found = there.get();
        if (found.isPresent()) {
          return found.get();
        }
        Instant end = gone.get().orElse(started).plus(patience);
        long left = Duration.between(Instant.now(), end).toMillis();
        if (left <= 0) {
          throw missing.get();
        }
        var _ = changed.await(left, TimeUnit.MILLISECONDS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new UnavailableException("interrupted while waiting for " + who, e);
    } finally {
      lock.unlock();
    }
  }
}
