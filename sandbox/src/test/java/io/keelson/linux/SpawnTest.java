package io.keelson.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SpawnTest {

  private static final Map<String, String> NO_ENV = Map.of();

  @TempDir Path folder;

  @Test
  void theChildHasTheGivenEnvironmentFolderAndArguments() throws Exception {
    Path out = folder.resolve("out");
    List<String> command = List.of("/bin/sh", "-c", "env; pwd; echo \"$0|$1\"", "a b", "ü");

    int code = run(command, Map.of("GREETING", "good day"), folder, toFile(out));

    assertThat(code).isZero();
    assertThat(Files.readAllLines(out))
        .contains("GREETING=good day", folder.toRealPath().toString(), "a b|ü")
        .noneMatch(line -> line.startsWith("HOME="));
  }

  @Test
  void theExitCodeAndTheSignalComeBack() throws Exception {
    assertThat(run(List.of("sh", "-c", "exit 7"), NO_ENV, null, SpawnFiles.none())).isEqualTo(7);
    assertThat(run(List.of("sh", "-c", "kill -TERM $$"), NO_ENV, null, SpawnFiles.none()))
        .isEqualTo(128 + Signals.SIGTERM);
  }

  /** Red if a look at a child makes its end invisible to whoever wants to watch it afterwards. */
  @Test
  void aChildThatHasEndedCanStillBeWatched() throws Exception {
    try (Spawned child = Spawn.start(List.of("true"), NO_ENV, null, SpawnFiles.none(), false)) {
      while (!child.hasEnded()) {
        Thread.sleep(1);
      }
      assertThat(child.processId().pid()).isEqualTo(child.pid());
      assertThat(child.await()).isZero();
      assertThat(child.hasEnded()).isTrue();
    }
  }

  @Test
  void whatKeepsTheProgramFromRunningIsNamed() {
    assertThatThrownBy(() -> run(List.of("/no/such/program", "x"), NO_ENV, null, SpawnFiles.none()))
        .isInstanceOfSatisfying(
            ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ENOENT))
        .hasMessageContaining("/no/such/program");
    assertThatThrownBy(() -> run(List.of("no-such-program"), NO_ENV, null, SpawnFiles.none()))
        .hasMessageContaining("no-such-program")
        .hasMessageContaining("ENOENT");
    assertThatThrownBy(() -> run(List.of("/etc/passwd"), NO_ENV, null, SpawnFiles.none()))
        .hasMessageContaining("EACCES");
    assertThatThrownBy(
            () -> run(List.of("true"), NO_ENV, folder.resolve("gone"), SpawnFiles.none()))
        .hasMessageContaining("ENOENT");
  }

  @Test
  void theChildHasNoDescriptorsButItsOwn() throws Exception {
    Path out = folder.resolve("out");
    try (Fd inheritable = Fd.open(folder, Fd.O_PATH, 0)) {
      int copy = LibC.fcntl(inheritable.number(), 0 /* F_DUPFD, not close-on-exec */, 50);
      try (Fd leaking = Fd.adopt(copy)) {
        assertThat(leaking.number()).isGreaterThanOrEqualTo(50);

        // Not the last command: for that some shells start no process, and ls has one open.
        run(List.of("sh", "-c", "ls /proc/$$/fd; :"), NO_ENV, null, toFile(out));
      }
    }

    // A shell may keep what it reads commands from, not so with -c.
    assertThat(Files.readAllLines(out)).containsExactly("0", "1", "2");
  }

  @Test
  void descriptorsThatSwapTheirNumbersBothArrive() throws Exception {
    Path out = folder.resolve("out");
    Path first = Files.writeString(folder.resolve("first"), "first");
    Path second = Files.writeString(folder.resolve("second"), "second");
    try (Fd a = Fd.open(first, Fd.O_RDONLY, 0);
        Fd b = Fd.open(second, Fd.O_RDONLY, 0)) {
      String script = "cat <&%d; cat <&%d".formatted(b.number(), a.number());

      SpawnFiles files = toFile(out).fd(b.number(), a).fd(a.number(), b);
      run(List.of("bash", "-c", script), NO_ENV, null, files);
    }

    assertThat(out).hasContent("firstsecond");
  }

  @Test
  void aDescriptorThatKeepsItsNumberStaysOpen() throws Exception {
    Path out = folder.resolve("out");
    Path content = Files.writeString(folder.resolve("content"), "content");
    try (Fd fd = Fd.open(content, Fd.O_RDONLY, 0)) {
      String script = "cat <&" + fd.number();

      run(List.of("bash", "-c", script), NO_ENV, null, toFile(out).fd(fd.number(), fd));
    }

    assertThat(out).hasContent("content");
  }

  @Test
  void noSignalIsBlockedOrIgnoredInTheChild() throws Exception {
    Path out = folder.resolve("out");

    run(List.of("grep", "^Sig[BI]", "/proc/self/status"), NO_ENV, null, toFile(out));

    assertThat(Files.readString(out))
        .containsPattern("SigBlk:\\s+0{16}\n")
        .containsPattern("SigIgn:\\s+0{16}\n");
  }

  @Test
  void aNewSessionIsKilledWithAllThatIsInIt() throws Exception {
    Path out = folder.resolve("out");
    SpawnFiles files = toFile(out);
    List<String> command = List.of("sh", "-c", "sleep 1000 & echo $!; wait");
    try (Spawned child = Spawn.start(command, NO_ENV, null, files, true)) {
      ProcessId grandchild = awaitPid(out);

      child.kill(Signals.SIGKILL);

      assertThat(child.await()).isEqualTo(128 + Signals.SIGKILL);
      awaitEnd(grandchild);
    }
  }

  @Test
  void closeEndsAChildThatStillRuns() throws Exception {
    ProcessId id;
    try (Spawned child =
        Spawn.start(List.of("sleep", "1000"), NO_ENV, null, SpawnFiles.none(), false)) {
      id = child.processId();
      assertThat(child.await(Duration.ofMillis(5))).isEmpty();
    }

    assertThat(ProcessId.of(id.pid())).isNotEqualTo(Optional.of(id));
  }

  @Test
  void manyVirtualThreadsStartAtOnceAndGetTheirOwnChildren() throws Exception {
    List<Callable<Integer>> starts = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      List<String> command = List.of("sh", "-c", "exit " + i);
      starts.add(() -> run(command, NO_ENV, null, SpawnFiles.none()));
    }
    try (ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<Integer>> codes = executor.invokeAll(starts);

      for (int i = 0; i < codes.size(); i++) {
        assertThat(codes.get(i).get()).isEqualTo(i);
      }
    }
  }

  @Test
  void aChildCanBeAwaitedThroughTheWatcher() throws Exception {
    try (ProcessWatcher watcher = new ProcessWatcher();
        Spawned child =
            Spawn.start(List.of("sh", "-c", "exit 5"), NO_ENV, null, SpawnFiles.none(), false)) {
      assertThat(child.await(watcher, Duration.ofSeconds(10))).hasValue(5);
      assertThat(child.await()).isEqualTo(5);
    }
  }

  private static int run(
      List<String> command, Map<String, String> env, @Nullable Path cwd, SpawnFiles files)
      throws IOException {
    try (Spawned child = Spawn.start(command, env, cwd, files, false)) {
      return child.await();
    }
  }

  private static SpawnFiles toFile(Path out) {
    return SpawnFiles.none().path(1, out, Fd.O_WRONLY | Fd.O_CREAT | Fd.O_TRUNC, 0644);
  }

  private static ProcessId awaitPid(Path out) throws Exception {
    for (int i = 0; i < 1000; i++) {
      String text = new String(Files.readAllBytes(out), StandardCharsets.UTF_8);
      if (text.endsWith("\n")) {
        return ProcessId.of(Integer.parseInt(text.strip())).orElseThrow();
      }
      Thread.sleep(10);
    }
    throw new AssertionError("no pid in " + out);
  }

  private static void awaitEnd(ProcessId process) throws IOException {
    try (Pidfd pidfd = Pidfd.open(process).orElse(null)) {
      if (pidfd != null) {
        assertThat(pidfd.await(Duration.ofSeconds(10))).isTrue();
      }
    }
  }
}
