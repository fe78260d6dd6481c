package io.keelson.csi.driver;

import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Looks at all drivers every now and then, on a virtual thread of its own. */
final class HealthWatch implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(HealthWatch.class);

  private final DriverRegistry registry;
  private final Duration interval;
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
        try {
          registry.nameThem();
          List<Driver> drivers =
              registry.all().stream().filter(driver -> !driver.name().isEmpty()).toList();
          drivers.forEach(registry::probe);
        } catch (RuntimeException e) {
          LOG.atWarn().setCause(e).log("the look at CSI drivers failed");
        }
        Thread.sleep(interval);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // the daemon ends
    }
  }

  @Override
  public synchronized void close() {
    if (thread != null) {
      thread.interrupt();
    }
  }
}
