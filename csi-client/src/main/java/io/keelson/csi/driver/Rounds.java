package io.keelson.csi.driver;

import java.time.Duration;
import java.util.Collection;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks at many things every now and then, at each on a virtual thread of its own: one that hangs
 * holds up no other. Safe for use by many threads.
 *
 * @param <T> what is looked at, known by its equality
 */
public final class Rounds<T> implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(Rounds.class);

  private static final Duration PATIENCE = Duration.ofSeconds(1);

  private final String name;
  private final Duration interval;
  private final Supplier<? extends Collection<T>> all;
  private final Consumer<T> work;
  private final Map<T, Thread> underWay = new ConcurrentHashMap<>();
  private volatile boolean closed;
  private @Nullable Thread thread;

  /**
   * @param name of the threads
   * @param all what there is to look at in this round
   * @param work one look
   */
  public Rounds(
      String name, Duration interval, Supplier<? extends Collection<T>> all, Consumer<T> work) {
    this.name = name;
    this.interval = interval;
    this.all = all;
    this.work = work;
  }

  /** Begins the first round. */
  public synchronized void start() {
    if (thread == null) {
      thread = Thread.ofVirtual().name(name).start(this::run);
    }
  }

  private void run() {
    try {
      while (true) {
        try {
          all.get().forEach(this::look);
        } catch (RuntimeException e) {
          failed(e);
        }
        Thread.sleep(interval);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // the daemon ends
    }
  }

  /** Looks at one soon, unless a look at it is under way. */
  public void look(T one) {
    underWay.computeIfAbsent(
        one,
        _ -> {
          Thread look = Thread.ofVirtual().name(name + "-look").unstarted(() -> lookNow(one));
          look.start();
          return look;
        });
  }

  private void lookNow(T one) {
    try {
      if (!closed) {
        work.accept(one);
      }
    } catch (RuntimeException e) {
      failed(e);
    } finally {
      underWay.remove(one);
    }
  }

  private void failed(RuntimeException why) {
    if (!closed) {
      LOG.atWarn().setCause(why).addKeyValue("rounds", name).log("a look failed");
    }
  }

  /** Breaks off the looks that are under way, so that what they use can be closed, too. */
  @Override
  public synchronized void close() {
    closed = true;
    if (thread != null) {
      thread.interrupt();
    }
    try {
      for (Thread look : underWay.values()) {
        look.interrupt();
        look.join(PATIENCE);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
