package io.keelson.sandbox.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keelson.linux.IdMapping;
import io.keelson.linux.NamespaceType;
import io.keelson.linux.Namespaces;
import io.keelson.linux.PidNamespaces;
import io.keelson.linux.ProcessId;
import io.keelson.linux.Signals;
import io.keelson.linux.Spawned;
import io.keelson.linux.UserNamespaces;
import io.keelson.proto.cri.v1.IDMapping;
import io.keelson.proto.cri.v1.NamespaceMode;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import io.keelson.sandbox.port.LaunchRequest;
import io.keelson.sandbox.port.PodContext;
import io.keelson.sandbox.spec.SpecBuilder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The process that holds a pod's PID namespace. */
class CatatonitHolderTest {

  private static final Path CATATONIT = Path.of("/usr/bin/catatonit");

  @TempDir Path folder;
  private final String id = LaunchLab.id();
  private LaunchLab lab;
  private Path state;
  private Map<NamespaceType, Path> pins;

  @BeforeEach
  void open() throws IOException {
    lab = new LaunchLab(folder);
    state = Files.createDirectories(folder.resolve("sandboxes").resolve(id));
    pins =
        Map.of(
            NamespaceType.IPC, state.resolve("ns/ipc"), NamespaceType.UTS, state.resolve("ns/uts"));
    Namespaces.create(pins, "holder-test", Map.of());
  }

  @AfterEach
  void close() throws IOException {
    holder("crun", CATATONIT).stop(id, state);
    unpin();
    lab.close();
  }

  private CatatonitHolder holder(String runtime, Path program) {
    return new CatatonitHolder(
        program, lab.handler(runtime), lab.cgroups, lab.watcher, Duration.ofSeconds(10));
  }

  private void unpin() throws IOException {
    for (Path pin : pins.values()) {
      Namespaces.unpin(pin);
    }
  }

  private PodContext pod() {
    return pod(PodSandboxConfig.getDefaultInstance());
  }

  private PodContext pod(PodSandboxConfig config) {
    return new PodContext(id, config, lab.handler("crun"), state, pins, List.of());
  }

  private String cgroup() {
    return lab.group + "/" + id;
  }

  @Test
  void itIsInThePodsNamespacesWithoutAnyPowerAndGoesWithoutATrace() throws IOException {
    assertGoodHolder("crun", pod());
  }

  /** A user namespace can't be entered by the daemon itself. */
  @ParameterizedTest
  @ValueSource(strings = {"crun", "runc"})
  void withAUserNamespaceTheRuntimeStartsIt(String runtime) throws IOException {
    IdMapping ids = new IdMapping(0, 1_000_000, 65_536);
    unpin();
    Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
    pins = new EnumMap<>(pins);
    pins.put(NamespaceType.USER, state.resolve("ns/user"));
    UserNamespaces.create(ids, ids, pins, "holder-test", Map.of());
    PodSandboxConfig.Builder config = PodSandboxConfig.newBuilder();
    config
        .getLinuxBuilder()
        .getSecurityContextBuilder()
        .getNamespaceOptionsBuilder()
        .getUsernsOptionsBuilder()
        .setMode(NamespaceMode.POD)
        .addUids(IDMapping.newBuilder().setHostId(1_000_000).setLength(65_536))
        .addGids(IDMapping.newBuilder().setHostId(1_000_000).setLength(65_536));
    assertGoodHolder(runtime, pod(config.build()));
  }

  private void assertGoodHolder(String runtime, PodContext pod) throws IOException {
    CatatonitHolder holder = holder(runtime, CATATONIT);

    ProcessId process = holder.start(pod, cgroup());

    Path proc = Path.of("/proc/" + process.pid());
    for (NamespaceType type : pins.keySet()) {
      assertThat(Files.readSymbolicLink(proc.resolve("ns").resolve(type.procName())).toString())
          .contains("[" + Files.getAttribute(pins.get(type), "unix:ino") + "]");
    }
    assertThat(Files.readString(proc.resolve("status")))
        .containsPattern("NSpid:\\s+\\d+\\s+1\n")
        .contains("CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1");
    assertThat(lab.cgroups.processes(cgroup())).containsExactly(process.pid());
    assertThat(holder.start(pod, cgroup())).isEqualTo(process);
    assertThat(holder(runtime, CATATONIT).start(pod, cgroup())).isEqualTo(process);

    holder.stop(id, state);
    holder.stop(id, state);

    assertThat(process.isAlive()).isFalse();
    assertThat(lab.cgroups.exists(cgroup())).isFalse();
    assertThat(state.resolve("holder")).doesNotExist();
  }

  @Test
  void aContainerCanJoinItsNamespaceAndDiesWithIt() throws Exception {
    CatatonitHolder holder = holder("crun", CATATONIT);
    ProcessId process = holder.start(pod(), cgroup());
    SpecBuilder spec = lab.spec("/bin/sleep", "100");
    spec.joinNamespace(NamespaceType.PID, Path.of("/proc/" + process.pid() + "/ns/pid"));
    LaunchRequest request = lab.request("crun", false, spec);
    lab.launcher().create(request);
    lab.launcher().start(request.containerId(), request.handler());

    holder.stop(id, state);

    assertThat(lab.exitCode(request)).isEqualTo(137);
  }

  /** Who shares its PID namespace finds it in /proc, and must not find the host behind it. */
  @Test
  void itSeesNothingOfTheHost() throws IOException {
    ProcessId process = holder("crun", CATATONIT).start(pod(), cgroup());

    Path proc = Path.of("/proc/" + process.pid());
    Path root = proc.resolve("root/.");
    try (Stream<Path> files = Files.walk(root)) {
      assertThat(files.map(file -> root.relativize(file).toString()))
          .containsExactlyInAnyOrder("", "catatonit", "old");
    }
    assertThat(Files.readAllLines(proc.resolve("mountinfo")))
        .hasSize(2)
        .allMatch(CatatonitHolderTest::isReadOnly);
    assertThat(proc.resolve("environ")).isEmptyFile();
    try (Stream<Path> files = Files.list(proc.resolve("fd"))) {
      assertThat(files.map(CatatonitHolderTest::target))
          .containsOnly("/dev/null", "anon_inode:[signalfd]");
    }
  }

  private static String target(Path link) {
    try {
      return Files.readSymbolicLink(link).toString();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static boolean isReadOnly(String mount) {
    return List.of(mount.split(" ", -1)[5].split(",", -1)).contains("ro");
  }

  /** A daemon that was killed after the start, before it noted the process or moved it. */
  @Test
  void oneThatWasNotNotedIsEndedToo() throws IOException {
    Path holderFolder = Files.createDirectories(state.resolve("holder/rootfs"));
    try (Spawned stray =
        PidNamespaces.startFirst(
            holderFolder, CATATONIT, List.of("-P", "holder-" + id), Map.of())) {
      ProcessId next = holder("crun", CATATONIT).start(pod(), cgroup());

      assertThat(stray.await(LaunchLab.PATIENCE)).hasValue(128 + Signals.SIGKILL);
      assertThat(next.isAlive()).isTrue();
    }
  }

  @Test
  void aHolderThatCannotRunIsToldAndLeavesNothing() throws IOException {
    Path noProgram = Files.createFile(folder.resolve("no-program"));

    assertThatThrownBy(() -> holder("crun", noProgram).start(pod(), cgroup()))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("posix_spawn(/no-program");

    assertThat(lab.cgroups.exists(cgroup())).isFalse();
    assertThat(state.resolve("holder")).doesNotExist();
  }
}
