package io.keelson.linux;

import com.sun.jna.Native;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A descriptor that virtual threads can wait for without a thread of the kernel, as streams. One
 * thread may read while another writes; {@link #close} may come from any, and ends both.
 */
public final class PolledFd implements AutoCloseable {

  private static final int CHUNK = 32 * 1024;
  private static final int WOULD_BLOCK = -2;
  private static final int SHUT_WR = 1;
  private static final long FOR_EVER = Long.MAX_VALUE;

  private final Fd fd;
  private final int number;
  private final FdPoller poller;
  // Calls of the kernel are made under it too: they don't wait, and so none meets a closed number.
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition change = lock.newCondition();
  private long changes; // guarded by lock
  private boolean closed; // guarded by lock
  private long idleNanos = FOR_EVER; // guarded by lock
  private long left = FOR_EVER; // bytes, guarded by lock

  PolledFd(Fd fd, FdPoller poller) {
    this.fd = fd;
    this.number = fd.number();
    this.poller = poller;
  }

  void changed() {
    lock.lock();
    try {
      changes++;
      change.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /**
   * From now on, who reads waits at most so long, gets at most so much, and is then answered with
   * the end: for output whose author has gone, but which a process left behind may hold open and
   * even write to for ever.
   *
   * @param bytes what may be on its way: a pipe's capacity, say
   */
  public void endAfter(Duration idle, long bytes) {
    lock.lock();
    try {
      idleNanos = idle.toNanos();
      left = bytes;
      changes++;
      change.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** For a socket: its peer reads the end, while this side can still read. */
  public void shutdownOutput() throws ErrnoException {
    lock.lock();
    try {
      if (!closed && LibC.shutdown(number, SHUT_WR) < 0) {
        int errno = Native.getLastError();
        if (errno != Errno.ENOTCONN) {
          throw new ErrnoException("shutdown(" + number + ", SHUT_WR)", errno);
        }
      }
    } finally {
      lock.unlock();
    }
  }

  /** For a terminal: the size of its window; its foreground processes get SIGWINCH. */
  public void resize(int columns, int rows) throws ErrnoException {
    lock.lock();
    try {
      if (!closed) {
        PseudoTerminal.resize(number, columns, rows);
      }
    } finally {
      lock.unlock();
    }
  }

  /**
   * Its content. {@code transferTo} holds no buffer while there is nothing to transfer. The end of
   * a terminal (EIO) reads as the end. Closing it closes the descriptor.
   */
  public InputStream input() {
    return new Input();
  }

  /** Writes all it is given. Closing it closes the descriptor. */
  public OutputStream output() {
    return new Output();
  }

  @Override
  public void close() {
    lock.lock();
    try {
      if (!closed) {
        closed = true;
        poller.forget(number, this);
        fd.close();
        changes++;
        change.signalAll();
      }
    } finally {
      lock.unlock();
    }
  }

  /** -1 at the end. */
  private int read(byte[] buffer, int length) throws IOException {
    lock.lock();
    try {
      while (true) {
        int count = readNow(buffer, length);
        if (count != WOULD_BLOCK) {
          return count;
        }
        if (!awaitChange(idleNanos)) {
          return -1;
        }
      }
    } finally {
      lock.unlock();
    }
  }

  private int readNow(byte[] buffer, int length) throws ErrnoException {
    while (!closed && left > 0) {
      long count = LibC.read(number, buffer, length);
      if (count > 0) {
        left = left == FOR_EVER ? FOR_EVER : left - count;
        return (int) count;
      }
      if (count == 0) {
        return -1;
      }
      int errno = Native.getLastError();
      if (errno == Errno.EAGAIN) {
        return WOULD_BLOCK;
      }
      if (errno == Errno.EIO) {
        return -1; // the last process has closed the terminal
      }
      if (errno != Errno.EINTR) {
        throw new ErrnoException("read(%d, %d)".formatted(number, length), errno);
      }
    }
    return -1;
  }

  /** Waits for a change; false after {@code nanos}. The lock is held. */
  private boolean awaitChange(long nanos) throws IOException {
    long seen = changes;
    long left = nanos;
    try {
      while (seen == changes) {
        if (left == FOR_EVER) {
          change.await();
        } else if (left <= 0) {
          return false;
        } else {
          left = change.awaitNanos(left);
        }
      }
      return true;
    } catch (InterruptedException e) {
      throw Threads.interrupted("interrupted while waiting for a stream", e);
    }
  }

  private void write(byte[] bytes, int offset, int length) throws IOException {
    int done = 0;
    while (done < length) {
      int chunk = Math.min(CHUNK, length - done);
      int from = offset + done;
      byte[] piece =
          from == 0 && chunk == bytes.length
              ? bytes
              : Arrays.copyOfRange(bytes, from, from + chunk);
      done += writeSome(piece, chunk);
    }
  }

  private int writeSome(byte[] bytes, int length) throws IOException {
    lock.lock();
    try {
      while (!closed) {
        long count = LibC.write(number, bytes, length);
        if (count >= 0) {
          return (int) count;
        }
        int errno = Native.getLastError();
        if (errno == Errno.EAGAIN) {
          awaitChange(FOR_EVER);
        } else if (errno != Errno.EINTR) {
          throw new ErrnoException("write(%d, %d)".formatted(number, length), errno);
        }
      }
      throw new IOException("the stream is closed");
    } finally {
      lock.unlock();
    }
  }

  private final class Input extends InputStream {

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
      byte[] direct = offset == 0 ? buffer : new byte[Math.min(length, CHUNK)];
      int count = PolledFd.this.read(direct, Math.min(length, direct.length));
      if (offset != 0 && count > 0) {
        System.arraycopy(direct, 0, buffer, offset, count);
      }
      return count;
    }

    @Override
    public long transferTo(OutputStream out) throws IOException {
      long total = 0;
      while (awaitInput()) {
        byte[] buffer = new byte[CHUNK];
        int count = readUnlessIdle(buffer);
        while (count > 0) {
          out.write(buffer, 0, count);
          total += count;
          count = readUnlessIdle(buffer);
        }
        if (count == -1) {
          break;
        }
      }
      return total;
    }

    private int readUnlessIdle(byte[] buffer) throws ErrnoException {
      lock.lock();
      try {
        return readNow(buffer, buffer.length);
      } finally {
        lock.unlock();
      }
    }

    /** Waits until a read would answer; false once nothing has come for too long. */
    private boolean awaitInput() throws IOException {
      lock.lock();
      try {
        while (!closed && !Poll.await(number, LibC.POLLIN, Duration.ZERO)) {
          if (!awaitChange(idleNanos)) {
            return false;
          }
        }
        return !closed;
      } finally {
        lock.unlock();
      }
    }

    @Override
    public void close() {
      PolledFd.this.close();
    }
  }

  private final class Output extends OutputStream {

    @Override
    public void write(int b) throws IOException {
      write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      PolledFd.this.write(bytes, offset, length);
    }

    @Override
    public void close() {
      PolledFd.this.close();
    }
  }
}
