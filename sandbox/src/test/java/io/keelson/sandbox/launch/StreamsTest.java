package io.keelson.sandbox.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keelson.linux.ProcessWatcher;
import io.keelson.sandbox.error.OperationFailedException;
import io.keelson.sandbox.port.ExecSession;
import io.keelson.sandbox.port.LaunchRequest;
import io.keelson.sandbox.port.ProcessStreams;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Who talks to a command in a container, or to the container's workload. */
@Timeout(60)
class StreamsTest {

  private static final ExecSession.Wanted ALL = new ExecSession.Wanted(true, true, true, false);
  private static final ExecSession.Wanted TERMINAL =
      new ExecSession.Wanted(true, true, false, true);

  @TempDir Path folder;
  private LaunchLab lab;

  @BeforeEach
  void open() throws IOException {
    lab = new LaunchLab(folder);
  }

  @AfterEach
  void close() throws IOException {
    lab.close();
  }

  private LaunchRequest running(String runtime, String... command) throws IOException {
    return running(lab.request(runtime, command));
  }

  private LaunchRequest running(LaunchRequest request) throws IOException {
    lab.launcher().create(request);
    lab.launcher().start(request.containerId(), request.handler());
    return request;
  }

  private ExecSession exec(LaunchRequest container, ExecSession.Wanted wanted, String... command)
      throws IOException {
    return lab.launcher()
        .openExec(
            container.containerId(),
            container.handler(),
            lab.process(wanted.terminal(), command),
            wanted);
  }

  /** Reads to the end, on a virtual thread as the daemon does. */
  private static CompletableFuture<byte[]> collect(InputStream in) {
    CompletableFuture<byte[]> result = new CompletableFuture<>();
    Thread.startVirtualThread(
        () -> {
          ByteArrayOutputStream bytes = new ByteArrayOutputStream();
          try {
            in.transferTo(bytes);
            result.complete(bytes.toByteArray());
          } catch (IOException e) {
            result.completeExceptionally(e);
          }
        });
    return result;
  }

