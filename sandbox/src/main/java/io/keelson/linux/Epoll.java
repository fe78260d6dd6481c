package io.keelson.linux;

import com.sun.jna.Memory;
import com.sun.jna.Native;

/** epoll(7). */
final class Epoll implements AutoCloseable {

  private static final int EPOLL_CTL_ADD = 1;
  private static final int EPOLL_CTL_DEL = 2;
  private static final int EPOLLIN = 0x1;
  private static final int EPOLLOUT = 0x4;
  private static final int EPOLLRDHUP = 0x2000;
  private static final int EPOLLET = 1 << 31;
  private static final int EPOLLONESHOT = 1 << 30;
  private static final int BATCH = 64;

  private final Fd fd;
  private final Memory events = new Memory((long) BATCH * Architecture.epollEventSize());

  Epoll() throws ErrnoException {
    int number = LibC.epoll_create1(LibC.O_CLOEXEC);
    if (number < 0) {
      throw LibC.failure("epoll_create1(EPOLL_CLOEXEC)");
    }
    fd = Fd.adopt(number);
  }

  /** Reports it once, when it is readable. */
  void add(int watched) throws ErrnoException {
    add(watched, EPOLLIN | EPOLLONESHOT);
  }

  /** Reports it whenever it becomes readable or writable, or its peer goes. */
  void addEdges(int watched) throws ErrnoException {
    add(watched, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
  }

  private void add(int watched, int interest) throws ErrnoException {
    try (Memory event = new Memory(Architecture.epollEventSize())) {
      event.setInt(0, interest);
      event.setLong(Architecture.epollDataOffset(), watched);
      if (LibC.epoll_ctl(fd.number(), EPOLL_CTL_ADD, watched, event) < 0) {
        throw LibC.failure("epoll_ctl(EPOLL_CTL_ADD, " + watched + ")");
      }
    }
  }

  void remove(int watched) throws ErrnoException {
    try (Memory event = new Memory(Architecture.epollEventSize())) {
      if (LibC.epoll_ctl(fd.number(), EPOLL_CTL_DEL, watched, event) < 0) {
        throw LibC.failure("epoll_ctl(EPOLL_CTL_DEL, " + watched + ")");
      }
    }
  }

  /** Waits on the calling platform thread; only one thread may. Empty after a signal. */
  int[] await() throws ErrnoException {
    int count = LibC.epoll_wait(fd.number(), events, BATCH, -1);
    if (count < 0) {
      if (Native.getLastError() == Errno.EINTR) {
        return new int[0];
      }
      throw LibC.failure("epoll_wait");
    }
    int[] ready = new int[count];
    for (int i = 0; i < count; i++) {
      ready[i] =
          events.getInt((long) i * Architecture.epollEventSize() + Architecture.epollDataOffset());
    }
    return ready;
  }

  @Override
  public void close() {
    fd.close();
    events.close();
  }
}
