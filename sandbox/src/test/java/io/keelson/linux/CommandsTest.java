package io.keelson.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keelson.linux.Commands.Output;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(30)
class CommandsTest {

  private static final byte[] NOTHING = new byte[0];
  private static final Duration LONG = Duration.ofSeconds(20);

  @TempDir Path folder;

  @Test
  void outputErrorAndExitCodeComeBack() throws Exception {
    Output output = sh("cat; echo bad >&2; exit 3", "given".getBytes(StandardCharsets.UTF_8), LONG);

    assertThat(output.exitCode()).isEqualTo(3);
    assertThat(output.stdoutText()).isEqualTo("given");
    assertThat(output.stderrText()).isEqualTo("bad\n");
  }

  @Test
  void bothStreamsAreDrainedBeyondWhatIsKept() throws Exception {
    String script = "head -c 1000000 /dev/zero >&2; head -c 1000000 /dev/zero; echo end >&2";

    Output output = sh(script, NOTHING, LONG);

    assertThat(output.exitCode()).isZero();
    assertThat(output.stdout()).hasSize(10_000);
    assertThat(output.stderr()).hasSize(10_000);
  }

  @Test
  void outputIsWholeThoughNobodyLookedUntilLongAfterTheEnd() throws Exception {
    Path done = folder.resolve("done");
    List<String> command = List.of("sh", "-c", "head -c 60000 /dev/zero; touch " + done);
    try (CommandRun run =
        new CommandRun(command, Map.of(), NOTHING, LONG, 100_000, Duration.ZERO)) {
      while (Files.notExists(done)) {
        Thread.sleep(1);
      }
      Thread.sleep(20);
      assertThat(run.complete(null).stdout().length).isEqualTo(60_000);
    }
  }

  @Test
  void moreInputThanAPipeHoldsGoesThroughWhileOutputComes() throws Exception {
    byte[] input = new byte[300_000];

    Output output = Commands.run(List.of("cat"), Map.of(), input, LONG, 1_000_000);

    assertThat(output.stdout()).isEqualTo(input);
  }

  @Test
  void aProgramThatDoesNotReadItsInputIsNoError() throws Exception {
    assertThat(sh("exit 0", new byte[300_000], LONG).exitCode()).isZero();
    assertThat(sh("exec 0<&-; sleep 0.05; exit 4", new byte[300_000], LONG).exitCode())
        .isEqualTo(4);
  }

  @Test
  void withoutInputItsStandardInputIsEmpty() throws Exception {
    assertThat(sh("cat; readlink /proc/$$/fd/0", NOTHING, LONG).stdoutText())
        .isEqualTo("/dev/null\n");
  }

  @Test
  void atTheTimeoutAllThatItStartedIsKilled() throws Exception {
    Path pid = folder.resolve("pid");
    String script = "echo why >&2; sleep 1000 & echo $! > " + pid + "; sleep 1000";

    // Time enough for a busy machine to come to the last line of the script.
    assertThatThrownBy(() -> sh(script, NOTHING, Duration.ofSeconds(3)))
        .isInstanceOf(CommandTimeoutException.class)
        .hasMessageContaining("3000 ms")
        .hasMessageContaining("why");

    int grandchild = Integer.parseInt(Files.readString(pid).strip());
    ProcessId process = ProcessId.of(grandchild).orElse(null);
    assertThat(process == null || endsWithin(process)).isTrue();
  }

  @Test
  void whoIsLeftBehindWithTheOutputOpenIsNotWaitedFor() throws Exception {
    long start = System.nanoTime();

    Output output = sh("sleep 1000 & echo $!", NOTHING, LONG);

    long millis = (System.nanoTime() - start) / 1_000_000;
    ProcessId left = ProcessId.of(Integer.parseInt(output.stdoutText().strip())).orElseThrow();
    try {
      assertThat(output.exitCode()).isZero();
      assertThat(left.isAlive()).isTrue();
      assertThat(millis).isLessThan(LONG.toMillis() / 2);
    } finally {
      LibC.kill(left.pid(), Signals.SIGKILL);
    }
  }

  @Test
  void aProgramThatClosesItsOutputIsStillWaitedFor() throws Exception {
    assertThat(sh("exec 1>&- 2>&-; sleep 0.1; exit 6", NOTHING, LONG).exitCode()).isEqualTo(6);
  }

  @Test
  void manyAtOnceOnVirtualThreadsDoNotMixTheirOutput() throws Exception {
    List<Callable<Output>> runs = new ArrayList<>();
    for (int i = 0; i < 50; i++) {
      String script = "echo out" + i + "; cat";
      byte[] input = ("in" + i).getBytes(StandardCharsets.UTF_8);
      runs.add(() -> sh(script, input, LONG));
    }
    try (ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<Output>> outputs = executor.invokeAll(runs);

      for (int i = 0; i < outputs.size(); i++) {
        assertThat(outputs.get(i).get().stdoutText()).isEqualTo("out" + i + "\nin" + i);
      }
    }
  }

  @Test
  void nothingIsLeftOpen() throws Exception {
    sh("echo warm", NOTHING, LONG);
    long before = openDescriptors();
    for (int i = 0; i < 20; i++) {
      sh("echo x", NOTHING, LONG);
      assertThatThrownBy(() -> Commands.run(List.of("/none"), Map.of(), NOTHING, LONG, 1));
    }

    assertThat(openDescriptors()).isLessThan(before + 10);
  }

  private static long openDescriptors() throws Exception {
    try (var entries = Files.list(Path.of("/proc/self/fd"))) {
      return entries.count();
    }
  }

  private static boolean endsWithin(ProcessId process) throws Exception {
    try (Pidfd pidfd = Pidfd.open(process).orElse(null)) {
      return pidfd == null || pidfd.await(Duration.ofSeconds(10));
    }
  }

  private static Output sh(String script, byte[] stdin, Duration timeout) throws Exception {
    return Commands.run(List.of("sh", "-c", script), Map.of(), stdin, timeout, 10_000);
  }
}
