package io.keelson.linux;

import com.sun.jna.Memory;
import com.sun.jna.Native;
import java.io.IOException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** poll(2) on one descriptor. */
final class Poll {

  private Poll() {}

  /**
   * Waits for an event, an error or a hang-up. A virtual thread gives up its carrier while it
   * waits.
   *
   * @param timeout null for no limit
   * @return false after the timeout
   */
  static boolean await(int fd, short events, @Nullable Duration timeout) throws IOException {
    if (poll(fd, events, 0)) {
      return true;
    }
    if (timeout != null && (timeout.isZero() || timeout.isNegative())) {
      return false;
    }
    return PlatformThread.call("poll", () -> waitFor(fd, events, timeout));
  }

  private static boolean waitFor(int fd, short events, @Nullable Duration timeout)
      throws ErrnoException {
    if (timeout == null) {
      while (!poll(fd, events, -1)) {
        // interrupted by a signal
      }
      return true;
    }
    long deadline = System.nanoTime() + timeout.toNanos();
    while (true) {
      long left = deadline - System.nanoTime();
      if (poll(fd, events, millisUp(left))) {
        return true;
      }
      if (left <= 0) {
        return false;
      }
    }
  }

  /** Milliseconds for poll(2), rounded up so that nobody spins through the last one. */
  static int millisUp(long nanos) {
    return nanos <= 0 ? 0 : (int) Math.min(Integer.MAX_VALUE, (nanos + 999_999) / 1_000_000);
  }

  private static boolean poll(int fd, short events, int timeoutMillis) throws ErrnoException {
    try (Memory entry = new Memory(8)) {
      entry.setInt(0, fd);
      entry.setShort(4, events);
      entry.setShort(6, (short) 0);
      int ready = LibC.poll(entry, 1, timeoutMillis);
      if (ready < 0 && Native.getLastError() != Errno.EINTR) {
        throw LibC.failure("poll(%d, 0x%x, %d)".formatted(fd, events, timeoutMillis));
      }
      return ready > 0;
    }
  }
}
