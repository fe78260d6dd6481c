package io.keelson.integration;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.grpc.Status;
import io.keelson.integration.harness.ContainerLog;
import io.keelson.integration.harness.Cri;
import io.keelson.integration.harness.Criu;
import io.keelson.integration.harness.DyingDaemon;
import io.keelson.integration.harness.Shell;
import io.keelson.integration.harness.TarFile;
import io.keelson.integration.harness.TestImage;
import io.keelson.integration.harness.TestNode;
import io.keelson.proto.cri.v1.CheckpointContainerRequest;
import io.keelson.proto.cri.v1.CheckpointPodRequest;
import io.keelson.proto.cri.v1.ContainerConfig;
import io.keelson.proto.cri.v1.ContainerState;
import io.keelson.proto.cri.v1.ImageSpec;
import io.keelson.proto.cri.v1.Mount;
import io.keelson.proto.cri.v1.NamespaceMode;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import io.keelson.proto.cri.v1.RestorePodRequest;
import io.keelson.proto.cri.v1.RestorePodResponse;
import io.keelson.proto.cri.v1.RestoredContainer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Checkpoints of containers and pods by runc and CRIU, and what is made of them again. Only where
 * CRIU is installed and works with the kernel; {@code KEELSON_CRIU} names another one.
 */
class CheckpointIT {

  /** Counts in its memory alone, so that only a true restore can go on. */
  private static final String COUNTER =
      "i=0; trap 'exit 7' TERM; rm /www/index.html; echo changed > /etc/motd; "
          + "while :; do i=$((i+1)); echo $i; sleep 0.1; done";

  private static final Optional<Path> CRIU = Criu.working();

  @RegisterExtension static final TestNode node = TestNode.create();

  private static final DyingDaemon dying = new DyingDaemon(node);
  private static final Path PROGRAM = node.base().resolve("tools/criu");

  static {
    node.set("criu", "\"" + PROGRAM + "\"");
  }

  @BeforeEach
  void criuWorks() throws IOException {
    assumeTrue(CRIU.isPresent(), "there is no CRIU that works with this kernel");
    writeProgram("");
  }

  /** What the daemon takes for CRIU: the real one, after something else. */
  private static void writeProgram(String first) throws IOException {
    Files.createDirectories(PROGRAM.getParent());
    Files.writeString(
        PROGRAM, "#!/bin/sh\n" + first + "\nexec " + CRIU.orElseThrow() + " \"$@\"\n");
    assertThat(PROGRAM.toFile().setExecutable(true)).isTrue();
  }

  @Test
  void aContainerGoesOnInAnotherPod() throws Exception {
    Cri cri = node.cri();
    PodSandboxConfig.Builder first = node.pod("first");
    String original = run(first, "counter");
    Path archive = node.folder("archives").resolve("counter.tar");
    checkpoint(original, archive);
    int counted = lastCount(first, "counter");
    assertThat(Shell.output("tar", "-tf", archive.toString()).lines())
        .contains(
            "config.dump",
            "spec.dump",
            "checkpoint/inventory.img",
            "rootfs-diff.tar",
            "deleted.files",
            "dump.log",
            "stats-dump");
    Waits.until(() -> lastCount(first, "counter") > counted, "the original goes on");

    PodSandboxConfig.Builder second = node.pod("second");
    String pod = cri.runPod(second.build(), "runc");
    String restored = cri.create(pod, from(archive.toString()).build(), second.build());
    assertThat(cri.status(restored).getState()).isEqualTo(ContainerState.CONTAINER_CREATED);
    assertThat(cri.status(restored).getImage().getImage()).isEqualTo(TestNode.IMAGE);
    cri.start(restored);

    Waits.until(() -> lastCount(second, "counter") > counted + 1, "the restored one goes on");
    List<String> lines =
        node.log(second, "counter").lines().stream().map(ContainerLog.Line::text).toList();
    assertThat(lines).as("nothing lost, nothing twice").doesNotHaveDuplicates().startsWith("1");
    assertThat(lines).hasSize(Integer.parseInt(lines.getLast()));
    assertThat(cri.output(restored, "cat", "/etc/motd")).isEqualTo("changed");
    assertThat(cri.exec(restored, "ls", "/www/index.html").getExitCode()).isNotZero();
    assertThat(cri.output(restored, "hostname")).isEqualTo("second");
    node.killAndStart();
    cri.stop(restored, 10);
    assertThat(cri.status(restored).getExitCode()).isEqualTo(7);
    assertThat(cri.status(original).getState()).isEqualTo(ContainerState.CONTAINER_RUNNING);
    Files.delete(archive);
  }

