package io.keelson.device.plugin;

import io.keelson.device.plugin.Resource.State;
import io.keelson.device.registration.Comeback;
import io.keelson.sandbox.error.FailedPreconditionException;
import io.keelson.sandbox.error.UnavailableException;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * All resources of the node, by name, and the plugin of each. Safe for use by many threads.
 *
 * <p>A plugin that ended is remembered with its devices for a while: it is more often on its way
 * back (an update, a crash) than gone for good. Neither its end nor the daemon's start takes a
 * device from a container that holds it.
 */
public final class PluginRegistry implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(PluginRegistry.class);

  /** How long the resource of a plugin that ended is still told; a kubelet's grace. */
  private static final Duration GRACE = Duration.ofMinutes(5);

  private final ReentrantLock lock = new ReentrantLock();
  private final Comeback comeback;

  /** Guarded by {@link #lock}. */
  private final Map<String, Resource> resources = new TreeMap<>();

  private final List<ChangeListener> listeners = new CopyOnWriteArrayList<>();

  /**
   * @param patience how long a request waits for a plugin that is not back yet, after the start of
   *     the daemon or the end of the plugin
   */
  public PluginRegistry(Duration patience) {
    this.comeback = new Comeback(lock, patience);
  }

  /** Hears of a resource that changed; must not block. */
  public interface ChangeListener {

    /**
     * @param before null for a resource that is new
     */
    void changed(@Nullable Resource before, Resource now);
  }

  public void addListener(ChangeListener listener) {
    listeners.add(listener);
  }

  /** Takes a plugin for a resource; one that is there is replaced and closed. */
  public void add(String name, DevicePlugin plugin) throws IOException {
    Resource before;
    Resource now;
    lock.lock();
    try {
      before = resources.get(name);
      Map<String, Device> known = before == null ? Map.of() : before.devices();
      now = new Resource(name, State.REGISTERED, Instant.now(), plugin, known);
      resources.put(name, now);
    } finally {
      lock.unlock();
    }
    tell(before, now);
    if (before != null) {
      before.plugin().close();
    }
    log.atInfo().addKeyValue("resource", name).log("device plugin has registered");
    plugin.watch(
        new DevicePlugin.Listener() {
          @Override
          public void devices(List<Device> all) {
            update(name, plugin, resource -> resource.with(all, Instant.now()));
          }

          @Override
          public void ended(String why) {
            end(name, plugin, why);
          }
        });
  }

  /** The plugin of a resource has gone, if it is still this one. */
  private void end(String name, DevicePlugin plugin, String why) {
    if (update(name, plugin, resource -> resource.with(State.GONE, Instant.now()))) {
      log.atWarn().addKeyValue("resource", name).log("device plugin is gone: {}", why);
    }
    plugin.close();
  }

  private interface Change {
    Resource of(Resource resource);
  }

  private boolean update(String name, DevicePlugin plugin, Change change) {
    Resource before;
    Resource now;
    lock.lock();
    try {
      before = resources.get(name);
      if (before == null || !before.plugin().equals(plugin)) {
        return false; // another plugin has taken its place
      }
      now = change.of(before);
      resources.put(name, now);
      comeback.changed();
    } finally {
      lock.unlock();
    }
    if (!now.equals(before)) { // many plugins tell the same list again and again
      tell(before, now);
    }
    return true;
  }

  private void tell(@Nullable Resource before, Resource now) {
    listeners.forEach(listener -> listener.changed(before, now));
  }

  /** The resources by name, with those whose plugin ended a short while ago. */
  public Collection<Resource> resources() {
    Instant forgotten = Instant.now().minus(GRACE);
    lock.lock();
    try {
      resources
          .values()
          .removeIf(
              resource -> resource.state() == State.GONE && resource.since().isBefore(forgotten));
      return List.copyOf(resources.values());
    } finally {
      lock.unlock();
    }
  }

  public Optional<Resource> resource(String name) {
    lock.lock();
    try {
      return Optional.ofNullable(resources.get(name));
    } finally {
      lock.unlock();
    }
  }

  /**
   * The resource once its plugin serves. Right after the start of the daemon, and when a plugin
   * ended, it is waited for: "not registered yet" is not "gone".
   *
   * @throws UnavailableException if it is known and does not come back in time
   * @throws FailedPreconditionException if no plugin offers such a resource
   */
  public Resource await(String name) {
    return comeback.await(
        "the device plugin of " + name,
        () ->
            Optional.ofNullable(resources.get(name))
                .filter(resource -> resource.state() == State.SERVING),
        () -> Optional.ofNullable(resources.get(name)).map(Resource::since),
        () -> missing(name, resources.get(name)));
  }

  private RuntimeException missing(String name, @Nullable Resource resource) {
    if (resource == null) {
      return new FailedPreconditionException(
          "no device plugin on this node offers %s; there are %s"
              .formatted(name, resources.isEmpty() ? "none" : resources.keySet()));
    }
    return new UnavailableException(
        switch (resource.state()) {
          case REGISTERED -> "the device plugin of %s does not tell its devices".formatted(name);
          case GONE, SERVING ->
              "the device plugin of %s is gone since %s".formatted(name, resource.since());
        });
  }

  /** Ends all plugins' watching. */
  @Override
  public void close() {
    lock.lock();
    try {
      resources.values().forEach(resource -> resource.plugin().close());
    } finally {
      lock.unlock();
    }
  }
}
