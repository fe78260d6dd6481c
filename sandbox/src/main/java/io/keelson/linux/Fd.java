package io.keelson.linux;

import com.sun.jna.Memory;
import com.sun.jna.Native;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * An open file descriptor; always close-on-exec. Reads and writes of many threads are as the kernel
 * does them; closing it while another thread uses it is the caller's error.
 */
public final class Fd implements AutoCloseable {

  public static final int O_RDONLY = LibC.O_RDONLY;
  public static final int O_WRONLY = 0x1;
  public static final int O_RDWR = 0x2;
  public static final int O_CREAT = 0x40;
  public static final int O_EXCL = 0x80;
  public static final int O_TRUNC = 0x200;
  public static final int O_APPEND = 0x400;
  public static final int O_NONBLOCK = LibC.O_NONBLOCK;
  public static final int O_PATH = 0x200000;
  // These two differ between the architectures.
  public static final int O_DIRECTORY = Architecture.oDirectory();
  public static final int O_NOFOLLOW = Architecture.oNofollow();

  private static final int TRANSFER = 64 * 1024;

  private final AtomicInteger number;

  private Fd(int number) {
    this.number = new AtomicInteger(number);
  }

  /** Takes over a descriptor that some call returned; nobody else may close it. */
  public static Fd adopt(int number) {
    if (number < 0) {
      throw new IllegalArgumentException("no file descriptor: " + number);
    }
    return new Fd(number);
  }

  /** open(2) with O_CLOEXEC. Opening a FIFO without O_NONBLOCK may wait on the calling thread. */
  public static Fd open(Path path, int flags, int mode) throws ErrnoException {
    int fd = LibC.open(LibC.string(path.toString()), flags | LibC.O_CLOEXEC, mode);
    if (fd < 0) {
      throw LibC.failure("open(\"%s\", 0x%x, 0%03o)".formatted(path, flags | LibC.O_CLOEXEC, mode));
    }
    return new Fd(fd);
  }

  /** The two ends of a new pipe: first the one to read, then the one to write. */
  public static Fd[] pipe() throws ErrnoException {
    int[] ends = new int[2];
    if (LibC.pipe2(ends, LibC.O_CLOEXEC) < 0) {
      throw LibC.failure("pipe2(O_CLOEXEC)");
    }
    return new Fd[] {new Fd(ends[0]), new Fd(ends[1])};
  }

  /**
   * The number by which the kernel knows it.
   *
   * @throws IllegalStateException if it is closed
   */
  public int number() {
    int fd = number.get();
    if (fd < 0) {
      throw new IllegalStateException("file descriptor is closed");
    }
    return fd;
  }

  /**
   * Reads what is there, at least one byte; a virtual thread that has to wait gives up its carrier.
   *
   * @return the number of bytes, or -1 at the end
   */
  public int read(byte[] buffer, int offset, int length) throws IOException {
    Objects.checkFromIndexSize(offset, length, buffer.length);
    if (length == 0) {
      return 0;
    }
    if (Thread.currentThread().isVirtual()) {
      Poll.await(number(), LibC.POLLIN, null);
    }
    int limit = Math.min(length, TRANSFER);
    try (Memory memory = new Memory(limit)) {
      while (true) {
        long count = LibC.read(number(), memory, limit);
        if (count > 0) {
          memory.read(0, buffer, offset, (int) count);
          return (int) count;
        }
        if (count == 0) {
          return -1;
        }
        if (Native.getLastError() != Errno.EINTR) {
          throw LibC.failure("read(%d, %d)".formatted(number(), limit));
        }
      }
    }
  }

  /** Writes all of it; a virtual thread that has to wait gives up its carrier. */
  public void write(byte[] buffer, int offset, int length) throws IOException {
    Objects.checkFromIndexSize(offset, length, buffer.length);
    int done = 0;
    // A pipe that polls writable takes PIPE_BUF bytes at once without waiting.
    int limit = Thread.currentThread().isVirtual() ? 4096 : TRANSFER;
    try (Memory memory = new Memory(Math.max(1, Math.min(length, limit)))) {
      while (done < length) {
        if (Thread.currentThread().isVirtual()) {
          Poll.await(number(), LibC.POLLOUT, null);
        }
        int chunk = Math.min(length - done, limit);
        memory.write(0, buffer, offset + done, chunk);
        long count = LibC.write(number(), memory, chunk);
        if (count >= 0) {
          done += (int) count;
        } else if (Native.getLastError() != Errno.EINTR) {
          throw LibC.failure("write(%d, %d)".formatted(number(), chunk));
        }
      }
    }
  }

  /**
   * Waits until a read would not wait; a virtual thread gives up its carrier.
   *
   * @return false after {@code timeout}
   */
  public boolean awaitReadable(Duration timeout) throws IOException {
    return Poll.await(number(), LibC.POLLIN, timeout);
  }

  /** Reads and writes of all who share the open file answer EAGAIN instead of waiting. */
  void setNonBlocking() throws ErrnoException {
    int flags = LibC.fcntl(number(), LibC.F_GETFL, 0);
    if (flags < 0 || LibC.fcntl(number(), LibC.F_SETFL, flags | LibC.O_NONBLOCK) < 0) {
      throw LibC.failure("fcntl(" + number() + ", F_SETFL, O_NONBLOCK)");
    }
  }

  /** Closes it; doing it twice is harmless. */
  @Override
  public void close() {
    int fd = number.getAndSet(-1);
    if (fd >= 0) {
      // EINTR and EIO come after the descriptor has gone: trying again could close somebody else's.
      LibC.close(fd);
    }
  }

  @Override
  public String toString() {
    return "Fd[" + number.get() + "]";
  }
}
