package io.keelson.sandbox.stream;

import io.keelson.linux.Threads;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A bounded queue of bytes: one thread puts chunks in, another reads them as a stream. Who puts
 * waits for room. {@link #end}, {@link #fail} and {@link #close} may come from any thread.
 */
public final class ByteQueue extends InputStream {

  private final int limit;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition change = lock.newCondition();
  private final Deque<byte[]> chunks = new ArrayDeque<>(2); // guarded by lock
  private int waiting; // bytes in chunks, guarded by lock
  private int taken; // of the first chunk, guarded by lock
  private long lastTaken = System.nanoTime(); // guarded by lock
  private boolean ended; // guarded by lock
  private boolean closed; // guarded by lock
  private @Nullable IOException failure; // guarded by lock

  /**
   * Makes an empty queue.
   *
   * @param limit bytes beyond which who puts has to wait
   */
  public ByteQueue(int limit) {
    this.limit = limit;
  }

  /**
   * Puts a chunk in, which now belongs to the queue; waits while it is full. Nobody reads any more
   * after {@link #close}, {@link #end} and {@link #fail}: then the chunk is dropped.
   */
  public void put(byte[] chunk) throws InterruptedIOException {
    boolean _ = put(chunk, null);
  }

  /**
   * As {@link #put(byte[])}, but not for ever.
   *
   * @param stall how long a reader may take nothing; null for as long as it likes
   * @return false if it took nothing for so long
   */
  public boolean put(byte[] chunk, @Nullable Duration stall) throws InterruptedIOException {
    lock.lock();
    try {
      long putAt = System.nanoTime();
      while (waiting >= limit && !isOver()) {
        if (stall == null) {
          change.await();
        } else {
          long since = lastTaken - putAt > 0 ? lastTaken : putAt;
          long left = stall.toNanos() - (System.nanoTime() - since);
          if (left <= 0) {
            return false;
          }
          long _ = change.awaitNanos(left);
        }
      }
      if (chunk.length > 0 && !isOver()) {
        chunks.add(chunk);
        waiting += chunk.length;
        change.signalAll();
      }
      return true;
    } catch (InterruptedException e) {
      throw interrupted(e);
    } finally {
      lock.unlock();
    }
  }

  /** Nothing more comes; what is there can still be read. */
  public void end() {
    lock.lock();
    try {
      ended = true;
      change.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Who reads is told so, at once: what is there is dropped. */
  public void fail(IOException why) {
    lock.lock();
    try {
      if (!isOver()) {
        failure = why;
        drop();
      }
    } finally {
      lock.unlock();
    }
  }

  /** Nobody reads any more; what is there is dropped, as is what still comes. */
  @Override
  public void close() {
    lock.lock();
    try {
      closed = true;
      drop();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] buffer, int offset, int length) throws IOException {
    if (length == 0) {
      return 0;
    }
    lock.lock();
    try {
      byte[] first = awaitChunk();
      if (first == null) {
        return -1;
      }
      int count = Math.min(length, first.length - taken);
      System.arraycopy(first, taken, buffer, offset, count);
      took(count);
      return count;
    } finally {
      lock.unlock();
    }
  }

  /** Hands the chunks on as they are, without a copy. */
  @Override
  public long transferTo(OutputStream out) throws IOException {
    long total = 0;
    while (true) {
      byte[] chunk;
      int from;
      lock.lock();
      try {
        chunk = awaitChunk();
        if (chunk == null) {
          return total;
        }
        from = taken;
        chunks.removeFirst();
        taken = 0;
      } finally {
        lock.unlock();
      }
      // It counts as waiting until it is written, so that a full queue means a slow reader.
      out.write(chunk, from, chunk.length - from);
      total += chunk.length - from;
      lock.lock();
      try {
        waiting = Math.max(0, waiting - (chunk.length - from));
        lastTaken = System.nanoTime();
        change.signalAll();
      } finally {
        lock.unlock();
      }
    }
  }

  @Override
  public int available() {
    lock.lock();
    try {
      return waiting;
    } finally {
      lock.unlock();
    }
  }

  private byte @Nullable [] awaitChunk() throws IOException {
    try {
      while (chunks.isEmpty()) {
        if (failure != null) {
          throw new IOException(failure.getMessage(), failure);
        }
        if (ended || closed) {
          return null;
        }
        change.await();
      }
      return chunks.getFirst();
    } catch (InterruptedException e) {
      throw interrupted(e);
    }
  }

  private void took(int count) {
    taken += count;
    waiting -= count;
    lastTaken = System.nanoTime();
    if (taken == chunks.getFirst().length) {
      chunks.removeFirst();
      taken = 0;
    }
    change.signalAll();
  }

  private boolean isOver() {
    return ended || closed || failure != null;
  }

  private void drop() {
    chunks.clear();
    waiting = 0;
    taken = 0;
    change.signalAll();
  }

  private static InterruptedIOException interrupted(InterruptedException cause) {
    return Threads.interrupted("interrupted while waiting for a stream", cause);
  }
}
