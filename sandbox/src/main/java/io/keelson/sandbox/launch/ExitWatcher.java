package io.keelson.sandbox.launch;

import io.keelson.linux.ErrnoException;
import io.keelson.linux.Inotify;
import io.keelson.linux.ProcessId;
import io.keelson.linux.ProcessWatcher;
import io.keelson.sandbox.ExitSource;
import io.keelson.sandbox.port.Launcher.Launched;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Learns of the end of containers from the exit files that their conmons write, and, if a conmon
 * was killed, from the end of the container's init process. Safe for use by many threads.
 */
public final class ExitWatcher implements ExitSource, AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(ExitWatcher.class);

  private final Path folder;
  private final ProcessWatcher processes;
  private final Map<String, Watch> watches = new ConcurrentHashMap<>();
  private final Inotify inotify;

  /**
   * @param folder in which conmon writes exit files; made if it is not there
   */
  public ExitWatcher(Path folder, ProcessWatcher processes) throws IOException {
    this.folder = Files.createDirectories(folder);
    this.processes = processes;
    // conmon writes under another name first.
    this.inotify = Inotify.watch(folder, Inotify.IN_MOVED_TO, this::changed);
  }

  @Override
  public void watch(String containerId, Optional<Launched> launched, Consumer<Exit> onExit) {
    Watch watch = new Watch(containerId, onExit);
    watches.put(containerId, watch);
    // Known first, looked for then: an exit file that comes in between is found by one or both.
    Optional<Exit> exit = read(containerId);
    if (exit.isPresent()) {
      report(watch, exit.get());
    } else if (launched.isPresent()) {
      follow(launched.get().monitor(), () -> monitorEnded(watch, launched.get().init()));
    } else {
      report(watch, unknownNow());
    }
  }

  @Override
  public void forget(String containerId) {
    Watch watch = watches.remove(containerId);
    if (watch != null) {
      watch.done.set(true);
    }
  }

  private void changed(Inotify.Event event) {
    String name = event.name();
    if (event.is(Inotify.IN_Q_OVERFLOW) || name == null) {
      watches.values().forEach(this::look);
    } else {
      Watch watch = watches.get(name);
      if (watch != null) {
        look(watch);
      }
    }
  }

  private void look(Watch watch) {
    read(watch.containerId).ifPresent(exit -> report(watch, exit));
  }

  /** The exit file is conmon's last word: if it is not there now, it never comes. */
  private void monitorEnded(Watch watch, ProcessId init) {
    Optional<Exit> exit = read(watch.containerId);
    if (exit.isPresent()) {
      report(watch, exit.get());
    } else if (!watch.done.get()) {
      LOG.atWarn()
          .addKeyValue("container", watch.containerId)
          .log("the monitor of a container is gone; its exit code can't be known");
      follow(init, () -> report(watch, unknownNow()));
    }
  }

  private void follow(ProcessId process, Runnable onEnd) {
    try {
      processes.watch(process, onEnd);
    } catch (ErrnoException e) {
      LOG.atError()
          .setCause(e)
          .addKeyValue("pid", process.pid())
          .log("a process can't be watched; a container's end is known only by its exit file");
    }
  }

  private void report(Watch watch, Exit exit) {
    if (watch.done.compareAndSet(false, true)) {
      watches.remove(watch.containerId, watch);
      Thread.ofVirtual()
          .name("exit-" + watch.containerId)
          .start(
              () -> {
                try {
                  watch.onExit.accept(exit);
                } catch (RuntimeException e) {
                  LOG.atError()
                      .setCause(e)
                      .addKeyValue("container", watch.containerId)
                      .log("the end of a container could not be handled");
                }
              });
    }
  }

  private Optional<Exit> read(String containerId) {
    Path file = folder.resolve(containerId);
    try {
      String text = Files.readString(file, StandardCharsets.UTF_8).strip();
      long time = Files.getLastModifiedTime(file).to(TimeUnit.NANOSECONDS);
      if (!text.matches("[0-9]{1,3}")) {
        LOG.atWarn()
            .addKeyValue("container", containerId)
            .addKeyValue("file", file)
            .log("the exit file holds no exit code");
        return Optional.of(new Exit(Optional.empty(), time));
      }
      return Optional.of(new Exit(Optional.of(Integer.valueOf(text)), time));
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (IOException e) {
      LOG.atError()
          .setCause(e)
          .addKeyValue("container", containerId)
          .log("the exit file can't be read");
      return Optional.empty();
    }
  }

  private static Exit unknownNow() {
    Instant now = Instant.now();
    long nanos = TimeUnit.SECONDS.toNanos(now.getEpochSecond()) + now.getNano();
    return new Exit(Optional.empty(), nanos);
  }

  /** No exit is reported from now on. */
  @Override
  public void close() {
    inotify.close();
    watches.values().forEach(watch -> watch.done.set(true));
    watches.clear();
  }

  private static final class Watch {

    final String containerId;
    final Consumer<Exit> onExit;
    final AtomicBoolean done = new AtomicBoolean();

    Watch(String containerId, Consumer<Exit> onExit) {
      this.containerId = containerId;
      this.onExit = onExit;
    }
  }
}
