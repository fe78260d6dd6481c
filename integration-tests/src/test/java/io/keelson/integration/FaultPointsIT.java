package io.keelson.integration;

import static org.assertj.core.api.Assertions.assertThat;

import io.keelson.integration.harness.Cri;
import io.keelson.integration.harness.DyingDaemon;
import io.keelson.integration.harness.TestNode;
import io.keelson.proto.cri.v1.Container;
import io.keelson.proto.cri.v1.ContainerState;
import io.keelson.proto.cri.v1.PodSandbox;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The daemon dies at each of its fault points. After its next start everything is accounted for,
 * the caller's retry of the call that got no answer succeeds, and in the end nothing is left.
 */
class FaultPointsIT {

  private static final Path SOURCES = Path.of("../sandbox/src/main/java/io/keelson/sandbox");
  private static final int SAID_GOODBYE = 7;
  private static final int KILLED = 137;

  @RegisterExtension static final TestNode node = TestNode.create();

  private static final DyingDaemon daemon = new DyingDaemon(node);

  /** Every point that the core names, so that a new one is tested from its first day. */
  static Stream<String> points() throws IOException {
    return DyingDaemon.points(SOURCES);
  }

  /** Checkpoints are for {@link CheckpointIT}. */
  static Stream<String> pointsOfALife() throws IOException {
    return points()
        .filter(point -> !point.startsWith("Checkpoint:") && !point.startsWith("RestorePod:"));
  }

  static Stream<String> pointsOfRemoval() throws IOException {
    return points().filter(point -> point.startsWith("Remove") || point.startsWith("StopPod"));
  }

  @Test
  void allOperationsHavePoints() throws IOException {
    assertThat(points().map(point -> point.substring(0, point.indexOf(':'))).distinct())
        .contains(
            "RunPodSandbox",
            "CreateContainer",
            "StartContainer",
            "StopContainer",
            "StopPodSandbox",
            "RemoveContainer",
            "RemovePodSandbox");
  }

  @ParameterizedTest
  @MethodSource("pointsOfALife")
  void diesOnceInThePodsLife(String point) throws Exception {
    daemon.dieAt(point);
    Cri cri = node.cri();
    boolean deaf = point.equals("StopContainer:killed");
    // With a process that holds the pod's PID namespace.
    boolean shared = point.equals("CreateContainer:holder") || point.startsWith("StopPodSandbox:");
    PodSandboxConfig.Builder pod = node.pod("fault");
    String script = deaf ? "trap '' TERM; " : "trap 'exit 7' TERM; ";

    String podId = daemon.survive(() -> cri.runPod(pod.build()));
    assertThat(cri.pods()).extracting(PodSandbox::getId).containsExactly(podId);
    var config =
        node.container("main", "sh", "-c", script + "echo begin; while :; do sleep 0.05; done");
    if (shared) {
      config.getLinuxBuilder().getSecurityContextBuilder().getNamespaceOptionsBuilder().clearPid();
    }
    String id = daemon.survive(() -> cri.create(podId, config.build(), pod.build()));
    assertThat(cri.containers()).extracting(Container::getId).containsExactly(id);
    daemon.survive(() -> cri.start(id));
    assertThat(cri.status(id).getState()).isEqualTo(ContainerState.CONTAINER_RUNNING);
    Waits.until(() -> !node.log(pod, "main").lines().isEmpty(), "the container's first line");

    daemon.survive(() -> cri.stop(id, deaf ? 1 : 10));
    assertThat(cri.status(id).getState()).isEqualTo(ContainerState.CONTAINER_EXITED);
    assertThat(cri.status(id).getExitCode()).isEqualTo(deaf ? KILLED : SAID_GOODBYE);
    assertThat(node.log(pod, "main").text("stdout")).as("it ran once").isEqualTo("begin\n");
    daemon.survive(() -> cri.remove(id));
    assertThat(cri.containers()).isEmpty();
    daemon.survive(() -> cri.stopPod(podId));
    daemon.survive(() -> cri.removePod(podId));
    assertThat(cri.pods()).isEmpty();
    assertThat(daemon.hasDied()).as("the daemon has died at " + point).isTrue();
  }

  @ParameterizedTest
  @MethodSource("pointsOfRemoval")
  void diesWhileARunningPodIsRemovedByForce(String point) throws Exception {
    daemon.dieAt(point);
    Cri cri = node.cri();
    PodSandboxConfig pod = node.pod("forced").build();
    String podId = daemon.survive(() -> cri.runPod(pod));
    String one = daemon.survive(() -> cri.run(podId, node.sleeper("one").build(), pod));
    String two = daemon.survive(() -> cri.run(podId, node.sleeper("two").build(), pod));
    assertThat(one).isNotEqualTo(two);

    daemon.survive(() -> cri.removePod(podId));
    assertThat(cri.pods()).isEmpty();
    assertThat(cri.containers()).isEmpty();
    assertThat(daemon.hasDied()).as("the daemon has died at " + point).isTrue();
  }
}
