package io.keelson.csi.driver;

import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks at all drivers every now and then, at each on a virtual thread of its own: one that hangs
 * holds up no other. Safe for use by many threads.
 */
final class HealthWatch implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(HealthWatch.class);

  private final DriverRegistry registry;
  private final Duration interval;
  private final Set<Driver> underWay = ConcurrentHashMap.newKeySet();
  private @Nullable Thread thread;

  HealthWatch(DriverRegistry registry, Duration interval) {
    this.registry = registry;
    this.interval = interval;
  }

  synchronized void start() {
    if (thread == null) {
      thread = Thread.ofVirtual().name("csi-health").start(this::run);
    }
  }

  private void run() {
    try {
      while (true) {
        registry.all().forEach(this::look);
        Thread.sleep(interval);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // the daemon ends
    }
  }

  /** Looks at a driver soon, unless a look at it is under way. */
  void look(Driver driver) {
    if (underWay.add(driver)) {
      Thread.ofVirtual()
          .name("csi-look")
          .start(
              () -> {
                try {
                  registry.look(driver);
                } catch (RuntimeException e) {
                  LOG.atWarn()
                      .setCause(e)
                      .addKeyValue("endpoint", driver.endpoint())
                      .log("the look at a CSI driver failed");
                } finally {
                  underWay.remove(driver);
                }
              });
    }
  }

  @Override
  public synchronized void close() {
    if (thread != null) {
      thread.interrupt();
    }
  }
}
