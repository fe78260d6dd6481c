package io.keelson.sandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(value = 30, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class InParallelTest {

  private final Set<Integer> done = ConcurrentHashMap.newKeySet();

  @Test
  void allRunAtTheSameTime() throws IOException {
    CyclicBarrier together = new CyclicBarrier(3);
    InParallel.forEach(
        List.of(1, 2, 3),
        one -> {
          try {
            together.await(20, TimeUnit.SECONDS);
          } catch (Exception e) {
            throw new IOException(e);
          }
          done.add(one);
        });
    assertThat(done).containsExactlyInAnyOrder(1, 2, 3);
  }

  @Test
  void aFailureKeepsNoOtherFromItsEnd() {
    assertThatThrownBy(
            () ->
                InParallel.forEach(
                    List.of(1, 2, 3),
                    one -> {
                      if (one == 1) {
                        throw new NoSuchFileException("first");
                      }
                      if (one == 3) {
                        throw new IllegalStateException("third");
                      }
                      done.add(one);
                    }))
        .isInstanceOf(NoSuchFileException.class)
        .hasMessage("first")
        .satisfies(
            e -> assertThat(e.getSuppressed()).extracting("message").containsExactly("third"));
    assertThat(done).containsExactly(2);
  }

  @Test
  void aSingleOneRunsOnTheCallersThread() throws IOException {
    Thread caller = Thread.currentThread();
    InParallel.forEach(List.of(1), _ -> assertThat(Thread.currentThread()).isSameAs(caller));
    InParallel.forEach(List.<Integer>of(), done::add);
    assertThat(done).isEmpty();
  }
}
