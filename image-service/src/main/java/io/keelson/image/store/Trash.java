package io.keelson.image.store;

import io.keelson.linux.Threads;
import io.keelson.linux.tree.Folder;
import io.keelson.linux.tree.Trees;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Queue;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Deletes what was taken out of the store, one thing after the other on a thread of its own, and
 * knows what is still to come back. What a crash or a failure leaves is deleted at the next start.
 * Safe for use by many threads.
 */
final class Trash implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(Trash.class);

  private final Folder folder;
  private final Thread thread;
  private final Queue<Item> items = new ArrayDeque<>();
  private long bytes;
  private long inodes;
  private long put;
  private long done;
  private boolean closed;

  private record Item(String name, long bytes, long inodes) {}

  /**
   * @param folder stays the caller's; what is in it already is deleted first
   */
  Trash(Folder folder) throws IOException {
    this.folder = folder;
    for (String name : folder.list()) {
      put(name, 0, 0);
    }
    this.thread = Thread.ofPlatform().daemon().name("image-trash").start(this::run);
  }

  /**
   * Has something deleted that lies in the folder now.
   *
   * @param bytes what it takes, as far as that is known
   */
  void put(Path taken, long bytes, long inodes) {
    put(taken.getFileName().toString(), bytes, inodes);
  }

  private synchronized void put(String name, long bytes, long inodes) {
    items.add(new Item(name, bytes, inodes));
    this.bytes += bytes;
    this.inodes += inodes;
    put++;
    notifyAll();
  }

  /**
   * Waits until all is deleted that was put here before the call.
   *
   * @return false if that took longer
   */
  synchronized boolean await(Duration patience) throws InterruptedException {
    long wanted = put;
    long end = System.nanoTime() + patience.toNanos();
    while (done < wanted && !closed) {
      long left = (end - System.nanoTime()) / 1_000_000;
      if (left <= 0) {
        return false;
      }
      wait(left);
    }
    return true;
  }

  /** What is here still and was said to take space. */
  synchronized StoreUsage usage() {
    return new StoreUsage(bytes, inodes);
  }

  private void run() {
    for (Item item = next(); item != null; item = next()) {
      try {
        Trees.delete(folder, item.name());
      } catch (IOException | RuntimeException e) {
        log.atWarn()
            .addKeyValue("path", folder + "/" + item.name())
            .log("not deleted, tried again at the next start: {}", e.getMessage());
      }
      end(item);
    }
  }

  private synchronized @Nullable Item next() {
    while (items.isEmpty() && !closed) {
      try {
        wait();
      } catch (InterruptedException e) {
        return null;
      }
    }
    return closed ? null : items.remove();
  }

  private synchronized void end(Item item) {
    bytes -= item.bytes();
    inodes -= item.inodes();
    done++;
    notifyAll();
  }

  /** Ends after what is being deleted now. */
  @Override
  public void close() {
    synchronized (this) {
      closed = true;
      notifyAll();
    }
    Threads.join(thread);
  }
}
