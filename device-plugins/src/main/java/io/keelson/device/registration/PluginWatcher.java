package io.keelson.device.registration;

import io.keelson.linux.ErrnoException;
import io.keelson.linux.Inotify;
import io.keelson.sandbox.rpc.UnixChannels;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Watches a folder for the sockets of plugins and hands each plugin to the handler of its type. A
 * socket that appears is asked what it is; one that is made anew is registered again; the plugin of
 * one that is gone is deregistered. A plugin that can't be reached or was refused is tried again,
 * at growing intervals, for as long as its socket is there.
 *
 * <p>{@link #close} may be called from any thread and leaves the plugins registered.
 */
public final class PluginWatcher implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(PluginWatcher.class);

  private static final int CHANGES =
      Inotify.IN_CREATE | Inotify.IN_DELETE | Inotify.IN_MOVED_FROM | Inotify.IN_MOVED_TO;

  /** For what inotify does not tell, such as lost events. */
  private static final Duration INTERVAL = Duration.ofMinutes(1);

  private final Path folder;
  private final Map<String, PluginHandler> handlers;
  private final UnixChannels channels;
  private final Inotify inotify;
  private final Thread thread;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();

  /** Guarded by {@link #lock}. */
  private boolean dirty = true;

  /** Guarded by {@link #lock}. */
  private boolean closed;

  private final Map<Path, WatchedPlugin> plugins = new HashMap<>();

  private PluginWatcher(Path folder, Map<String, PluginHandler> handlers, UnixChannels channels)
      throws IOException {
    this.folder = folder;
    this.handlers = Map.copyOf(handlers);
    this.channels = channels;
    this.inotify = Inotify.watch(folder, CHANGES, _ -> wake());
    this.thread = Thread.ofVirtual().name("plugin-watcher").unstarted(this::run);
  }

  /**
   * Watches from its return on; plugins that are there already are registered soon.
   *
   * @param folder made if need be
   * @param handlers by the type that a plugin names: {@code CSIPlugin}, {@code DevicePlugin}
   */
  public static PluginWatcher start(
      Path folder, Map<String, PluginHandler> handlers, UnixChannels channels) throws IOException {
    Files.createDirectories(folder);
    PluginWatcher watcher = new PluginWatcher(folder, handlers, channels);
    watcher.thread.start();
    return watcher;
  }

  @Override
  public void close() {
    inotify.close();
    lock.lock();
    try {
      closed = true;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
    thread.interrupt();
  }

  private void wake() {
    lock.lock();
    try {
      dirty = true;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private void run() {
    while (awaitWork()) {
      try {
        watchFoldersBelow();
        reconcile(SocketScan.of(folder));
      } catch (IOException | RuntimeException e) {
        log.atWarn()
            .setCause(e)
            .addKeyValue("folder", folder)
            .log("the folder of plugins can't be read");
      }
    }
  }

  /** Returns at a change or when it is time to look again; false when closed. */
  private boolean awaitWork() {
    lock.lock();
    try {
      long left = INTERVAL.toNanos();
      while (!dirty && !closed && left > 0) {
        left = changed.awaitNanos(left);
      }
      dirty = false;
      return !closed;
    } catch (InterruptedException e) {
      return false;
    } finally {
      lock.unlock();
    }
  }

  /** Before they are read, so that nothing comes unseen in between. */
  private void watchFoldersBelow() throws IOException {
    try (DirectoryStream<Path> below = Files.newDirectoryStream(folder, Files::isDirectory)) {
      for (Path each : below) {
        try {
          inotify.watchToo(each, CHANGES);
        } catch (ErrnoException e) {
          log.atDebug().setCause(e).log("a folder of plugins has gone");
        }
      }
    }
  }

  private void reconcile(Map<Path, SocketScan.Identity> sockets) {
    plugins
        .entrySet()
        .removeIf(
            known -> {
              boolean gone = !known.getValue().identity().equals(sockets.get(known.getKey()));
              if (gone) {
                known.getValue().gone(sockets.containsKey(known.getKey()));
              }
              return gone;
            });
    sockets.forEach(
        (socket, identity) ->
            plugins
                .computeIfAbsent(
                    socket,
                    _ -> new WatchedPlugin(socket, identity, handlers, channels, this::retry))
                .attempt());
  }

  /** Looks again after a while, for a plugin that could not be registered. */
  private void retry(Duration delay) {
    Thread.ofVirtual()
        .name("plugin-retry")
        .start(
            () -> {
              try {
                TimeUnit.NANOSECONDS.sleep(delay.toNanos());
                wake();
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
            });
  }
}
