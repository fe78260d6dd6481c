package io.keelson.linux;

import com.sun.jna.Memory;

/** An eventfd(2) by which another thread ends a wait. */
final class Wakeup implements AutoCloseable {

  private final Fd fd;

  Wakeup() throws ErrnoException {
    int number = LibC.eventfd(0, LibC.O_CLOEXEC | LibC.O_NONBLOCK);
    if (number < 0) {
      throw LibC.failure("eventfd(0)");
    }
    fd = Fd.adopt(number);
  }

  int number() {
    return fd.number();
  }

  /** Makes the descriptor readable for good. */
  void signal() {
    try (Memory one = new Memory(8)) {
      one.setLong(0, 1);
      LibC.write(fd.number(), one, 8);
    }
  }

  @Override
  public void close() {
    fd.close();
  }
}
