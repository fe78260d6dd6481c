package io.keelson.sandbox.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keelson.linux.NamespaceType;
import io.keelson.linux.Namespaces;
import io.keelson.linux.ProcessId;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import io.keelson.sandbox.error.OperationFailedException;
import io.keelson.sandbox.port.LaunchRequest;
import io.keelson.sandbox.port.PodContext;
import io.keelson.sandbox.spec.SpecBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
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
    for (Path pin : pins.values()) {
      Namespaces.unpin(pin);
    }
    lab.close();
  }

  private CatatonitHolder holder(String runtime, Path program) {
    return new CatatonitHolder(program, lab.handler(runtime), lab.cgroups, Duration.ofSeconds(10));
  }

  private PodContext pod() {
    return new PodContext(
        id, PodSandboxConfig.getDefaultInstance(), lab.handler("crun"), state, pins, List.of());
  }

  private String cgroup() {
    return lab.group + "/" + id;
  }

  @ParameterizedTest
  @ValueSource(strings = {"crun", "runc"})
  void itIsInThePodsNamespacesWithoutAnyPowerAndGoesWithoutATrace(String runtime)
      throws IOException {
    CatatonitHolder holder = holder(runtime, CATATONIT);

    ProcessId process = holder.start(pod(), cgroup());

    Path proc = Path.of("/proc/" + process.pid());
    for (NamespaceType type : pins.keySet()) {
      assertThat(Files.readSymbolicLink(proc.resolve("ns").resolve(type.procName())).toString())
          .contains("[" + Files.getAttribute(pins.get(type), "unix:ino") + "]");
    }
    assertThat(Files.readString(proc.resolve("status")))
        .containsPattern("NSpid:\\s+\\d+\\s+1\n")
        .contains("CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1");
    assertThat(lab.cgroups.processes(cgroup())).containsExactly(process.pid());
    assertThat(holder.start(pod(), cgroup())).isEqualTo(process);
    assertThat(holder(runtime, CATATONIT).start(pod(), cgroup())).isEqualTo(process);

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

  @Test
  void aHolderThatCannotRunIsToldAndLeavesNothing() throws IOException {
    Path noProgram = Files.createFile(folder.resolve("no-program"));

    assertThatThrownBy(() -> holder("crun", noProgram).start(pod(), cgroup()))
        .isInstanceOf(OperationFailedException.class)
        .hasMessageContaining("crun run holder-" + id);

    assertThat(lab.cgroups.exists(cgroup())).isFalse();
    assertThat(state.resolve("holder")).doesNotExist();
  }
}
