package io.keelson.runtime.streaming;

import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Ends connections on which nothing has moved for too long. Safe for use by many threads. */
final class IdleConnections implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(IdleConnections.class);

  private static final Duration LONGEST_LOOK = Duration.ofMinutes(1);

  private final Duration timeout;
  private final Set<Watched> connections = ConcurrentHashMap.newKeySet();
  private final Thread thread;

  IdleConnections(Duration timeout) {
    this.timeout = timeout;
    this.thread = Thread.ofVirtual().name("stream-idle").start(this::look);
  }

  /** A connection that is looked at until this is closed. */
  interface Watch extends AutoCloseable {
    @Override
    void close();
  }

  private static final class Watched implements Watch {

    private final LongSupplier idleNanos;
    private final Runnable end;
    private final Set<Watched> all;

    Watched(LongSupplier idleNanos, Runnable end, Set<Watched> all) {
      this.idleNanos = idleNanos;
      this.end = end;
      this.all = all;
    }

    @Override
    public void close() {
      all.remove(this);
    }
  }

  Watch watch(LongSupplier idleNanos, Runnable end) {
    Watched watched = new Watched(idleNanos, end, connections);
    connections.add(watched);
    return watched;
  }

  private void look() {
    Duration pause = timeout.dividedBy(4);
    try {
      while (true) {
        Thread.sleep(pause.compareTo(LONGEST_LOOK) < 0 ? pause : LONGEST_LOOK);
        for (Watched watched : connections) {
          if (watched.idleNanos.getAsLong() >= timeout.toNanos()) {
            LOG.atInfo().addKeyValue("idle", timeout).log("a stream is ended: nothing moves on it");
            watched.end.run();
          }
        }
      }
    } catch (InterruptedException e) {
      LOG.trace("no connections are looked at any more");
    }
  }

  /** Ends all connections. */
  @Override
  public void close() {
    thread.interrupt();
    connections.forEach(watched -> watched.end.run());
  }
}
