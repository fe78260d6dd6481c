package io.keelson.image.pull;

import io.keelson.image.store.ImageCatalog;
import io.keelson.image.store.LayerStore;
import java.io.IOException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings what was pulled to the disk in the background, so that no pull waits for it. Safe for use
 * by many threads.
 */
public final class Settler implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(Settler.class);

  private final LayerStore layers;
  private final ImageCatalog catalog;
  private final Thread thread;
  private boolean wanted;
  private boolean closed;

  public Settler(LayerStore layers, ImageCatalog catalog) {
    this.layers = layers;
    this.catalog = catalog;
    this.thread = Thread.ofPlatform().daemon().name("image-settle").start(this::run);
  }

  /** Asks for it; returns at once. */
  public synchronized void request() {
    wanted = true;
    notifyAll();
  }

  private void run() {
    while (await()) {
      settle();
    }
  }

  private synchronized boolean await() {
    while (!wanted && !closed) {
      try {
        wait();
      } catch (InterruptedException e) {
        return false;
      }
    }
    wanted = false;
    return !closed;
  }

  private void settle() {
    try {
      layers.settle();
      catalog.refreshSizes();
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
    boolean interrupted = false;
    try {
      thread.join();
    } catch (InterruptedException e) {
      interrupted = true;
    }
    settle();
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
