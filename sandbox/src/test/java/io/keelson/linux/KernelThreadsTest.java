package io.keelson.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class KernelThreadsTest {

  @Test
  void noMoreThanTheMaximumRunAtOnce() throws Exception {
    AtomicInteger running = new AtomicInteger();
    AtomicInteger most = new AtomicInteger();
    CountDownLatch together = new CountDownLatch(3);
    try (KernelThreads threads = new KernelThreads(3)) {
      List<Thread> callers = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
        callers.add(
            Thread.startVirtualThread(
                () -> {
                  try {
                    threads.run(
                        () -> {
                          most.accumulateAndGet(running.incrementAndGet(), Math::max);
                          awaitAll(together);
                          sleep(5);
                          running.decrementAndGet();
                        });
                  } catch (IOException e) {
                    throw new IllegalStateException(e);
                  }
                }));
      }
      for (Thread caller : callers) {
        caller.join();
      }
    }

    assertThat(most).hasValue(3);
  }

  @Test
  void workInsideWorkDoesNotWaitForAFreeThread() throws Exception {
    try (KernelThreads threads = new KernelThreads(1)) {
      boolean virtual = threads.call(() -> threads.call(() -> Thread.currentThread().isVirtual()));

      assertThat(virtual).isFalse();
    }
  }

  @Test
  void blockedNativeCallsDoNotHoldUpVirtualThreads() throws Exception {
    Fd[] pipe = Fd.pipe();
    try (KernelThreads threads = new KernelThreads(16);
        Fd read = pipe[0];
        Fd write = pipe[1]) {
      int callers = 12;
      CountDownLatch woken = new CountDownLatch(callers);
      for (int i = 0; i < callers; i++) {
        Thread.startVirtualThread(
            () -> {
              try {
                threads.run(() -> read.read(new byte[1], 0, 1));
                woken.countDown();
              } catch (IOException e) {
                throw new IllegalStateException(e);
              }
            });
      }

      CountDownLatch others = new CountDownLatch(1);
      Thread.startVirtualThread(others::countDown);
      assertThat(others.await(20, TimeUnit.SECONDS)).isTrue();

      write.write(new byte[callers], 0, callers);
      assertThat(woken.await(20, TimeUnit.SECONDS)).isTrue();
    }
  }

  @Test
  void errorsComeOutAsTheyAre() {
    try (KernelThreads threads = new KernelThreads(1)) {
      assertThatThrownBy(
              () ->
                  threads.call(
                      () -> {
                        throw new ErrnoException("x", Errno.EBUSY);
                      }))
          .isInstanceOf(ErrnoException.class)
          .hasMessage("x: device or resource busy (EBUSY)");
      assertThatThrownBy(
              () ->
                  threads.run(
                      () -> {
                        throw new IllegalStateException("y");
                      }))
          .isInstanceOf(IllegalStateException.class);
    }
  }

  @Test
  void anInterruptedCallerIsLetGo() throws Exception {
    CountDownLatch started = new CountDownLatch(1);
    AtomicReference<Exception> thrown = new AtomicReference<>();
    try (KernelThreads threads = new KernelThreads(1)) {
      Thread caller =
          Thread.startVirtualThread(
              () -> {
                try {
                  threads.call(
                      () -> {
                        started.countDown();
                        Thread.sleep(20_000);
                        return 1;
                      });
                } catch (IOException e) {
                  thrown.set(e);
                }
              });
      started.await();

      caller.interrupt();
      caller.join();

      assertThat(thrown.get()).isInstanceOf(InterruptedIOException.class);
    }
  }

  /** Is one of those that wait, until all are there. */
  private static void awaitAll(CountDownLatch together) {
    together.countDown();
    try {
      assertThat(together.await(20, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void sleep(long millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
