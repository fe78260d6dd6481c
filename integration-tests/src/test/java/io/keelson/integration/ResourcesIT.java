package io.keelson.integration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.grpc.Status;
import io.keelson.integration.harness.ContainerGroup;
import io.keelson.integration.harness.Cri;
import io.keelson.integration.harness.TestNode;
import io.keelson.proto.cri.v1.ContainerConfig;
import io.keelson.proto.cri.v1.ContainerState;
import io.keelson.proto.cri.v1.ContainerStatus;
import io.keelson.proto.cri.v1.HugepageLimit;
import io.keelson.proto.cri.v1.LinuxContainerResources;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import io.keelson.proto.cri.v1.UpdateContainerResourcesRequest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Limits of memory, CPU and processes, and what is told of a container that ran into them. */
class ResourcesIT {

  private static final long MIB = 1024 * 1024;

  @RegisterExtension static final TestNode node = TestNode.create();

  @Test
  void limitsAreInTheControlGroupAndInTheStatus() {
    LinuxContainerResources resources =
        LinuxContainerResources.newBuilder()
            .setMemoryLimitInBytes(64 * MIB)
            .setCpuPeriod(50_000)
            .setCpuQuota(25_000)
            .setCpuShares(512)
            .setCpusetCpus("0")
            .setOomScoreAdj(500)
            .build();
    String id = run("limits", node.sleeper("main"), resources);

    ContainerGroup group = ContainerGroup.of(id);
    assertThat(group.memoryLimit()).isEqualTo(64 * MIB);
    assertThat(group.cpuPeriod()).isEqualTo(50_000);
    assertThat(group.cpuQuota()).isEqualTo(25_000);
    assertThat(group.cpuShares()).isBetween(480L, 540L);
    assertThat(group.cpuset()).isEqualTo("0");
    assertThat(node.cri().output(id, "cat", "/proc/1/oom_score_adj")).isEqualTo("500");

    LinuxContainerResources told = node.cri().status(id).getResources().getLinux();
    assertThat(told.getMemoryLimitInBytes()).isEqualTo(64 * MIB);
    assertThat(told.getCpuQuota()).isEqualTo(25_000);
    assertThat(told.getCpuShares()).isEqualTo(512);
  }

  @Test
  void limitsChangeWhileItRunsAndStayChanged() throws Exception {
    String id =
        run(
            "update",
            node.sleeper("main"),
            LinuxContainerResources.newBuilder().setMemoryLimitInBytes(64 * MIB).build());
    update(
        id,
        LinuxContainerResources.newBuilder()
            .setMemoryLimitInBytes(96 * MIB)
            .setCpuPeriod(100_000)
            .setCpuQuota(50_000));

    assertThat(ContainerGroup.of(id).memoryLimit()).isEqualTo(96 * MIB);
    assertThat(ContainerGroup.of(id).cpuQuota()).isEqualTo(50_000);
    node.restart();
    assertThat(node.cri().status(id).getResources().getLinux().getMemoryLimitInBytes())
        .isEqualTo(96 * MIB);
    update(id, LinuxContainerResources.newBuilder().setCpuQuota(40_000).setCpuPeriod(100_000));
    assertThat(ContainerGroup.of(id).cpuQuota()).isEqualTo(40_000);
    assertThat(ContainerGroup.of(id).memoryLimit())
        .as("what an update does not name stays")
        .isEqualTo(96 * MIB);
  }

  @Test
  void limitsCanBeLoweredToo() {
    String id =
        run(
            "lowered",
            node.sleeper("main"),
            LinuxContainerResources.newBuilder()
                .setMemoryLimitInBytes(96 * MIB)
                .setMemorySwapLimitInBytes(128 * MIB)
                .build());
    update(
        id,
        LinuxContainerResources.newBuilder()
            .setMemoryLimitInBytes(64 * MIB)
            .setMemorySwapLimitInBytes(64 * MIB));
    assertThat(ContainerGroup.of(id).memoryLimit()).isEqualTo(64 * MIB);
    assertThat(node.cri().status(id).getResources().getLinux().getMemorySwapLimitInBytes())
        .isEqualTo(64 * MIB);
  }

  @Test
  void swapIsLimitedWithTheMemory() {
    ContainerGroup without =
        ContainerGroup.of(
            run(
                "no-swap",
                node.sleeper("main"),
                LinuxContainerResources.newBuilder().setMemoryLimitInBytes(64 * MIB).build()));
    assumeThat(without.swapLimit()).as("a kernel that counts swap").isPresent();
    assertThat(without.swapLimit()).hasValue(0);
    ContainerGroup with =
        ContainerGroup.of(
            run(
                "swap",
                node.sleeper("main"),
                LinuxContainerResources.newBuilder()
                    .setMemoryLimitInBytes(64 * MIB)
                    .setMemorySwapLimitInBytes(96 * MIB)
                    .build()));
    assertThat(with.swapLimit()).hasValue(32 * MIB);
  }

