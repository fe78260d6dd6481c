package io.keelson.sandbox.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keelson.linux.Pidfd;
import io.keelson.linux.Signals;
import io.keelson.linux.cgroup.CgroupLayout;
import io.keelson.sandbox.error.FailedPreconditionException;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.error.OperationFailedException;
import io.keelson.sandbox.port.LaunchRequest;
import io.keelson.sandbox.port.Launcher.Launched;
import io.keelson.sandbox.port.RuntimeHandler;
import io.keelson.sandbox.spec.SpecBuilder;
import io.keelson.sandbox.spec.SpecHook;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The life of containers under real runtimes and a real conmon. */
class ConmonLauncherTest {

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

  @ParameterizedTest
  @ValueSource(strings = {"crun", "runc"})
  void theWorkloadRunsOnlyAfterStartAndItsExitCodeAndLogAreKept(String runtime) throws Exception {
    LaunchRequest request =
        lab.request(runtime, "/bin/sh", "-c", "echo out; echo err >&2; printf part; exit 7");

    Launched launched = lab.launcher().create(request);

    assertThat(launched.init().isAlive()).isTrue();
    assertThat(launched.monitor().isAlive()).isTrue();
    assertThat(lab.launcher().isStarted(request.containerId(), request.handler())).isFalse();
    assertThat(lab.log(request)).isEmpty();

    lab.launcher().start(request.containerId(), request.handler());

    assertThat(lab.exitCode(request)).isEqualTo(7);
    assertThat(lab.launcher().isStarted(request.containerId(), request.handler())).isTrue();
    String time = "\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{9}[+-]\\d\\d:\\d\\d";
    assertThat(lab.log(request).lines().sorted(Comparator.comparing(this::withoutTime)))
        .satisfiesExactly(
            line -> assertThat(line).matches(time + " stderr F err"),
            line -> assertThat(line).matches(time + " stdout F out"),
            line -> assertThat(line).matches(time + " stdout P part"));
    assertThat(mode(request.logFile().orElseThrow())).isEqualTo("rw-r-----");

    lab.launcher().delete(request);
    lab.launcher().delete(request);

    lab.assertGone(request);
    LaunchLab.until(() -> !launched.monitor().isAlive());
    // Nobody waits for a dead child of ours but we: a zombie would stay.
    LaunchLab.until(() -> !Files.exists(Path.of("/proc/" + launched.monitor().pid())));
  }

  @ParameterizedTest
  @ValueSource(strings = {"crun", "runc"})
  void hooksAfterTheStartAndAfterTheEndAreRun(String runtime) throws Exception {
    Path started = folder.resolve("started");
    Path stopped = folder.resolve("stopped");
    SpecBuilder spec = lab.spec("/bin/sleep", "100");
    spec.hook(SpecHook.Stage.POSTSTART, touch(started));
    spec.hook(SpecHook.Stage.POSTSTOP, touch(stopped));
    LaunchRequest request = lab.request(runtime, true, spec);

    lab.launcher().create(request);
    lab.launcher().start(request.containerId(), request.handler());

    assertThat(started).exists();
    assertThat(stopped).doesNotExist();

    lab.launcher().delete(request);

    assertThat(stopped).exists();
    lab.assertGone(request);
  }

  private static SpecHook touch(Path file) {
    return new SpecHook("/usr/bin/touch", List.of("touch", file.toString()), List.of(), 10);
  }

  private String withoutTime(String line) {
    return line.substring(line.indexOf(' '));
  }

