package io.keelson.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class FdTest {

  @Test
  void moreThanAPipeHoldsGoesFromOneVirtualThreadToAnother() throws Exception {
    byte[] sent = new byte[500_000];
    new Random(1).nextBytes(sent);
    ByteArrayOutputStream received = new ByteArrayOutputStream();
    Fd[] pipe = Fd.pipe();
    AtomicReference<IOException> failure = new AtomicReference<>();
    Thread reader =
        Thread.startVirtualThread(
            () -> {
              try (Fd fd = pipe[0]) {
                byte[] buffer = new byte[7777];
                for (int count; (count = fd.read(buffer, 7, buffer.length - 7)) >= 0; ) {
                  received.write(buffer, 7, count);
                }
              } catch (IOException e) {
                failure.set(e);
              }
            });
    Thread writer =
        Thread.startVirtualThread(
            () -> {
              try (Fd fd = pipe[1]) {
                fd.write(sent, 0, sent.length);
              } catch (IOException e) {
                failure.set(e);
              }
            });
    writer.join();
    reader.join();

    assertThat(failure).hasNullValue();
    assertThat(received.toByteArray()).isEqualTo(sent);
  }

  @Test
  void virtualThreadsThatWaitToReadHoldNoCarrier() throws Exception {
    Fd[] pipe = Fd.pipe();
    try (Fd read = pipe[0];
        Fd write = pipe[1]) {
      List<Thread> readers = new ArrayList<>();
      for (int i = 0; i < 2 * Runtime.getRuntime().availableProcessors() + 2; i++) {
        readers.add(
            Thread.startVirtualThread(
                () -> {
                  try {
                    read.awaitReadable(Duration.ofSeconds(20));
                  } catch (IOException e) {
                    throw new IllegalStateException(e);
                  }
                }));
      }
      CountDownLatch other = new CountDownLatch(1);

      Thread.startVirtualThread(other::countDown);

      assertThat(other.await(20, TimeUnit.SECONDS)).isTrue();
      write.write(new byte[1], 0, 1);
      for (Thread reader : readers) {
        reader.join();
      }
    }
  }

  @Test
  void aTimeoutIsKept() throws Exception {
    Fd[] pipe = Fd.pipe();
    Fd write = pipe[1];
    try (Fd read = pipe[0]) {
      assertThat(read.awaitReadable(Duration.ofMillis(10))).isFalse();
      write.close();
      assertThat(read.awaitReadable(Duration.ofMillis(10))).as("hang-up").isTrue();
      assertThat(read.read(new byte[1], 0, 1)).isEqualTo(-1);
    }
  }

  @Test
  void afterCloseItCanNotBeUsedAndClosingAgainClosesNothingElse() throws Exception {
    Fd first = Fd.open(Path.of("/dev/null"), Fd.O_RDONLY, 0);
    first.close();
    try (Fd second = Fd.open(Path.of("/dev/null"), Fd.O_RDONLY, 0)) {
      first.close();

      assertThat(second.read(new byte[1], 0, 1)).isEqualTo(-1);
      assertThatThrownBy(first::number).isInstanceOf(IllegalStateException.class);
    }
  }

  @Test
  void anErrorNamesTheCall() {
    assertThatThrownBy(() -> Fd.open(Path.of("/no/such"), Fd.O_RDONLY, 0))
        .hasMessage("open(\"/no/such\", 0x80000, 0000): no such file or directory (ENOENT)");
  }
}