  @Test
  void anImageThatHoldsACheckpointIsRestored() throws Exception {
    Cri cri = node.cri();
    PodSandboxConfig.Builder first = node.pod("first");
    Path archive = node.folder("images").resolve("counter.tar");
    checkpoint(run(first, "counter"), archive);
    int counted = lastCount(first, "counter");
    String name = "test.invalid/checkpoint:1";
    Path image =
        new TestImage(List.of(Files.readAllBytes(archive)), "{}")
            .writeDockerArchive(archive.resolveSibling("image.tar"), name);
    cri.importImage(image, "");

    PodSandboxConfig.Builder second = node.pod("second");
    String pod = cri.runPod(second.build(), "runc");
    String restored = cri.create(pod, from(name).build(), second.build());
    assertThat(cri.status(restored).getImage().getImage()).isEqualTo(TestNode.IMAGE);
    cri.start(restored);
    Waits.until(() -> lastCount(second, "counter") > counted + 1, "it goes on");
    cri.removeImage(name);
    Files.delete(archive);
    Files.delete(image);
  }

  /**
   * As Podman and CRI-O have containers: with a root folder of another mode than ours, if no layer
   * has one, and with a file mounted that no request names.
   */
  @Test
  void whatOnlyOtherManagersGiveTheirContainersIsNoObstacle() throws Exception {
    Cri cri = node.cri();
    PodSandboxConfig.Builder first = node.pod("first");
    Path marker = Files.writeString(node.folder("theirs").resolve("containerenv"), "");
    Mount mount =
        Mount.newBuilder()
            .setHostPath(marker.toString())
            .setContainerPath("/run/.containerenv")
            .build();
    String podId = cri.runPod(first.build(), "runc");
    String original = cri.run(podId, counter("counter").addMounts(mount).build(), first.build());
    Waits.until(() -> lastCount(first, "counter") > 0, "it counts");
    cri.output(original, "chmod", "0511", "/");
    Path archive = marker.resolveSibling("counter.tar");
    checkpoint(original, archive);
    int counted = lastCount(first, "counter");

    PodSandboxConfig.Builder second = node.pod("second");
    String pod = cri.runPod(second.build(), "runc");
    String restored = cri.create(pod, from(archive.toString()).build(), second.build());
    cri.start(restored);
    Waits.until(() -> lastCount(second, "counter") > counted + 1, "it goes on");
    Files.delete(archive);
  }

  @Test
  void openConnectionsAreNoObstacle() throws Exception {
    PodSandboxConfig.Builder pod = node.pod("connected");
    String podId = node.cri().runPod(pod.build(), "runc");
    String script =
        "busybox nc -l -p 99 -e cat & until grep -qs ':0063 [0-9A-F:]* 0A' /proc/net/tcp*; do sleep"
            + " 0.1; done; sleep 9999 | busybox nc 127.0.0.1 99 & "
            + COUNTER;
    String id =
        node.cri().run(podId, node.container("counter", "sh", "-c", script).build(), pod.build());
    Waits.until(
        () -> node.cri().output(id, "cat", "/proc/net/tcp").contains(":0063 01"), "connected");
    Path archive = node.folder("connected").resolve("archive.tar");
    checkpoint(id, archive);
    assertThat(archive).exists();
    assertThat(node.cri().output(id, "cat", "/proc/net/tcp")).contains(":0063 01");
    Files.delete(archive);
  }

  @Test
  void aTerminalIsThereAgain() throws Exception {
    Cri cri = node.cri();
    PodSandboxConfig.Builder first = node.pod("first");
    String podId = cri.runPod(first.build(), "runc");
    String original = cri.run(podId, counter("counter").setTty(true).build(), first.build());
    Waits.until(() -> lastCount(first, "counter") > 0, "it counts");
    Path archive = node.folder("terminals").resolve("counter.tar");
    checkpoint(original, archive);
    int counted = lastCount(first, "counter");

    PodSandboxConfig.Builder second = node.pod("second");
    String pod = cri.runPod(second.build(), "runc");
    String restored =
        cri.create(pod, from(archive.toString()).setTty(true).build(), second.build());
    cri.start(restored);
    Waits.until(() -> lastCount(second, "counter") > counted + 1, "the restored one goes on");
    assertThat(cri.output(restored, "readlink", "/proc/1/fd/1")).startsWith("/dev/pts/");
    cri.stop(restored, 10);
    assertThat(cri.status(restored).getExitCode()).isEqualTo(7);
    Files.delete(archive);
  }

