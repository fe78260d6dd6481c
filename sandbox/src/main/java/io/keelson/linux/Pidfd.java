package io.keelson.linux;

import com.sun.jna.Native;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;

/** A handle of a process that can never come to mean another one (pidfd_open(2)). */
public final class Pidfd implements AutoCloseable {

  private final Fd fd;
  private final int pid;

  private Pidfd(Fd fd, int pid) {
    this.fd = fd;
    this.pid = pid;
  }

  /**
   * Opens the process.
   *
   * @return empty if it has ended, a zombie counts as ended
   */
  public static Optional<Pidfd> open(ProcessId process) throws ErrnoException {
    Optional<Pidfd> opened = ofNumber(process.pid());
    // Checked after the opening: the number may have gone to another process before.
    if (opened.isPresent() && !process.isAlive()) {
      opened.get().close();
      return Optional.empty();
    }
    return opened;
  }

  /**
   * As {@link #open}, but a zombie is there, too: it may be that only the first of a process'
   * threads has ended and the others go on, which looks the same.
   */
  public static Optional<Pidfd> openWithZombies(ProcessId process) throws ErrnoException {
    Optional<Pidfd> opened = ofNumber(process.pid());
    if (opened.isPresent() && !ProcessId.of(process.pid()).equals(Optional.of(process))) {
      opened.get().close();
      return Optional.empty();
    }
    return opened;
  }

  /** Sends a signal. Harmless if the process has ended. */
  public static void signal(ProcessId process, int signal) throws ErrnoException {
    Optional<Pidfd> opened = openWithZombies(process);
    if (opened.isPresent()) {
      try (Pidfd pidfd = opened.get()) {
        pidfd.signal(signal);
      }
    }
  }

  /** For children not yet waited for, whose number can't have gone to another process. */
  static Optional<Pidfd> ofNumber(int pid) throws ErrnoException {
    int fd = (int) LibC.syscall(LibC.SYS_PIDFD_OPEN, pid, 0, 0, 0, 0);
    if (fd >= 0) {
      return Optional.of(new Pidfd(Fd.adopt(fd), pid));
    }
    int errno = Native.getLastError();
    // EINVAL: the number is of a thread that leads no process.
    if (errno == Errno.ESRCH || errno == Errno.EINVAL) {
      return Optional.empty();
    }
    throw new ErrnoException("pidfd_open(" + pid + ")", errno);
  }

  /**
   * Sends a signal.
   *
   * @return false if the process has ended and been waited for
   */
  public boolean signal(int signal) throws ErrnoException {
    if (LibC.syscall(LibC.SYS_PIDFD_SEND_SIGNAL, fd.number(), signal, 0, 0, 0) == 0) {
      return true;
    }
    int errno = Native.getLastError();
    if (errno == Errno.ESRCH) {
      return false;
    }
    throw new ErrnoException(
        "pidfd_send_signal(pid %d, %s)".formatted(pid, Signals.name(signal)), errno);
  }

  /**
   * Waits for the end of the process; a virtual thread gives up its carrier.
   *
   * @return false if it has not ended within {@code timeout}
   */
  public boolean await(Duration timeout) throws IOException {
    return fd.awaitReadable(timeout);
  }

  /** The descriptor; readable once the process has ended. */
  Fd fd() {
    return fd;
  }

  @Override
  public void close() {
    fd.close();
  }
}
