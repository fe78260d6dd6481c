package io.keelson.cni.plugin;

import static io.keelson.linux.Inotify.IN_CLOSE_WRITE;
import static io.keelson.linux.Inotify.IN_CREATE;
import static io.keelson.linux.Inotify.IN_DELETE;
import static io.keelson.linux.Inotify.IN_DELETE_SELF;
import static io.keelson.linux.Inotify.IN_IGNORED;
import static io.keelson.linux.Inotify.IN_MOVED_FROM;
import static io.keelson.linux.Inotify.IN_MOVED_TO;
import static io.keelson.linux.Inotify.IN_MOVE_SELF;
import static io.keelson.linux.Inotify.IN_ONLYDIR;
import static io.keelson.linux.Inotify.IN_UNMOUNT;

import io.keelson.linux.ErrnoException;
import io.keelson.linux.Inotify;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells when something changes in the folders of network configurations. For a folder that does not
 * exist the nearest one above is watched until it does, so nobody need make it beforehand. For one
 * thread, except that the listener is called from others.
 */
final class ConfigurationWatch implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(ConfigurationWatch.class);

  /** The kernel sends the last two unasked. */
  private static final int GONE = IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT | IN_IGNORED;

  private static final int ARRIVED = IN_CREATE | IN_MOVED_TO;
  private static final int CHANGED = ARRIVED | IN_CLOSE_WRITE | IN_MOVED_FROM | IN_DELETE;

  private final Runnable listener;
  private final Map<Target, Watch> watches = new HashMap<>();
  private boolean complained;

  ConfigurationWatch(Runnable listener) {
    this.listener = listener;
  }

  /**
   * @param folder that exists
   * @param awaited the entry of it whose arrival is waited for, {@code ""} if every change counts
   */
  private record Target(Path folder, String awaited) {

    static Target of(Path wanted) {
      Path folder = wanted.toAbsolutePath();
      String awaited = "";
      while (!Files.isDirectory(folder)) {
        Path parent = folder.getParent();
        if (parent == null) {
          break;
        }
        awaited = String.valueOf(folder.getFileName());
        folder = parent;
      }
      return new Target(folder, awaited);
    }
  }

  private record Watch(Inotify inotify, AtomicBoolean gone) {}

  /**
   * Watches these folders and no others.
   *
   * @return true if a folder is watched anew: what it holds may have changed until now
   */
  boolean follow(Collection<Path> folders) {
    Collection<Target> targets = folders.stream().map(Target::of).distinct().toList();
    watches
        .entrySet()
        .removeIf(
            entry -> {
              boolean done = entry.getValue().gone().get() || !targets.contains(entry.getKey());
              if (done) {
                entry.getValue().inotify().close();
              }
              return done;
            });
    boolean anew = false;
    for (Target target : targets) {
      if (!watches.containsKey(target)) {
        anew |= watch(target);
      }
    }
    return anew;
  }

  private boolean watch(Target target) {
    AtomicBoolean gone = new AtomicBoolean();
    int wanted = target.awaited().isEmpty() ? CHANGED : ARRIVED;
    try {
      Inotify inotify =
          Inotify.watch(
              target.folder(),
              wanted | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR,
              event -> {
                boolean left = (event.mask() & GONE) != 0;
                if (left) {
                  gone.set(true);
                }
                if (left || target.awaited().isEmpty() || target.awaited().equals(event.name())) {
                  listener.run();
                }
              });
      watches.put(target, new Watch(inotify, gone));
      return true;
    } catch (ErrnoException e) {
      if (!complained) {
        complained = true;
        log.warn(
            "changes in {} are seen only when the network's status is asked for: {}",
            target.folder(),
            e.getMessage());
      }
      return false;
    }
  }

  @Override
  public void close() {
    watches.values().forEach(watch -> watch.inotify().close());
    watches.clear();
  }
}
