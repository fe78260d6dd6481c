package io.keelson.runtime.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.Context;
import java.io.InterruptedIOException;
import java.util.concurrent.CancellationException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(20)
class CancellationsTest {

  @Test
  void workEndsWhenTheCallerGoesAndTheThreadIsFitForOtherWork() {
    try (Context.CancellableContext call = Context.current().withCancellation()) {
      Thread.ofVirtual().start(() -> call.cancel(null));

      assertThatThrownBy(
              () -> call.call(() -> Cancellations.interrupting(CancellationsTest::forEver)))
          .isInstanceOf(CancellationException.class)
          .hasMessage("interrupted");

      assertThat(Thread.currentThread().isInterrupted()).isFalse();
    }
  }

  @Test
  void aCallerWhoGoesAfterwardsInterruptsNobody() throws Exception {
    try (Context.CancellableContext call = Context.current().withCancellation()) {
      assertThat(call.<String>call(() -> Cancellations.interrupting(() -> "done")))
          .isEqualTo("done");

      call.cancel(null);

      assertThat(Thread.currentThread().isInterrupted()).isFalse();
    }
  }

  private static String forEver() throws InterruptedIOException {
    try {
      Thread.sleep(Long.MAX_VALUE);
      return "slept";
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted");
    }
  }
}
