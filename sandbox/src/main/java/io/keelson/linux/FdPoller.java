package io.keelson.linux;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Lets virtual threads wait for pipes, terminals and sockets that Java has no channel for: one
 * thread waits for all of them, so that one which says nothing costs no thread. Safe for use by
 * many threads.
 */
public final class FdPoller implements AutoCloseable {

  private final Map<Integer, PolledFd> polled = new ConcurrentHashMap<>();
  private final EpollLoop loop;

  public FdPoller() throws ErrnoException {
    loop = new EpollLoop("fd-poller", this::ready);
    loop.start();
  }

  /**
   * Takes a descriptor over, which is closed if that fails. It is set to answer EAGAIN, for all who
   * share the open file.
   */
  public PolledFd register(Fd fd) throws ErrnoException {
    PolledFd result = new PolledFd(fd, this);
    try {
      fd.setNonBlocking();
      polled.put(fd.number(), result);
      loop.epoll().addEdges(fd.number());
      return result;
    } catch (ErrnoException e) {
      polled.remove(fd.number(), result);
      fd.close();
      throw e;
    }
  }

  /** Called before the number is closed, and so before it can be somebody else's. */
  void forget(int number, PolledFd fd) {
    polled.remove(number, fd);
  }

  /** Closes all descriptors that it still has; who waits for one is answered with the end. */
  @Override
  public void close() {
    loop.close();
    polled.values().forEach(PolledFd::close);
  }

  private void ready(int number) {
    PolledFd fd = polled.get(number);
    if (fd != null) {
      fd.changed();
    }
  }
}
