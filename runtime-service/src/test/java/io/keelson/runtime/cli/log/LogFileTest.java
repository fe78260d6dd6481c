package io.keelson.runtime.cli.log;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(30)
class LogFileTest {

  private static final String T = "2026-11-22T10:11:12.123456789+01:00";

  @TempDir private Path folder;

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  @Test
  void eachStreamGoesToItsOwnAndPartsArePutTogether() throws Exception {
    write(
        T + " stdout P one ",
        T + " stderr F oops",
        T + " stdout F line",
        T + " stdout F ",
        T + " stdout F   indented");

    print(false);

    assertThat(out).hasToString("one line\n\n  indented\n");
    assertThat(err).hasToString("oops\n");
  }

  @Test
  void aTimeStandsBeforeEachLineOfTheWorkloadNotBeforeItsParts() throws Exception {
    write(T + " stdout P a", T + " stdout F b", T + " stdout F c");

    print(true);

    assertThat(out).hasToString(T + " ab\n" + T + " c\n");
  }

  @Test
  void bytesThatAreNoTextComeThroughUnchanged() throws Exception {
    byte[] head = (T + " stdout F ").getBytes(StandardCharsets.US_ASCII);
    byte[] line = {(byte) 0xff, 0, '\r', (byte) 0xc3};
    Files.write(log(), head);
    Files.write(log(), line, StandardOpenOption.APPEND);
    Files.write(log(), new byte[] {'\n'}, StandardOpenOption.APPEND);

    print(false);

    assertThat(out.toByteArray()).containsExactly(0xff, 0, '\r', 0xc3, '\n');
  }

  @Test
  void rubbishIsShownAsItIsAndStopsNothing() throws Exception {
    write("rubbish", T + " stdwhat F x", T + " stdout Q x", "", T + " stdout F fine");

    print(false);

    assertThat(out).hasToString("fine\n");
    assertThat(err).hasToString("rubbish\n" + T + " stdwhat F x\n" + T + " stdout Q x\n\n");
  }

  @Test
  void theTailCountsLinesOfTheWorkload() throws Exception {
    write(
        T + " stdout F 1",
        T + " stdout P 2",
        T + " stdout P 2",
        T + " stdout F 2",
        T + " stdout F 3");

    assertThat(tail(2)).isEqualTo("222\n3\n");
    assertThat(tail(1)).isEqualTo("3\n");
    assertThat(tail(100)).isEqualTo("1\n222\n3\n");
    assertThat(tail(0)).isEmpty();
  }

  @Test
  void aLineIsPrintedWhenItIsWhole() throws Exception {
    Files.writeString(log(), T + " stdout F ha");
    try (LogFile file = LogFile.open(log())) {
      LogPrinter printer = new LogPrinter(out, err, false);
      assertThat(file.readAvailable(printer::print)).isFalse();

      Files.writeString(log(), "lf\n", StandardOpenOption.APPEND);

      assertThat(file.readAvailable(printer::print)).isTrue();
    }
    assertThat(out).hasToString("half\n");
  }

  @Test
  void aRotatedLogIsFollowedWithoutALineLost() throws Exception {
    write(T + " stdout F 1");
    AtomicBoolean running = new AtomicBoolean(true);
    Thread follower = follow(running);
    awaitOutput("1\n");

    Files.move(log(), folder.resolve("0.log.1"));
    Files.writeString(
        folder.resolve("0.log.1"),
        T + " stdout F 2\n",
        StandardOpenOption.APPEND); // not reopened yet
    write(T + " stdout F 3");
    awaitOutput("1\n2\n3\n");
    append(T + " stdout F 4");
    running.set(false);
    follower.join();

    assertThat(out).hasToString("1\n2\n3\n4\n");
  }

  @Test
  void aLogThatIsCutIsReadFromItsBeginning() throws Exception {
    write(T + " stdout F 1", T + " stdout F 2");
    AtomicBoolean running = new AtomicBoolean(true);
    Thread follower = follow(running);
    awaitOutput("1\n2\n");

    write(T + " stdout F 3"); // truncates
    awaitOutput("1\n2\n3\n");
    running.set(false);
    follower.join();
  }

  @Test
  void whatIsWrittenJustBeforeTheEndIsPrinted() throws Exception {
    write();
    AtomicBoolean written = new AtomicBoolean();
    try (LogFile file = LogFile.open(log())) {
      new LogFollower(file, new LogPrinter(out, err, false))
          .follow(
              () -> {
                if (!written.getAndSet(true)) {
                  append(T + " stdout F last words");
                }
                return false;
              });
    }

    assertThat(out).hasToString("last words\n");
  }

  private Thread follow(AtomicBoolean running) {
    return Thread.ofPlatform()
        .start(
            () -> {
              try (LogFile file = LogFile.open(log())) {
                new LogFollower(file, new LogPrinter(out, err, false)).follow(running::get);
              } catch (IOException | InterruptedException e) {
                throw new IllegalStateException(e);
              }
            });
  }

  private void awaitOutput(String expected) throws InterruptedException {
    while (!out.toString(StandardCharsets.UTF_8).equals(expected)) {
      Thread.sleep(5);
    }
  }

  private void print(boolean timestamps) throws IOException {
    try (LogFile file = LogFile.open(log())) {
      new LogFollower(file, new LogPrinter(out, err, timestamps)).printAvailable();
    }
  }

  private String tail(long lines) throws IOException {
    out.reset();
    try (LogFile file = LogFile.open(log())) {
      file.skipToLast(lines);
      new LogFollower(file, new LogPrinter(out, err, false)).printAvailable();
    }
    return out.toString(StandardCharsets.UTF_8);
  }

  private Path log() {
    return folder.resolve("0.log");
  }

  private void write(String... lines) throws IOException {
    Files.write(log(), java.util.List.of(lines));
  }

  private void append(String line) {
    try {
      Files.writeString(log(), line + "\n", StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}