  private static String mode(Path file) throws IOException {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(file));
  }

  @ParameterizedTest
  @ValueSource(strings = {"crun", "runc"})
  void aCommandThatIsNotThereFailsWithTheRuntimesWordsAndLeavesNothing(String runtime)
      throws IOException {
    LaunchRequest request = lab.request(runtime, "/no/such/command");

    assertThatThrownBy(
            () -> {
              lab.launcher().create(request);
              lab.launcher().start(request.containerId(), request.handler());
            })
        .isInstanceOf(OperationFailedException.class)
        .hasMessageContaining("/no/such/command")
        .hasMessageContaining("o such file or directory")
        .message()
        .doesNotContain("level=", "\n");

    lab.launcher().delete(request);
    lab.assertGone(request);
  }

  @ParameterizedTest
  @ValueSource(strings = {"crun", "runc"})
  void aSpecThatTheRuntimeRefusesLeavesNothing(String runtime) throws IOException {
    SpecBuilder spec = lab.spec("/bin/true");
    spec.root(folder.resolve("nowhere"), true);
    LaunchRequest request = lab.request(runtime, true, spec);

    assertThatThrownBy(() -> lab.launcher().create(request))
        .isInstanceOf(OperationFailedException.class)
        .hasMessageContaining(request.containerId())
        .hasMessageContaining("nowhere");

    lab.assertGone(request);
    assertThat(request.exitFile()).doesNotExist();
  }

  @Test
  void whatIsMissingForCheckpointsIsTold() throws IOException {
    assertThat(lab.launcher().missingForCheckpoints(lab.handler("runc")))
        .contains("CRIU is not installed (package criu)");
    RuntimeHandler other = new RuntimeHandler("other", Path.of("/bin/true"), folder, false);
    assertThat(lab.launcher().missingForCheckpoints(other))
        .contains("/bin/true (runtime handler other) is not built with CRIU");
  }

  @Test
  void whatConmonItselfRefusesIsTold() throws IOException {
    LaunchRequest good = lab.request("crun", "/bin/true");
    Path blocked = Files.createDirectories(folder.resolve("logs/blocked"));
    LaunchRequest request =
        new LaunchRequest(
            good.containerId(),
            lab.handler("no-such-runtime"),
            good.bundle(),
            good.exitFile(),
            Optional.of(blocked.resolve("log")),
            false,
            false,
            false,
            false,
            Optional.empty());

    assertThatThrownBy(() -> lab.launcher().create(request))
        .isInstanceOf(OperationFailedException.class)
        .hasMessageContaining("/usr/bin/no-such-runtime is not valid");
  }

  @Test
  void aLogPathThatConmonWouldCutIsRefused() throws IOException {
    LaunchRequest good = lab.request("crun", "/bin/true");
    LaunchRequest request =
        new LaunchRequest(
            good.containerId(),
            good.handler(),
            good.bundle(),
            good.exitFile(),
            Optional.of(folder.resolve("a:b")),
            false,
            false,
            false,
            false,
            Optional.empty());

    assertThatThrownBy(() -> lab.launcher().create(request))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("colon");
    lab.assertGone(request);
  }

  @Test
  void aContainerWithoutALogHasNone() throws Exception {
    LaunchRequest request =
        lab.request("crun", false, lab.spec("/bin/sh", "-c", "echo unheard; exit 3"));
    lab.launcher().create(request);
    lab.launcher().start(request.containerId(), request.handler());

    assertThat(lab.exitCode(request)).isEqualTo(3);
    assertThat(folder.resolve("logs")).doesNotExist();
  }

  @Test
  void conmonSharesNeitherSessionNorDescriptorsWithUs() throws Exception {
    LaunchRequest request = lab.request("crun", "/bin/sleep", "100");
    Launched launched = lab.launcher().create(request);

    assertThat(session(launched.monitor().pid())).isEqualTo(launched.monitor().pid());
    lab.launcher().start(request.containerId(), request.handler());
    LaunchLab.until(
        () ->
            Files.readString(Path.of("/proc/" + launched.init().pid() + "/cmdline"))
                .startsWith("/bin/sleep"));
    try (var descriptors = Files.list(Path.of("/proc/" + launched.init().pid() + "/fd"))) {
      assertThat(descriptors.map(path -> path.getFileName().toString()))
          .containsExactlyInAnyOrder("0", "1", "2");
    }
  }

  private static int session(int pid) throws IOException {
    String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
    return Integer.parseInt(stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1)[3]);
  }

  @ParameterizedTest
  @ValueSource(strings = {"crun", "runc"})
  void aLaunchThatTheLastDaemonNeverSawEndIsFound(String runtime) throws Exception {
    LaunchRequest request = lab.request(runtime, false, lab.spec("/bin/sleep", "100"));
    assertThat(lab.launcher().find(request)).isEmpty();
    // The daemon is killed as soon as it has started conmon: no note, nobody reads the answer.
    try (Conmon.Starting starting =
        new Conmon(
                new LauncherSettings(
                    Path.of("/usr/bin/conmon"), folder, Optional::empty, LaunchLab.PATIENCE))
            .start(request, request.handler().binary())) {
      lab.watcher.watch(starting.process().processId(), starting.process()::close);
    }

    Optional<Launched> found = lab.restarted().find(request);

    assertThat(found).isPresent();
    assertThat(found.get().init().isAlive()).isTrue();
    assertThat(lab.launcher().isStarted(request.containerId(), request.handler())).isFalse();
    lab.launcher().start(request.containerId(), request.handler());
    Pidfd.open(found.get().init()).orElseThrow().signal(Signals.SIGKILL);
    assertThat(lab.exitCode(request)).isEqualTo(137);
  }

  @Test
  void aLaunchThatFailedUnseenIsNotFound() throws Exception {
    LaunchRequest request = lab.request("runc", false, lab.spec("/no/such/command"));
    try (Conmon.Starting starting =
        new Conmon(
                new LauncherSettings(
                    Path.of("/usr/bin/conmon"), folder, Optional::empty, LaunchLab.PATIENCE))
            .start(request, request.handler().binary())) {
      lab.watcher.watch(starting.process().processId(), starting.process()::close);
    }

    assertThat(lab.restarted().find(request)).isEmpty();
    assertThat(lab.launcher().isStarted(request.containerId(), request.handler())).isFalse();
    lab.launcher().delete(request);
    lab.assertGone(request);
  }

  @ParameterizedTest
  @ValueSource(strings = {"crun", "runc"})
  void aContainerKilledBeforeItsStartWasNeverStarted(String runtime) throws Exception {
    LaunchRequest request = lab.request(runtime, "/bin/true");
    Launched launched = lab.launcher().create(request);
    Pidfd.open(launched.init()).orElseThrow().signal(Signals.SIGKILL);
    LaunchLab.until(() -> !launched.init().isAlive());

    assertThat(lab.launcher().isStarted(request.containerId(), request.handler())).isFalse();
  }

  @Test
  void deleteEndsARunningContainerWithAllItsProcesses() throws Exception {
    LaunchRequest request =
        lab.request("crun", "/bin/sh", "-c", "setsid sleep 100 & setsid sleep 100 & sleep 100");
    Launched launched = lab.launcher().create(request);
    lab.launcher().start(request.containerId(), request.handler());

    lab.launcher().delete(request);

    lab.assertGone(request);
    assertThat(launched.init().isAlive()).isFalse();
    assertThat(launched.monitor().isAlive()).isFalse();
  }

  @ParameterizedTest
  @ValueSource(strings = {"crun", "runc"})
  void deleteTakesAlsoWhatTheRuntimeNoLongerUnderstands(String runtime) throws Exception {
    LaunchRequest request = lab.request(runtime, "/bin/sleep", "100");
    lab.launcher().create(request);
    Path state = request.handler().root().resolve(request.containerId());
    Files.writeString(
        state.resolve(runtime.equals("crun") ? "status" : "state.json"), "{ this is no JSON");

    lab.launcher().delete(request);

    lab.assertGone(request);
  }

  @Test
  void aRuntimeThatHangsIsGivenUpAndLeavesNothing() throws Exception {
    Path hanging = folder.resolve("hanging");
    Files.writeString(hanging, "#!/bin/sh\nexec sleep 1000\n");
    Files.setPosixFilePermissions(hanging, PosixFilePermissions.fromString("rwxr-xr-x"));
    LaunchRequest request =
        lab.request(
            new RuntimeHandler("hanging", hanging, folder.resolve("hanging-root"), false),
            true,
            lab.spec("/bin/true"));

    try (ConmonLauncher impatient = lab.newLauncher(Duration.ofMillis(300))) {
      long began = System.nanoTime();
      assertThatThrownBy(() -> impatient.create(request))
          .isInstanceOf(OperationFailedException.class)
          .hasMessageContaining("no answer within 300 ms");
      assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(60));
    }

    LaunchLab.until(() -> LaunchLab.processesNaming(request.containerId()).isEmpty());
    lab.assertGone(request);
  }

  @Test
  void aRotatedLogGoesOnInANewFileAndAskingAgainLosesNothing() throws Exception {
    LaunchRequest request =
        lab.request(
            "crun", "/bin/sh", "-c", "i=0; while :; do echo $i; i=$((i+1)); sleep 0.01; done");
    lab.launcher().create(request);
    lab.launcher().start(request.containerId(), request.handler());
    Path log = request.logFile().orElseThrow();
    LaunchLab.until(() -> Files.size(log) > 0);
    Path rotated = folder.resolve("rotated");
    Files.move(log, rotated);

    lab.launcher().reopenLog(request);
    assertThat(log).exists();
    LaunchLab.until(() -> Files.size(log) > 0);
    lab.launcher().reopenLog(request);
    lab.restarted().reopenLog(request);

    lab.launcher().delete(request);
    List<Integer> numbers =
        Stream.of(rotated, log)
            .flatMap(ConmonLauncherTest::lines)
            .map(line -> Integer.valueOf(line.substring(line.lastIndexOf(' ') + 1)))
            .toList();
    assertThat(numbers).hasSizeGreaterThan(1);
    for (int i = 0; i < numbers.size(); i++) {
      assertThat(numbers.get(i)).isEqualTo(i);
    }
    assertThat(mode(log)).isEqualTo("rw-r-----");
  }

  private static Stream<String> lines(Path file) {
    try {
      return Files.readAllLines(file).stream();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void theLogOfAnEndedContainerCannotBeReopened() throws Exception {
    LaunchRequest request = lab.request("crun", "/bin/true");
    Launched launched = lab.launcher().create(request);
    lab.launcher().start(request.containerId(), request.handler());
    LaunchLab.until(() -> !launched.monitor().isAlive());

    assertThatThrownBy(() -> lab.launcher().reopenLog(request))
        .isInstanceOf(FailedPreconditionException.class);
  }

  @ParameterizedTest
  @ValueSource(strings = {"crun", "runc"})
  void updateChangesTheLimitsOfARunningContainer(String runtime) throws Exception {
    LaunchRequest request = lab.request(runtime, "/bin/sleep", "100");
    lab.launcher().create(request);
    lab.launcher().start(request.containerId(), request.handler());

    lab.launcher()
        .update(
            request.containerId(),
            request.handler(),
            "{\"memory\":{\"limit\":67108864},\"cpu\":{\"shares\":512}}"
                .getBytes(StandardCharsets.UTF_8));

    String file = lab.cgroups.layout() == CgroupLayout.V2 ? "memory.max" : "memory.limit_in_bytes";
    Path memory =
        lab.cgroups.folder("memory", lab.group + "/" + request.containerId()).orElseThrow();
    assertThat(Files.readString(memory.resolve(file)).strip()).isEqualTo("67108864");
  }

  @Test
  void anUpdateThatTheKernelRefusesSaysWhy() throws Exception {
    LaunchRequest request = lab.request("crun", "/bin/sleep", "100");
    lab.launcher().create(request);

    assertThatThrownBy(
            () ->
                lab.launcher()
                    .update(
                        request.containerId(),
                        request.handler(),
                        "{\"cpu\":{\"cpus\":\"900-999\"}}".getBytes(StandardCharsets.UTF_8)))
        .isInstanceOf(OperationFailedException.class)
        .hasMessageContaining("cpus");
  }
}
