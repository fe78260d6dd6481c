package io.keelson.sandbox.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keelson.sandbox.error.DeadlineExceededException;
import io.keelson.sandbox.error.OperationFailedException;
import io.keelson.sandbox.port.LaunchRequest;
import io.keelson.sandbox.port.Launcher.ExecResult;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Commands in a running container. */
class ExecTest {

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

  private LaunchRequest running(String runtime) throws IOException {
    LaunchRequest request = lab.request(runtime, "/bin/sleep", "1000");
    lab.launcher().create(request);
    lab.launcher().start(request.containerId(), request.handler());
    return request;
  }

  private ExecResult exec(LaunchRequest container, Duration timeout, String... command)
      throws IOException {
    return lab.launcher()
        .exec(container.containerId(), container.handler(), lab.process(command), timeout);
  }

  private static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }

  private static String numbered(String name) {
    return name + "." + System.nanoTime() % 1_000_000_000;
  }

  @ParameterizedTest
  @ValueSource(strings = {"crun", "runc"})
  void streamsAreApartAndTheExitCodeIsTheCommands(String runtime) throws IOException {
    LaunchRequest container = running(runtime);

    ExecResult result =
        exec(container, Duration.ZERO, "sh", "-c", "cat; echo out; echo err >&2; exit 42");

    assertThat(text(result.stdout())).isEqualTo("out\n");
    assertThat(text(result.stderr())).isEqualTo("err\n");
    assertThat(result.exitCode()).isEqualTo(42);
    ExecResult killed = exec(container, Duration.ZERO, "sh", "-c", "kill -9 $$");
    assertThat(killed.exitCode()).isEqualTo(137);
    try (var files = Files.list(container.bundle())) {
      assertThat(files.map(path -> path.getFileName().toString()))
          .noneMatch(name -> name.startsWith("exec"));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"crun", "runc"})
  void aCommandThatIsNotThereIsAnErrorThatNamesIt(String runtime) throws IOException {
    LaunchRequest container = running(runtime);

    assertThatThrownBy(() -> exec(container, Duration.ZERO, "no-such-command"))
        .isInstanceOf(OperationFailedException.class)
        .hasMessageContaining("no-such-command")
        .hasMessageContaining("not found");
  }

  @ParameterizedTest
  @ValueSource(ints = {126, 127, 1, 255})
  void anExitCodeThatRuntimesUseTooIsNoErrorIfTheCommandGaveIt(int code) throws IOException {
    LaunchRequest container = running("crun");

    ExecResult result =
        exec(
            container, Duration.ZERO, "sh", "-c", "echo '{\"level\":\"error\"}' >&2; exit " + code);

    assertThat(result.exitCode()).isEqualTo(code);
  }

  @ParameterizedTest
  @ValueSource(strings = {"crun", "runc"})
  void afterItsTimeEverythingThatTheCommandStartedIsDead(String runtime) throws Exception {
    LaunchRequest container = running(runtime);
    String plain = numbered("101");
    String session = numbered("102");
    String orphan = numbered("103");
    String script =
        "sleep %s & setsid sleep %s & (setsid sh -c 'env -i sleep %s </dev/null >/dev/null 2>&1 &') ; wait"
            .formatted(plain, session, orphan);

    long began = System.nanoTime();
    assertThatThrownBy(() -> exec(container, Duration.ofMillis(700), "sh", "-c", script))
        .isInstanceOf(DeadlineExceededException.class)
        .hasMessageContaining("700 ms");

    assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(30));
    for (String name : List.of(plain, session, orphan)) {
      assertThat(LaunchLab.processesNaming("sleep " + name)).isEmpty();
    }
    // The container itself goes on.
    assertThat(exec(container, Duration.ofSeconds(60), "true").exitCode()).isZero();
  }

  /** A command's parent is outside of the container: killed first, it leaves a zombie within. */
  @ParameterizedTest
  @ValueSource(strings = {"crun", "runc"})
  void aCommandThatTookTooLongLeavesNoZombie(String runtime) throws Exception {
    LaunchRequest container = running(runtime);

    assertThatThrownBy(() -> exec(container, Duration.ofMillis(500), "sleep", numbered("105")))
        .isInstanceOf(DeadlineExceededException.class);

    ExecResult states =
        exec(container, Duration.ofSeconds(60), "sh", "-c", "cat /proc/[0-9]*/stat");
    assertThat(text(states.stdout())).contains("(sleep) S").doesNotContain(") Z");
  }

  @ParameterizedTest
  @ValueSource(strings = {"crun", "runc"})
  void aCommandEndsWhenWhoWaitsForItIsInterrupted(String runtime) throws Exception {
    LaunchRequest container = running(runtime);
    String name = numbered("106");
    FutureTask<ExecResult> call =
        new FutureTask<>(() -> exec(container, Duration.ZERO, "sh", "-c", "sleep " + name));
    Thread caller = Thread.ofVirtual().start(call);
    while (LaunchLab.processesNaming("sleep " + name).isEmpty()) {
      assertThat(call.isDone()).isFalse();
      Thread.sleep(10);
    }

    caller.interrupt();

    assertThatThrownBy(() -> call.get(30, TimeUnit.SECONDS))
        .hasCauseInstanceOf(InterruptedIOException.class);
    assertThat(LaunchLab.processesNaming("sleep " + name)).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"crun", "runc"})
  void aChildThatHoldsThePipesDoesNotHoldUpTheAnswer(String runtime) throws Exception {
    LaunchRequest container = running(runtime);
    String left = numbered("104");

    long began = System.nanoTime();
    ExecResult result =
        exec(container, Duration.ofSeconds(60), "sh", "-c", "sleep " + left + " & echo done");

    assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(30));
    assertThat(text(result.stdout())).isEqualTo("done\n");
    assertThat(result.exitCode()).isZero();
    // It was started to stay: only the container's end is its end.
    assertThat(LaunchLab.processesNaming("sleep " + left)).hasSize(1);
    lab.launcher().delete(container);
    assertThat(LaunchLab.processesNaming("sleep " + left)).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"crun", "runc"})
  void ofAFloodTheFirst16MegabytesAreKeptAndTheRestIsDrained(String runtime) throws IOException {
    LaunchRequest container = running(runtime);

    ExecResult result =
        exec(container, Duration.ofSeconds(60), "dd", "if=/dev/zero", "bs=1M", "count=40");

    assertThat(result.exitCode()).isZero();
    assertThat(result.stdout()).hasSize(16 << 20);
    assertThat(text(result.stderr())).contains("40+0 records out");
  }

  @ParameterizedTest
  @ValueSource(strings = {"crun", "runc"})
  void manyCommandsRunSideBySide(String runtime) throws Exception {
    LaunchRequest container = running(runtime);
    try (ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<ExecResult>> results = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
        String number = Integer.toString(i);
        Callable<ExecResult> call = () -> exec(container, Duration.ofSeconds(30), "echo", number);
        results.add(executor.submit(call));
      }
      for (int i = 0; i < results.size(); i++) {
        assertThat(text(results.get(i).get().stdout())).isEqualTo(i + "\n");
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"crun", "runc"})
  void theLimitsOfTheContainerHoldForTheCommand(String runtime) throws IOException {
    LaunchRequest container = running(runtime);

    ExecResult result = exec(container, Duration.ZERO, "cat", "/proc/self/cgroup");

    String group = lab.group + "/" + container.containerId();
    assertThat(text(result.stdout()).lines().filter(line -> line.contains(":memory:")))
        .allSatisfy(line -> assertThat(line).endsWith(":memory:" + group));
  }
}
