package io.keelson.linux;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One thread that waits for any number of descriptors and tells which are ready. */
final class EpollLoop implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(EpollLoop.class);

  /** Comes on the loop's thread, which waits for nothing meanwhile. */
  @FunctionalInterface
  interface Listener {
    void ready(int number) throws ErrnoException;
  }

  private final Listener listener;
  private final Epoll epoll;
  private final Wakeup wakeup;
  private final Thread thread;

  /** Waits once it is {@link #start started}. */
  EpollLoop(String name, Listener listener) throws ErrnoException {
    this.listener = listener;
    epoll = new Epoll();
    try {
      wakeup = new Wakeup();
      epoll.add(wakeup.number());
    } catch (ErrnoException e) {
      epoll.close();
      throw e;
    }
    thread = Thread.ofPlatform().daemon().name(name).unstarted(this::loop);
  }

  void start() {
    thread.start();
  }

  /** Where any thread may add and remove descriptors. */
  Epoll epoll() {
    return epoll;
  }

  /** The listener hears of nothing from now on. */
  @Override
  public void close() {
    wakeup.signal();
    Threads.join(thread);
    epoll.close();
    wakeup.close();
  }

  private void loop() {
    try {
      while (true) {
        for (int number : epoll.await()) {
          if (number == wakeup.number()) {
            return;
          }
          listener.ready(number);
        }
      }
    } catch (ErrnoException | RuntimeException e) {
      LOG.atError().setCause(e).log("the {} has ended", thread.getName());
    }
  }
}
