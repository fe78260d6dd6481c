package io.keelson.sandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keelson.sandbox.error.InvalidRequestException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(value = 30, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class InFlightTest {

  private final InFlight<String> inFlight = new InFlight<>(String::equals);
  private final AtomicInteger runs = new AtomicInteger();
  private final CountDownLatch started = new CountDownLatch(1);
  private final CountDownLatch release = new CountDownLatch(1);

  @Test
  void theSameRequestJoinsTheOneUnderWay() throws Exception {
    CompletableFuture<String> first = request("same");
    started.await();
    CompletableFuture<String> second = request("same");
    release.countDown();

    assertThat(first.get(20, TimeUnit.SECONDS)).isEqualTo("id1");
    assertThat(second.get(20, TimeUnit.SECONDS)).isIn("id1", "id2");
  }

  @Test
  void anotherRequestRunsAfterTheOneUnderWay() throws Exception {
    CompletableFuture<String> first = request("one");
    started.await();
    CompletableFuture<String> second = request("other");
    assertThat(runs).hasValue(1);
    release.countDown();

    assertThat(first.get(20, TimeUnit.SECONDS)).isEqualTo("id1");
    assertThat(second.get(20, TimeUnit.SECONDS)).isEqualTo("id2");
  }

  @Test
  void aFailureReachesTheCallerAndFreesTheName() throws IOException {
    assertThatThrownBy(
            () ->
                inFlight.run(
                    "name",
                    "request",
                    () -> {
                      throw new InvalidRequestException("no");
                    }))
        .isInstanceOf(InvalidRequestException.class);

    assertThat(inFlight.run("name", "request", () -> "id")).isEqualTo("id");
  }

  private CompletableFuture<String> request(String request) {
    return CompletableFuture.supplyAsync(
        () -> {
          try {
            return inFlight.run("name", request, this::work);
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        });
  }

  private String work() {
    int run = runs.incrementAndGet();
    started.countDown();
    try {
      release.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
    return "id" + run;
  }
}
