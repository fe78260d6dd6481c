package io.keelson.image.registry;

import io.keelson.image.reference.Digest;
import io.keelson.image.request.Cancellation;
import io.keelson.linux.Threads;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A blob that is read ahead by virtual threads: there, and only there, a read that waits for a
 * server can be interrupted, so that cancelling and closing end it at once. It begins with one
 * connection; where the reader has to wait for bytes, and the server knows ranges, more connections
 * fetch the following segments side by side. For one reader.
 */
final class BlobDownload extends InputStream {

  /** A reader that waits for a larger part of its time than one in this many is starved. */
  private static final int STARVED = 4;

  /** As many bytes come before the reader hears of them: waking it up has its price. */
  private static final int TOLD = 128 * 1024;

  private final RepositoryHosts repository;
  private final Digest digest;
  private final long size;
  private final long count;
  private final int maxConnections;
  private final SegmentPool pool;
  private final Cancellation cancellation;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  // All below is guarded by the lock.
  private final Map<Long, Segment> claimed = new HashMap<>();
  private final PriorityQueue<Long> returned = new PriorityQueue<>();
  private final Deque<Segment> free = new ArrayDeque<>();
  private final List<Thread> workers = new ArrayList<>();
  private long next;
  private boolean inParts;
  private boolean rangesKnown;
  private boolean rangesIgnored;
  private boolean closed;
  private @Nullable Throwable failure;

  // Of the reader alone.
  private long reading;
  private int offset;
  private long waited;
  private long segmentBegan = System.nanoTime();

  private BlobDownload(
      RepositoryHosts repository,
      Digest digest,
      long size,
      int maxConnections,
      SegmentPool pool,
      Cancellation cancellation) {
    this.repository = repository;
    this.digest = digest;
    this.size = size;
    this.count = (size + Segment.SIZE - 1) / Segment.SIZE;
    this.maxConnections = maxConnections;
    this.pool = pool;
    this.cancellation = cancellation;
  }

  /**
   * Begins to fetch.
   *
   * @param size of the blob in bytes
   * @param maxConnections at the same time
   */
  static InputStream start(
      RepositoryHosts repository,
      Digest digest,
      long size,
      int maxConnections,
      SegmentPool pool,
      Cancellation cancellation) {
    BlobDownload download =
        new BlobDownload(repository, digest, size, maxConnections, pool, cancellation);
    if (size > 0) {
      download.lock.lock();
      try {
        download.addWorker();
      } finally {
        download.lock.unlock();
      }
      cancellation.onCancel(download::interruptWorkers);
    }
    return download;
  }

  private void addWorker() {
    Thread worker = Thread.ofVirtual().name("image-download").unstarted(this::work);
    workers.add(worker);
    worker.start();
  }

  private void work() {
    BlobStream stream = null;
    try {
      takeFirstMemory();
      for (Segment segment = claim(); segment != null; segment = claim()) {
        boolean part = isInParts();
        if (stream == null || !stream.isGoodFor(segment, part)) {
          closeQuietly(stream);
          stream =
              part
                  ? BlobStream.part(
                      repository, digest, size, segment.start(), segment.end(), cancellation)
                  : BlobStream.from(repository, digest, size, segment.start(), cancellation);
        }
        try {
          fill(segment, stream);
        } catch (BlobStream.RangeIgnoredException e) {
          giveBack(segment);
        }
      }
    } catch (InterruptedException e) {
      fail(new CancellationException("the download was ended"));
    } catch (IOException | RuntimeException | Error e) {
      fail(e);
    } finally {
      closeQuietly(stream);
      end();
    }
  }

  /** Every download has one segment at least, so that none waits for others for ever. */
  private void takeFirstMemory() throws InterruptedException {
    if (!isFirst()) {
      return;
    }
    Segment memory = pool.take(size);
    lock.lock();
    try {
      free.add(memory);
    } finally {
      lock.unlock();
    }
  }

  private boolean isFirst() {
    lock.lock();
    try {
      return next == 0;
    } finally {
      lock.unlock();
    }
  }

  private static void closeQuietly(@Nullable BlobStream stream) {
    if (stream != null) {
      stream.close();
    }
  }