  @Test
  void hugePagesAndFilesOfCgroupV2() {
    String id =
        run(
            "huge-pages",
            node.sleeper("main"),
            LinuxContainerResources.newBuilder()
                .addHugepageLimits(HugepageLimit.newBuilder().setPageSize("2MB").setLimit(4 * MIB))
                .build());
    assertThat(ContainerGroup.of(id).hugePages2Mb()).isEqualTo(4 * MIB);

    LinuxContainerResources unified =
        LinuxContainerResources.newBuilder().putUnified("memory.high", "50000000").build();
    if (ContainerGroup.of(id).isUnified()) {
      String v2 = run("unified", node.sleeper("main"), unified);
      assertThat(ContainerGroup.of(v2).memoryHigh()).isBetween(49_000_000L, 50_000_000L);
    } else {
      Failures.Outcome outcome = Failures.of(() -> run("unified", node.sleeper("main"), unified));
      assertThat(outcome.code()).isEqualTo(Status.Code.UNIMPLEMENTED);
      assertThat(outcome.message()).contains("memory.high");
    }
  }

  @Test
  void limitsOfAContainerThatHasNotStartedChangeToo() {
    Cri cri = node.cri();
    PodSandboxConfig pod = node.pod("early-update").build();
    String id = cri.create(cri.runPod(pod), node.sleeper("main").build(), pod);
    update(id, LinuxContainerResources.newBuilder().setMemoryLimitInBytes(80 * MIB));
    cri.start(id);
    assertThat(ContainerGroup.of(id).memoryLimit()).isEqualTo(80 * MIB);
  }

  @Test
  void aMainProcessThatIsKilledForMemoryIsToldAsSuch() {
    String id =
        run(
            "oom",
            node.container("main", "dd", "if=/dev/zero", "of=/dev/null", "bs=200M", "count=1"),
            LinuxContainerResources.newBuilder().setMemoryLimitInBytes(24 * MIB).build());
    ContainerStatus status = node.cri().awaitExit(id);
    assertThat(status.getReason()).isEqualTo("OOMKilled");
    assertThat(status.getExitCode()).isEqualTo(137);
  }

  @Test
  void aChildThatIsKilledForMemoryIsNotTheContainersEnd() {
    String id =
        run(
            "oom-child",
            node.container(
                "main",
                "sh",
                "-c",
                "dd if=/dev/zero of=/dev/null bs=200M count=1; echo survived; sleep 0.3; exit 5"),
            LinuxContainerResources.newBuilder().setMemoryLimitInBytes(24 * MIB).build());
    ContainerStatus status = node.cri().awaitExit(id);
    assertThat(status.getReason()).isEqualTo("Error");
    assertThat(status.getExitCode()).isEqualTo(5);
  }

  @Test
  void aStopAfterAChildWasKilledForMemoryIsNoOomKill() {
    String id =
        run(
            "oom-then-stop",
            node.container(
                "main",
                "sh",
                "-c",
                "trap '' TERM; dd if=/dev/zero of=/dev/null bs=200M count=1; touch /tmp/over; while"
                    + " :; do sleep 1; done"),
            LinuxContainerResources.newBuilder().setMemoryLimitInBytes(24 * MIB).build());
    Waits.until(
        () -> node.cri().exec(id, "ls", "/tmp/over").getExitCode() == 0, "the child is killed");
    node.cri().stop(id, 1);
    ContainerStatus status = node.cri().status(id);
    assertThat(status.getExitCode()).isEqualTo(137);
    assertThat(status.getReason()).isEqualTo("Error");
  }

  @Test
  void anOomKillWhileTheDaemonIsAwayIsTold() throws Exception {
    String id =
        run(
            "oom-away",
            node.container(
                "main", "sh", "-c", "sleep 1; exec dd if=/dev/zero of=/dev/null bs=200M count=1"),
            LinuxContainerResources.newBuilder().setMemoryLimitInBytes(24 * MIB).build());
    node.daemon().kill();
    Waits.until(() -> ContainerGroup.pids(id).isEmpty(), "the container ends");
    node.daemon().start();
    node.cri().reconnect();
    ContainerStatus status = node.cri().awaitExit(id);
    assertThat(status.getState()).isEqualTo(ContainerState.CONTAINER_EXITED);
    assertThat(status.getExitCode()).isEqualTo(137);
    assertThat(status.getReason()).isEqualTo("OOMKilled");
  }

  @Test
  void anOomScoreBelowWhatTheDaemonMaySetStillStarts() throws IOException {
    String id =
        run(
            "oom-score",
            node.sleeper("main"),
            LinuxContainerResources.newBuilder().setOomScoreAdj(-998).build());
    assertThat(node.cri().status(id).getState()).isEqualTo(ContainerState.CONTAINER_RUNNING);
    int score = Integer.parseInt(node.cri().output(id, "cat", "/proc/1/oom_score_adj"));
    int ours = Integer.parseInt(Files.readString(Path.of("/proc/self/oom_score_adj")).strip());
    assertThat(score).isGreaterThanOrEqualTo(-998).isLessThanOrEqualTo(Math.max(-998, ours));
    assertThat(
            Failures.code(
                () ->
                    run(
                        "oom-score-too-high",
                        node.sleeper("main"),
                        LinuxContainerResources.newBuilder().setOomScoreAdj(1001).build())))
        .isEqualTo(Status.Code.INVALID_ARGUMENT);
  }

  private static String run(
      String name, ContainerConfig.Builder container, LinuxContainerResources resources) {
    PodSandboxConfig pod = node.pod(name).build();
    container.getLinuxBuilder().setResources(resources);
    return node.cri().run(node.cri().runPod(pod), container.build(), pod);
  }

  private static void update(String id, LinuxContainerResources.Builder resources) {
    node.cri()
        .runtime()
        .updateContainerResources(
            UpdateContainerResourcesRequest.newBuilder()
                .setContainerId(id)
                .setLinux(resources)
                .build());
  }
}