  private static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }

  private static void write(OutputStream out, String text) throws IOException {
    out.write(text.getBytes(StandardCharsets.UTF_8));
  }

  @Test
  void commandThatCannotBeWatchedLeavesNothingOpen() throws Exception {
    LaunchRequest container = running("crun", "/bin/sleep", "1000");
    ProcessWatcher ended = new ProcessWatcher();
    ended.close();
    try (ConmonLauncher launcher = lab.newLauncher(ended)) {
      assertCannotBeWatched(launcher, container); // what is opened once only is open now
      long before = openDescriptors();

      assertCannotBeWatched(launcher, container);

      LaunchLab.until(() -> openDescriptors() <= before);
    }
  }

  private void assertCannotBeWatched(ConmonLauncher launcher, LaunchRequest container) {
    byte[] process = lab.process(false, "sleep", "1000");
    assertThatThrownBy(
            () -> launcher.openExec(container.containerId(), container.handler(), process, ALL))
        .isInstanceOf(IllegalStateException.class);
  }

  private static long openDescriptors() throws IOException {
    try (Stream<Path> descriptors = Files.list(Path.of("/proc/self/fd"))) {
      return descriptors.count();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"crun", "runc"})
  void megabytesGoThroughACommandAndItsInputEnds(String runtime) throws Exception {
    LaunchRequest container = running(runtime, "/bin/sleep", "1000");
    byte[] sent = new byte[3_000_000];
    new Random(1).nextBytes(sent);

    try (ExecSession exec = exec(container, ALL, "sh", "-c", "cat; echo done >&2; exit 7")) {
      CompletableFuture<byte[]> out = collect(exec.stdout());
      CompletableFuture<byte[]> err = collect(exec.stderr());
      try (OutputStream stdin = exec.stdin()) {
        stdin.write(sent);
      }

      assertThat(exec.await()).isEqualTo(7);
      assertThat(out.get()).isEqualTo(sent);
      assertThat(text(err.get())).isEqualTo("done\n");
    }
    assertThat(filesOfCommands(container)).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"crun", "runc"})
  void aTerminalHasItsSizeAndFollowsItsWindow(String runtime) throws Exception {
    LaunchRequest container = running(runtime, "/bin/sleep", "1000");

    String untilItIs = "until [ \"$(stty size 2>&1)\" = \"%s\" ]; do sleep 0.02; done; ";
    String script = untilItIs.formatted("40 100") + "echo large; " + untilItIs.formatted("25 80");
    try (ExecSession exec = exec(container, TERMINAL, "sh", "-c", script + "exit 5")) {
      exec.resize(100, 40);
      assertThat(text(exec.stdout().readNBytes(5))).isEqualTo("large");
      exec.resize(80, 25);

      assertThat(exec.await()).isEqualTo(5);
    }
    assertThat(filesOfCommands(container)).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"crun", "runc"})
  void closingATerminalHangsUpOnTheCommand(String runtime) throws Exception {
    LaunchRequest container = running(runtime, "/bin/sleep", "1000");
    ExecSession exec = exec(container, TERMINAL, "sh", "-c", "echo ready; cat");
    byte[] ready = new byte[5];
    assertThat(exec.stdout().readNBytes(ready, 0, 5)).isEqualTo(5);

    exec.close();

    assertThat(exec.await()).isNotZero();
    assertThat(filesOfCommands(container)).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"crun", "runc"})
  void whoIsLeftBehindWithTheOutputDoesNotHoldItUp(String runtime) throws Exception {
    LaunchRequest container = running(runtime, "/bin/sleep", "1000");
    for (String leftover : new String[] {"sleep 600", "yes"}) {
      try (ExecSession exec =
          exec(container, ALL, "sh", "-c", "echo first; " + leftover + " & exit 3")) {
        CompletableFuture<byte[]> out = collect(exec.stdout());

        assertThat(exec.await()).isEqualTo(3);
        assertThat(text(out.get())).startsWith("first\n");
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"crun", "runc"})
  void whatCanNotBeRunSaysWhy(String runtime) throws Exception {
    LaunchRequest container = running(runtime, "/bin/sleep", "1000");

    try (ExecSession exec = exec(container, ALL, "/no/such/program")) {
      assertThatThrownBy(exec::await)
          .isInstanceOf(OperationFailedException.class)
          .hasMessageMatching("(?i).*no such file.*");
    }
    assertThatThrownBy(
            () -> {
              try (ExecSession exec = exec(container, TERMINAL, "/no/such/program")) {
                exec.await();
              }
            })
        .isInstanceOf(OperationFailedException.class)
        .hasMessageMatching("(?i).*no such file.*");
    assertThat(filesOfCommands(container)).isEmpty();
  }

  @Test
  void allWhoAreAttachedSeeTheOutputAndTheContainerOutlivesThem() throws Exception {
    LaunchRequest container =
        running(
            lab.interactive(
                "crun", false, "sh", "-c", "while read x; do echo got $x; echo e >&2; done"));

    ProcessStreams first = lab.launcher().attach(container);
    ProcessStreams second = lab.launcher().attach(container);
    write(first.stdin(), "one\n");
    assertThat(text(first.stdout().readNBytes(8))).isEqualTo("got one\n");
    first.stdin().close();
    first.close();
    write(second.stdin(), "two\n");
    assertThat(text(second.stdout().readNBytes(16))).isEqualTo("got one\ngot two\n");
    assertThat(text(second.stderr().readNBytes(4))).isEqualTo("e\ne\n");
    second.close();

    assertThat(Files.exists(container.exitFile())).isFalse();
  }

  @Test
  void standardInputEndsWithTheFirstAttachmentIfItIsToServeOne() throws Exception {
    LaunchRequest container = running(lab.interactive("crun", true, "sh", "-c", "cat; echo after"));
    try (ProcessStreams streams = lab.launcher().attach(container)) {
      CompletableFuture<byte[]> out = collect(streams.stdout());
      write(streams.stdin(), "text\n");
      streams.stdin().close();

      assertThat(text(out.get())).isEqualTo("text\nafter\n");
    }
    LaunchLab.until(() -> Files.exists(container.exitFile()));
  }

  @Test
  void whoIsAttachedAndTakesNothingDoesNotHoldUpTheLogForLong() throws Exception {
    LaunchRequest container = running("crun", "sh", "-c", "yes 0123456789");
    Path log = container.logFile().orElseThrow();

    try (ProcessStreams stalled =
        ConmonAttachment.open(container, lab.poller, Duration.ofSeconds(1))) {
      LaunchLab.until(() -> stalled.stdout().available() >= 1 << 20);
      long size = Files.size(log);
      long deadline = System.nanoTime() + 40_000_000_000L;
      while (Files.size(log) < size + 20_000_000 && System.nanoTime() < deadline) {
        Thread.sleep(50);
      }
      assertThat(Files.size(log)).isGreaterThan(size + 20_000_000);
      assertThatThrownBy(() -> stalled.stdout().transferTo(OutputStream.nullOutputStream()))
          .hasMessageContaining("cut off");
    }
  }

  private static List<Path> filesOfCommands(LaunchRequest container) throws Exception {
    try (var files = Files.list(container.bundle())) {
      return files.filter(file -> file.getFileName().toString().startsWith("exec-")).toList();
    }
  }
}