  @Test
  void aContainerOfASharedPidNamespace() throws Exception {
    Cri cri = node.cri();
    PodSandboxConfig.Builder first = node.pod("first");
    first
        .getLinuxBuilder()
        .getSecurityContextBuilder()
        .getNamespaceOptionsBuilder()
        .setPid(NamespaceMode.POD);
    String podId = cri.runPod(first.build(), "runc");
    ContainerConfig.Builder container = counter("counter");
    container
        .getLinuxBuilder()
        .getSecurityContextBuilder()
        .getNamespaceOptionsBuilder()
        .setPid(NamespaceMode.POD);
    String original = cri.run(podId, container.build(), first.build());
    Waits.until(() -> lastCount(first, "counter") > 0, "it counts");
    Path archive = node.folder("pids").resolve("counter.tar");
    checkpoint(original, archive);
    int counted = lastCount(first, "counter");
    PodSandboxConfig.Builder second = node.pod("second");
    second.setLinux(first.getLinux());
    String pod = cri.runPod(second.build(), "runc");
    ContainerConfig.Builder other = from(archive.toString()).setLinux(container.getLinux());
    String restored = cri.create(pod, other.build(), second.build());
    cri.start(restored);
    Waits.until(() -> lastCount(second, "counter") > counted + 1, "the restored one goes on");
    Files.delete(archive);
  }

  @Test
  void whatIsNoCheckpointIsRefusedAndNothingIsLeft() throws Exception {
    Cri cri = node.cri();
    PodSandboxConfig pod = node.pod("refused").build();
    String podId = cri.runPod(pod, "runc");
    Path file = node.folder("refused").resolve("archive.tar");
    ContainerConfig container = from(file.toString()).build();
    assertThat(Failures.code(() -> cri.create(podId, container, pod)))
        .isEqualTo(Status.Code.NOT_FOUND);
    Files.writeString(file, "no tar at all, and that for more than five hundred bytes".repeat(99));
    assertThat(Failures.code(() -> cri.create(podId, container, pod)))
        .isEqualTo(Status.Code.INVALID_ARGUMENT);
    Files.write(
        file,
        new TarFile()
            .file("config.dump", 0644, "{".getBytes(UTF_8))
            .file("spec.dump", 0644, "{}".getBytes(UTF_8))
            .file("checkpoint/inventory.img", 0644, new byte[8])
            .bytes());
    Failures.Outcome rubbish = Failures.of(() -> cri.create(podId, container, pod));
    assertThat(rubbish.code()).isEqualTo(Status.Code.INVALID_ARGUMENT);
    assertThat(rubbish.message()).contains("config.dump of the checkpoint is no JSON");
    Files.write(
        file,
        new TarFile()
            .file("config.dump", 0644, "{\"rootfsImage\":\"test.invalid/away:1\"}".getBytes(UTF_8))
            .file("spec.dump", 0644, "{}".getBytes(UTF_8))
            .file("checkpoint/inventory.img", 0644, new byte[8])
            .bytes());
    Failures.Outcome away = Failures.of(() -> cri.create(podId, container, pod));
    assertThat(away.code()).isEqualTo(Status.Code.NOT_FOUND);
    assertThat(away.message()).contains("test.invalid/away:1", "pull it first");
    assertThat(cri.containers()).isEmpty();
    Files.delete(file);
  }

