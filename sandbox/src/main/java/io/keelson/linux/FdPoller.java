package io.keelson.linux;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets virtual threads wait for pipes, terminals and sockets that Java has no channel for: one
 * thread waits for all of them, so that one which says nothing costs no thread. Safe for use by
 * many threads.
 */
public final class FdPoller implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(FdPoller.class);

  private final Map<Integer, PolledFd> polled = new ConcurrentHashMap<>();
  private final Epoll epoll;
  private final Wakeup wakeup;
  private final Thread thread;

  public FdPoller() throws ErrnoException {
    epoll = new Epoll();
    try {
      wakeup = new Wakeup();
      epoll.add(wakeup.number());
    } catch (ErrnoException e) {
      epoll.close();
      throw e;
    }
    thread = Thread.ofPlatform().daemon().name("fd-poller").start(this::loop);
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
      epoll.addEdges(fd.number());
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
    wakeup.signal();
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    polled.values().forEach(PolledFd::close);
    epoll.close();
    wakeup.close();
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private void loop() {
    try {
      while (true) {
        for (int number : epoll.await()) {
          if (number == wakeup.number()) {
            return;
          }
          PolledFd fd = polled.get(number);
          if (fd != null) {
            fd.changed();
          }
        }
      }
    } catch (ErrnoException | RuntimeException e) {
      LOG.atError().setCause(e).log("waiting for the streams of commands has ended");
    }
  }
}
