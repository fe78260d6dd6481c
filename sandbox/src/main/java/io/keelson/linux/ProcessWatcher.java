package io.keelson.linux;

import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells when processes end, of any parent, with one thread for all of them. Safe for use by many
 * threads.
 */
public final class ProcessWatcher implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(ProcessWatcher.class);

  private final Map<Integer, Watched> watched = new ConcurrentHashMap<>();
  private final EpollLoop loop;

  public ProcessWatcher() throws ErrnoException {
    loop = new EpollLoop("process-watcher", this::ready);
    loop.start();
  }

  /**
   * Calls {@code onExit} once, on a virtual thread of its own, when the process has ended; at once
   * if it has already. A child of this process is a zombie then, to be waited for by who started
   * it.
   */
  public void watch(ProcessId process, Runnable onExit) throws ErrnoException {
    Optional<Pidfd> pidfd = Pidfd.open(process);
    if (pidfd.isEmpty()) {
      fire(process, onExit);
      return;
    }
    int fd = pidfd.get().fd().number();
    watched.put(fd, new Watched(process, pidfd.get(), onExit));
    try {
      loop.epoll().add(fd);
    } catch (ErrnoException | RuntimeException e) {
      watched.remove(fd);
      pidfd.get().close();
      throw e;
    }
  }

  /** Ends the watching; no {@code onExit} is called from now on. */
  @Override
  public void close() {
    loop.close();
    watched.values().forEach(entry -> entry.pidfd().close());
    watched.clear();
  }

  private void ready(int fd) throws ErrnoException {
    Watched ended = watched.remove(fd);
    if (ended != null) {
      loop.epoll().remove(fd);
      ended.pidfd().close();
      fire(ended.process(), ended.onExit());
    }
  }

  private static void fire(ProcessId process, Runnable onExit) {
    Thread.ofVirtual()
        .name("exit-" + process.pid())
        .start(
            () -> {
              try {
                onExit.run();
              } catch (RuntimeException e) {
                LOG.atError()
                    .setCause(e)
                    .addKeyValue("pid", process.pid())
                    .log("the end of a process could not be handled");
              }
            });
  }

  private record Watched(ProcessId process, Pidfd pidfd, Runnable onExit) {}
}
