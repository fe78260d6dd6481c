package io.keelson.sandbox.stream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(20)
class ByteQueueTest {

  @Test
  void whatIsPutInComesOutWhileTheReaderHoldsUpTheWriter() throws Exception {
    byte[] sent = new byte[300_000];
    new Random(3).nextBytes(sent);
    ByteQueue queue = new ByteQueue(1_000);
    Thread writer =
        Thread.startVirtualThread(
            () -> {
              try {
                for (int i = 0; i < sent.length; i += 700) {
                  int end = Math.min(sent.length, i + 700);
                  queue.put(Arrays.copyOfRange(sent, i, end));
                  assertThat(queue.available()).isLessThan(1_700);
                }
              } catch (IOException e) {
                throw new IllegalStateException(e);
              }
              queue.end();
            });
    byte[] first = queue.readNBytes(1_001);
    ByteArrayOutputStream rest = new ByteArrayOutputStream();
    rest.write(first);
    queue.transferTo(rest);
    writer.join();

    assertThat(rest.toByteArray()).isEqualTo(sent);
  }

  @Test
  void aReaderThatTakesNothingIsGivenUpAndOneThatTakesALittleIsNot() throws Exception {
    ByteQueue queue = new ByteQueue(1);
    Duration patience = Duration.ofSeconds(3);
    assertThat(queue.put(new byte[10], patience)).isTrue();
    Thread reader =
        Thread.startVirtualThread(
            () -> {
              try {
                for (int i = 0; i < 10; i++) {
                  Thread.sleep(320); // all of it takes longer than the patience
                  queue.read();
                }
              } catch (IOException | InterruptedException e) {
                throw new IllegalStateException(e);
              }
            });

    assertThat(queue.put(new byte[10], patience)).isTrue();
    reader.join();
    assertThat(queue.put(new byte[10], Duration.ofMillis(100))).isFalse();
  }

  @Test
  void itsEndIsReadAfterWhatIsThereAndItsFailureBefore() throws Exception {
    ByteQueue ended = new ByteQueue(10);
    ended.put(new byte[] {1});
    ended.end();
    assertThat(ended.readAllBytes()).containsExactly(1);

    ByteQueue failed = new ByteQueue(10);
    failed.put(new byte[] {1});
    failed.fail(new IOException("broken"));
    assertThatThrownBy(failed::read).hasMessage("broken");
    failed.put(new byte[100]); // goes nowhere, and does not wait
    failed.put(new byte[100]);

    ByteQueue closed = new ByteQueue(10);
    closed.put(new byte[100]);
    Thread writer =
        Thread.startVirtualThread(
            () -> {
              try {
                closed.put(new byte[100]);
              } catch (IOException e) {
                throw new IllegalStateException(e);
              }
            });
    closed.close();
    writer.join();
    assertThat(closed.read()).isEqualTo(-1);
  }
}