  /** The next segment to fetch, null if this worker is not needed any more. */
  private @Nullable Segment claim() throws InterruptedException {
    lock.lockInterruptibly();
    try {
      while (true) {
        boolean ended = closed || failure != null || (next >= count && returned.isEmpty());
        if (ended || (!inParts && !workers.getFirst().equals(Thread.currentThread()))) {
          return null;
        }
        Segment segment = room();
        if (segment != null) {
          Long back = returned.poll();
          segment.assign(back == null ? next++ : back, size);
          claimed.put(segment.index(), segment);
          return segment;
        }
        changed.await();
      }
    } finally {
      lock.unlock();
    }
  }

  private @Nullable Segment room() {
    Segment spare = free.poll();
    if (spare != null) {
      return spare;
    }
    // The reader's, one for each connection, and no more for a single one than two.
    return claimed.size() <= workers.size() ? pool.tryTake(size) : null;
  }

  private boolean isInParts() {
    lock.lock();
    try {
      return inParts;
    } finally {
      lock.unlock();
    }
  }

  private void fill(Segment segment, BlobStream stream) throws IOException {
    int told = 0;
    for (int at = 0; at < segment.length(); ) {
      int read = stream.read(segment.data(), at, segment.length() - at);
      if (read < 0) {
        throw new IOException("blob " + digest + " ends before its segment");
      }
      at += read;
      if (at - told >= TOLD || at == segment.length()) {
        tell(segment, at - told, stream.acceptsRanges());
        told = at;
      }
    }
  }

  private void tell(Segment segment, int bytes, boolean ranges) {
    lock.lock();
    try {
      segment.fill(bytes);
      rangesKnown |= ranges;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** The server can't send parts after all: one connection goes on alone. */
  private void giveBack(Segment segment) {
    lock.lock();
    try {
      inParts = false;
      rangesIgnored = true;
      claimed.remove(segment.index());
      returned.add(segment.index());
      free.add(segment);
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private void fail(Throwable e) {
    lock.lock();
    try {
      if (failure == null) {
        failure = e;
      }
      workers.stream()
          .filter(worker -> !worker.equals(Thread.currentThread()))
          .forEach(Thread::interrupt);
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private void end() {
    lock.lock();
    try {
      workers.remove(Thread.currentThread());
      giveMemoryBack();
    } finally {
      lock.unlock();
    }
  }

  /** Once nobody writes into it or reads from it. */
  private void giveMemoryBack() {
    if (closed && workers.isEmpty()) {
      claimed.values().forEach(pool::give);
      claimed.clear();
      free.forEach(pool::give);
      free.clear();
    }
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] target, int start, int length) throws IOException {
    if (length == 0) {
      return 0;
    }
    if (reading >= count) {
      return -1;
    }
    Segment segment;
    int available;
    lock.lock();
    try {
      segment = await();
      available = Math.min(length, segment.filled() - offset);
    } catch (InterruptedException e) {
      throw Threads.interrupted("the reader was interrupted", e);
    } finally {
      lock.unlock();
    }
    System.arraycopy(segment.data(), offset, target, start, available);
    offset += available;
    if (offset == segment.length()) {
      turn(segment);
    }
    return available;
  }

  private Segment await() throws IOException, InterruptedException {
    while (true) {
      if (failure != null) {
        throw asIoException(failure);
      }
      Segment segment = claimed.get(reading);
      if (segment != null && segment.filled() > offset) {
        return segment;
      }
      long began = System.nanoTime();
      changed.await();
      waited += System.nanoTime() - began;
    }
  }

  /** The reader goes on to the next segment, and looks whether it has had to wait too long. */
  private void turn(Segment read) {
    long elapsed = System.nanoTime() - segmentBegan;
    lock.lock();
    try {
      claimed.remove(reading);
      free.add(read);
      reading++;
      offset = 0;
      boolean starved = waited > elapsed / STARVED;
      boolean worthIt = count - next > workers.size();
      if (starved && rangesKnown && !rangesIgnored && worthIt && workers.size() < maxConnections) {
        inParts = true;
        addWorker();
      }
      changed.signalAll();
    } finally {
      lock.unlock();
    }
    waited = 0;
    segmentBegan = System.nanoTime();
  }

  private static IOException asIoException(Throwable failure) {
    return switch (failure) {
      case IOException e -> e;
      case RuntimeException e -> throw e;
      case Error e -> throw e;
      default -> new IOException(failure);
    };
  }

  private void interruptWorkers() {
    lock.lock();
    try {
      workers.forEach(Thread::interrupt);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void close() {
    lock.lock();
    try {
      closed = true;
      workers.forEach(Thread::interrupt);
      changed.signalAll();
      giveMemoryBack();
    } finally {
      lock.unlock();
    }
  }
}
