package io.keelson.image.pull;

import io.keelson.image.store.LayerStore;
import io.keelson.linux.Threads;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CancellationException;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings what was pulled to the disk in the background, so that no pull waits for it, and notes
 * what it is when nothing else is to be done. Safe for use by many threads.
 */
public final class Settler implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(Settler.class);

  private final LayerStore layers;
  private final Duration sealAfter;
  private final Thread thread;
  private boolean wanted;
  private boolean closed;

  /**
   * @param sealAfter how long nothing else must have been asked before a layer is read again
   */
  public Settler(LayerStore layers, Duration sealAfter) {
    this.layers = layers;
    this.sealAfter = sealAfter;
    this.thread = Thread.ofPlatform().daemon().name("image-settle").start(this::run);
  }

  /** Asks for it; returns at once. */
  public synchronized void request() {
    wanted = true;
    notifyAll();
  }

  private enum Task {
    SETTLE,
    SEAL,
    END
  }

  private void run() {
    boolean unsealed = true;
    while (true) {
      switch (next(unsealed)) {
        case SETTLE -> {
          settle();
          unsealed = true;
        }
        case SEAL -> unsealed = seal();
        case END -> {
          settle();
          return;
        }
      }
    }
  }

  // Reading all layers again is for a time when nobody waits for the disk.
  private synchronized Task next(boolean unsealed) {
    long end = System.nanoTime() + sealAfter.toNanos();
    while (!wanted && !closed) {
      long left = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime());
      if (unsealed && left <= 0) {
        return Task.SEAL;
      }
      try {
        wait(unsealed ? left : 0);
      } catch (InterruptedException e) {
        return Task.END;
      }
    }
    wanted = false;
    return closed ? Task.END : Task.SETTLE;
  }

  private boolean seal() {
    try {
      return layers.sealNext(this::checkClosed);
    } catch (CancellationException e) {
      return false;
    } catch (IOException | RuntimeException e) {
      log.atWarn().log("a layer could not be read again: {}", e.getMessage());
      return true;
    }
  }

  private synchronized void checkClosed() {
    if (closed) {
      throw new CancellationException("the store is being closed");
    }
  }

  private void settle() {
    try {
      layers.settle();
    } catch (IOException | RuntimeException e) {
      // The layers stay marked: they are good as long as the machine runs.
      log.atWarn().log("layers not brought to the disk: {}", e.getMessage());
    }
  }

  /** Does it a last time and ends. */
  @Override
  public void close() {
    synchronized (this) {
      closed = true;
      notifyAll();
    }
    Threads.join(thread);
  }
}
