package io.keelson.sandbox;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class NamedLocksTest {

  private final NamedLocks locks = new NamedLocks();

  @Test
  void oneNameIsHeldByOneAtATime() {
    ConcurrentMap<String, AtomicInteger> holders = new ConcurrentHashMap<>();
    AtomicInteger together = new AtomicInteger();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < 2000; i++) {
        String name = "name" + i % 3;
        threads.execute(
            () -> {
              try (NamedLocks.Held _ = locks.hold(name)) {
                AtomicInteger here = holders.computeIfAbsent(name, _ -> new AtomicInteger());
                if (here.incrementAndGet() > 1) {
                  together.incrementAndGet();
                }
                LockSupport.parkNanos(1000);
                here.decrementAndGet();
              }
            });
      }
    }
    assertThat(together).hasValue(0);
  }

  @Test
  void anotherNameIsHeldAtOnce() throws InterruptedException {
    try (NamedLocks.Held _ = locks.hold("a")) {
      Thread other = Thread.startVirtualThread(() -> locks.hold("b").close());
      assertThat(other.join(Duration.ofSeconds(20))).isTrue();
    }
  }
}
