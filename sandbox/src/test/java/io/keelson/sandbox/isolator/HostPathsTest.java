package io.keelson.sandbox.isolator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keelson.sandbox.error.FailedPreconditionException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

class HostPathsTest {

  @Test
  void namesThePathThatDoesNotAnswer() {
    CountDownLatch server = new CountDownLatch(1);
    HostPaths paths = new HostPaths(Duration.ofSeconds(2));
    try {
      assertThatThrownBy(
              () ->
                  paths.call(
                      progress -> {
                        progress.touches(Path.of("/fine"));
                        progress.touches(Path.of("/mnt/dead"));
                        return waitFor(server);
                      }))
          .isInstanceOf(FailedPreconditionException.class)
          .hasMessageContaining("/mnt/dead")
          .hasMessageContaining("2000 ms");
    } finally {
      server.countDown();
    }
  }

  /** As many callers as there may be stuck threads, and more, must not refuse each other. */
  @Test
  void manyCallersAtOnceAllGetTheirAnswer() throws Exception {
    HostPaths paths = new HostPaths(Duration.ofSeconds(60));
    List<Callable<Integer>> calls = new ArrayList<>();
    for (int i = 0; i < 300; i++) {
      int number = i;
      calls.add(
          () ->
              paths.call(
                  _ -> {
                    Thread.onSpinWait();
                    return number;
                  }));
    }
    try (ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
      int sum = 0;
      for (Future<Integer> answer : callers.invokeAll(calls)) {
        sum += answer.get();
      }
      assertThat(sum).isEqualTo(300 * 299 / 2);
    }
  }

  @Test
  void failuresComeThroughAsTheyAre() {
    HostPaths paths = new HostPaths(Duration.ofSeconds(60));
    assertThatThrownBy(
            () ->
                paths.call(
                    _ -> {
                      throw new IOException("as it is");
                    }))
        .isInstanceOf(IOException.class)
        .hasMessage("as it is");
  }

  /** As a dead network file system: not to be woken by an interrupt. */
  private static boolean waitFor(CountDownLatch server) {
    boolean answered = false;
    while (!answered) {
      try {
        server.await();
        answered = true;
      } catch (InterruptedException e) {
        answered = false;
      }
    }
    return answered;
  }
}