  @Test
  void allContainersOfAPodGoOnTogether() throws Exception {
    Cri cri = node.cri();
    PodSandboxConfig.Builder first = node.pod("first");
    run(first, "one");
    run(first, "two");
    String podId = cri.pods().getFirst().getId();
    Path folder = node.folder("pods").resolve("made-by-it");
    CheckpointPodRequest request =
        CheckpointPodRequest.newBuilder()
            .setPodSandboxId(podId)
            .setOutputPath(folder.toString())
            .build();
    var _ = cri.runtime().checkpointPod(request);
    int one = lastCount(first, "one");
    int two = lastCount(first, "two");
    Waits.until(() -> lastCount(first, "one") > one, "the first goes on");
    Waits.until(() -> lastCount(first, "two") > two, "the second goes on");
    assertThat(Failures.code(() -> cri.runtime().checkpointPod(request)))
        .as("nothing is overwritten")
        .isEqualTo(Status.Code.ALREADY_EXISTS);

    PodSandboxConfig.Builder second = node.pod("second");
    RestorePodRequest.Builder restore = restore(folder, second).addContainerConfigs(counter("x"));
    assertThat(Failures.of(() -> cri.runtime().restorePod(restore.build())).message())
        .contains("no container \"x\"; it has: ");
    assertThat(cri.pods()).as("no pod is left of that").hasSize(1);
    restore
        .clearContainerConfigs()
        .addContainerConfigs(counter("one"))
        .addContainerConfigs(counter("two"));
    dying.dieAt("RestorePod:container");
    RestorePodResponse restored = dying.survive(() -> cri.runtime().restorePod(restore.build()));
    assertThat(dying.hasDied()).isTrue();
    assertThat(cri.runtime().restorePod(restore.build())).as("a retry").isEqualTo(restored);
    assertThat(restored.getRestoredContainersList())
        .extracting(RestoredContainer::getName)
        .containsExactly("one", "two");
    for (RestoredContainer container : restored.getRestoredContainersList()) {
      String id = container.getContainerId();
      assertThat(cri.status(id).getState()).isEqualTo(ContainerState.CONTAINER_CREATED);
      cri.start(id);
    }
    Waits.until(() -> lastCount(second, "one") > one + 1, "the restored first goes on");
    Waits.until(() -> lastCount(second, "two") > two + 1, "the restored second goes on");
  }

  private static RestorePodRequest.Builder restore(Path folder, PodSandboxConfig.Builder pod) {
    return RestorePodRequest.newBuilder()
        .setCheckpointPath(folder.toString())
        .setConfig(pod)
        .setRuntimeHandler("runc");
  }

  @ParameterizedTest
  @ValueSource(strings = {"paused", "packed"})
  void aKilledDaemonLeavesTheContainerRunningAndNothingElse(String step) throws Exception {
    PodSandboxConfig.Builder pod = node.pod("killed");
    String id = run(pod, "counter");
    Path folder = node.folder("killed-" + step);
    Path archive = folder.resolve("archive.tar");

    dying.dieAt("Checkpoint:" + step);
    dying.survive(() -> checkpoint(id, archive)); // a second one would fail while it is paused

    assertThat(dying.hasDied()).isTrue();
    int counted = lastCount(pod, "counter");
    Waits.until(() -> lastCount(pod, "counter") > counted, "it counts on");
    try (Stream<Path> left = Files.list(folder)) {
      assertThat(left).containsExactly(archive);
    }
    Files.delete(archive);
  }

  @Test
  void aCheckpointThatTakesTooLongIsGivenUpAndTheContainerRunsOn() throws Exception {
    PodSandboxConfig.Builder pod = node.pod("slow");
    String id = run(pod, "counter");
    Path folder = node.folder("slow");
    writeProgram("[ \"$1\" = check ] || sleep 3");
    CheckpointContainerRequest request =
        CheckpointContainerRequest.newBuilder()
            .setContainerId(id)
            .setLocation(folder.resolve("archive.tar").toString())
            .setTimeout(1)
            .build();
    assertThat(Failures.code(() -> node.cri().runtime().checkpointContainer(request)))
        .isEqualTo(Status.Code.DEADLINE_EXCEEDED);
    int counted = lastCount(pod, "counter");
    Waits.until(() -> lastCount(pod, "counter") > counted + 30, "it counts on, also later");
    try (Stream<Path> left = Files.list(folder)) {
      assertThat(left).isEmpty();
    }
  }

  private String run(PodSandboxConfig.Builder pod, String name) throws Exception {
    Cri cri = node.cri();
    String podId = cri.runPod(pod.build(), "runc"); // the one that is there, for a second container
    String id = cri.run(podId, counter(name).build(), pod.build());
    Waits.until(() -> lastCount(pod, name) > 0, "it counts");
    return id;
  }

  private static ContainerConfig.Builder counter(String name) {
    return node.container(name, "sh", "-c", COUNTER);
  }

  private static ContainerConfig.Builder from(String image) {
    return node.container("counter")
        .clearCommand()
        .setImage(ImageSpec.newBuilder().setImage(image));
  }

  private static void checkpoint(String id, Path archive) {
    node.cri()
        .runtime()
        .checkpointContainer(
            CheckpointContainerRequest.newBuilder()
                .setContainerId(id)
                .setLocation(archive.toString())
                .build());
  }

  private static int lastCount(PodSandboxConfig.Builder pod, String container) {
    List<ContainerLog.Line> lines = node.log(pod, container).lines();
    return lines.isEmpty() ? 0 : Integer.parseInt(lines.getLast().text());
  }
}
