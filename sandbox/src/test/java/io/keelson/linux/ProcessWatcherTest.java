package io.keelson.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class ProcessWatcherTest {

  @Test
  void tellsOnceWhenAProcessEnds() throws Exception {
    AtomicInteger calls = new AtomicInteger();
    CountDownLatch ended = new CountDownLatch(1);
    try (ProcessWatcher watcher = new ProcessWatcher();
        Spawned child = sleeper()) {
      watcher.watch(
          child.processId(),
          () -> {
            calls.incrementAndGet();
            ended.countDown();
          });
      assertThat(ended.await(20, TimeUnit.MILLISECONDS)).as("while it runs").isFalse();

      child.kill(Signals.SIGKILL);

      assertThat(ended.await(10, TimeUnit.SECONDS)).isTrue();
      child.await();
      Thread.sleep(20);
      assertThat(calls).hasValue(1);
    }
  }

  @Test
  void tellsAtOnceOfAProcessThatHasEndedOrGivenItsNumberAway() throws Exception {
    ProcessId self = ProcessId.of((int) ProcessHandle.current().pid()).orElseThrow();
    CountDownLatch ended = new CountDownLatch(2);
    try (ProcessWatcher watcher = new ProcessWatcher()) {
      watcher.watch(new ProcessId(Integer.MAX_VALUE, 1), ended::countDown);
      watcher.watch(new ProcessId(self.pid(), self.startTime() - 1), ended::countDown);

      assertThat(ended.await(10, TimeUnit.SECONDS)).isTrue();
    }
  }

  @Test
  void aListenerThatFailsDoesNotEndTheWatching() throws Exception {
    CountDownLatch ended = new CountDownLatch(1);
    try (ProcessWatcher watcher = new ProcessWatcher();
        Spawned first = sleeper();
        Spawned second = sleeper()) {
      watcher.watch(
          first.processId(),
          () -> {
            throw new IllegalStateException("on purpose");
          });
      watcher.watch(second.processId(), ended::countDown);
      first.kill(Signals.SIGKILL);
      first.await();

      second.kill(Signals.SIGKILL);

      assertThat(ended.await(10, TimeUnit.SECONDS)).isTrue();
    }
  }

  @Test
  void manyProcessesAreTold() throws Exception {
    int count = 100;
    CountDownLatch ended = new CountDownLatch(count);
    try (ProcessWatcher watcher = new ProcessWatcher()) {
      Thread[] threads = new Thread[count];
      for (int i = 0; i < count; i++) {
        threads[i] =
            Thread.startVirtualThread(
                () -> {
                  try (Spawned child =
                      Spawn.start(List.of("true"), Map.of(), null, SpawnFiles.none(), false)) {
                    watcher.watch(child.processId(), ended::countDown);
                    child.await();
                  } catch (IOException e) {
                    throw new IllegalStateException(e);
                  }
                });
      }
      for (Thread thread : threads) {
        thread.join();
      }

      assertThat(ended.await(10, TimeUnit.SECONDS)).isTrue();
    }
  }

  @Test
  void afterCloseNothingIsTold() throws Exception {
    CountDownLatch ended = new CountDownLatch(1);
    try (Spawned child = sleeper()) {
      ProcessWatcher watcher = new ProcessWatcher();
      watcher.watch(child.processId(), ended::countDown);

      watcher.close();
      child.kill(Signals.SIGKILL);
      child.await();

      assertThat(ended.await(30, TimeUnit.MILLISECONDS)).isFalse();
    }
  }

  private static Spawned sleeper() throws IOException {
    return Spawn.start(List.of("sleep", "1000"), Map.of(), null, SpawnFiles.none(), false);
  }
}
