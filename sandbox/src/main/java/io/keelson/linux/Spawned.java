package io.keelson.linux;

import com.sun.jna.Native;
import java.io.IOException;
import java.time.Duration;
import java.util.OptionalInt;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;

/** A child of this process. Safe for use by many threads. */
public final class Spawned implements AutoCloseable {

  private static final int WNOHANG = 1;

  private final int pid;
  private final boolean leadsSession;
  private final Pidfd pidfd;
  private final ReentrantLock lock = new ReentrantLock();
  private OptionalInt exitCode = OptionalInt.empty(); // guarded by lock

  private Spawned(int pid, boolean leadsSession, Pidfd pidfd) {
    this.pid = pid;
    this.leadsSession = leadsSession;
    this.pidfd = pidfd;
  }

  /** A child just started, whose number is its own until it is waited for here. */
  static Spawned of(int pid, boolean leadsSession) throws IOException {
    try {
      Pidfd pidfd =
          Pidfd.ofNumber(pid).orElseThrow(() -> new IOException("child " + pid + " has gone"));
      return new Spawned(pid, leadsSession, pidfd);
    } catch (IOException e) {
      // No descriptor is left, say: a child that nobody can wait for must not run.
      LibC.kill(leadsSession ? -pid : pid, Signals.SIGKILL);
      LibC.waitpid(pid, new int[1], 0);
      throw e;
    }
  }

  public int pid() {
    return pid;
  }

  /** Its identity, for a record or a {@link ProcessWatcher}. */
  public ProcessId processId() throws IOException {
    return ProcessId.of(pid).orElseThrow(() -> new IOException("child " + pid + " has gone"));
  }

  /**
   * Whether it has ended, without waiting for it: its number stays its own, and {@link #processId}
   * can still be had.
   */
  public boolean hasEnded() throws IOException {
    return pidfd.await(Duration.ZERO);
  }

  /**
   * Waits for its end; a virtual thread gives up its carrier to a platform thread that waits for
   * it.
   *
   * @return the exit code, or 128 and the signal that ended it
   */
  public int await() throws IOException {
    OptionalInt code = reap();
    while (code.isEmpty()) {
      Poll.await(pidfd.fd().number(), LibC.POLLIN, null);
      code = reap();
    }
    return code.getAsInt();
  }

  /** As {@link #await()}; empty if it has not ended within {@code timeout}. */
  public OptionalInt await(Duration timeout) throws IOException {
    OptionalInt code = reap();
    if (code.isEmpty() && pidfd.await(timeout)) {
      code = reap();
    }
    return code;
  }

  /** As {@link #await(Duration)}, without a thread that waits: for children that run for long. */
  public OptionalInt await(ProcessWatcher watcher, Duration timeout)
      throws IOException, InterruptedException {
    OptionalInt code = reap();
    if (code.isEmpty()) {
      CountDownLatch ended = new CountDownLatch(1);
      watcher.watch(processId(), ended::countDown);
      if (ended.await(timeout.toNanos(), TimeUnit.NANOSECONDS)) {
        code = reap();
      }
    }
    return code;
  }

  /**
   * Sends a signal: to all of its process group if it leads a session, else to it alone. Harmless
   * if it has ended.
   */
  public void kill(int signal) throws ErrnoException {
    lock.lock();
    try {
      // Once waited for, the number may be somebody else's.
      if (exitCode.isEmpty() && LibC.kill(leadsSession ? -pid : pid, signal) < 0) {
        int errno = Native.getLastError();
        if (errno != Errno.ESRCH) {
          throw new ErrnoException("kill(%d, %s)".formatted(pid, Signals.name(signal)), errno);
        }
      }
    } finally {
      lock.unlock();
    }
  }

  /**
   * Kills it if it still runs (with its process group if it leads a session) and waits for its end.
   */
  @Override
  public void close() {
    try {
      if (reap().isEmpty()) {
        kill(Signals.SIGKILL);
        await();
      }
    } catch (IOException e) {
      throw new IllegalStateException("child " + pid + " can't be ended", e);
    } finally {
      pidfd.close();
    }
  }

  /** Empty while it runs. */
  OptionalInt reap() throws ErrnoException {
    lock.lock();
    try {
      if (exitCode.isPresent()) {
        return exitCode;
      }
      int[] status = new int[1];
      int result = LibC.waitpid(pid, status, WNOHANG);
      if (result < 0) {
        throw LibC.failure("waitpid(" + pid + ")");
      }
      if (result == pid) {
        int signal = status[0] & 0x7f;
        exitCode = OptionalInt.of(signal == 0 ? (status[0] >> 8) & 0xff : 128 + signal);
      }
      return exitCode;
    } finally {
      lock.unlock();
    }
  }

  Pidfd pidfd() {
    return pidfd;
  }
}
