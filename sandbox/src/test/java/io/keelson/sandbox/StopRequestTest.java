package io.keelson.sandbox;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(value = 30, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class StopRequestTest {

  private final StopRequest request = new StopRequest();

  @Test
  void theSignalIsSentByTheFirstCallerAlone() {
    assertThat(request.claimSignal()).isTrue();
    assertThat(request.claimSignal()).isFalse();
  }

  @Test
  void aShorterGraceEndsTheWaitOfAnEarlierCaller() throws Exception {
    CountDownLatch never = new CountDownLatch(1);
    request.shorten(Duration.ofHours(1));
    CompletableFuture<Boolean> first =
        CompletableFuture.supplyAsync(
            () -> {
              try {
                return request.awaitGrace(never);
              } catch (InterruptedException e) {
                throw new IllegalStateException(e);
              }
            });
    request.shorten(Duration.ZERO);

    assertThat(first.get(20, TimeUnit.SECONDS)).isFalse();
  }

  @Test
  void aLongerGraceChangesNothing() throws Exception {
    request.shorten(Duration.ZERO);
    request.shorten(Duration.ofSeconds(Long.MAX_VALUE));

    assertThat(request.awaitGrace(new CountDownLatch(1))).isFalse();
  }

  @Test
  void theEndOfTheContainerEndsTheWait() throws Exception {
    request.shorten(Duration.ofHours(1));

    assertThat(request.awaitGrace(new CountDownLatch(0))).isTrue();
  }
}
