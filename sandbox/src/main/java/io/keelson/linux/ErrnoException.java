package io.keelson.linux;

import java.io.IOException;

/** A system call failed. The message holds the call with its arguments and what the kernel said. */
public final class ErrnoException extends IOException {

  private static final long serialVersionUID = 1L;

  private final String call;
  private final int errno;

  /**
   * @param call the call as one would read it in a trace: {@code mount("tmpfs", "/run/x", "tmpfs",
   *     0x6, null)}
   * @param errno one of {@link Errno}
   */
  public ErrnoException(String call, int errno) {
    super(call + ": " + Errno.describe(errno));
    this.call = call;
    this.errno = errno;
  }

  /** One of {@link Errno}. */
  public int errno() {
    return errno;
  }

  /** The call with its arguments. */
  public String call() {
    return call;
  }

  public boolean is(int errno) {
    return this.errno == errno;
  }
}
