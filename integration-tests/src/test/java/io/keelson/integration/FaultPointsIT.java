package io.keelson.integration;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.keelson.integration.harness.Cri;
import io.keelson.integration.harness.TestDaemon;
import io.keelson.integration.harness.TestNode;
import io.keelson.proto.cri.v1.Container;
import io.keelson.proto.cri.v1.ContainerState;
import io.keelson.proto.cri.v1.PodSandbox;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
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
  private static final Pattern POINT = Pattern.compile("reached\\(\\s*\"([^\"]+)\"");
  private static final int SAID_GOODBYE = 7;
  private static final int KILLED = 137;

  @RegisterExtension static final TestNode node = TestNode.create();

  private boolean died;

  /** Every point that the core names, so that a new one is tested from its first day. */
  static Stream<String> points() throws IOException {
    try (Stream<Path> files = Files.walk(SOURCES)) {
      List<Path> sources = files.filter(file -> file.toString().endsWith(".java")).toList();
      Stream.Builder<String> points = Stream.builder();
      for (Path source : sources) {
        POINT.matcher(Files.readString(source)).results().forEach(m -> points.add(m.group(1)));
      }
      return points.build().distinct().sorted();
    }
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
    Cri cri = startWith(point);
    boolean deaf = point.equals("StopContainer:killed");
    PodSandboxConfig.Builder pod = node.pod("fault");
    String script = deaf ? "trap '' TERM; " : "trap 'exit 7' TERM; ";

    String podId = survive(() -> cri.runPod(pod.build()));
    assertThat(cri.pods()).extracting(PodSandbox::getId).containsExactly(podId);
    var config =
        node.container("main", "sh", "-c", script + "echo begin; while :; do sleep 0.05; done");
    String id = survive(() -> cri.create(podId, config.build(), pod.build()));
    assertThat(cri.containers()).extracting(Container::getId).containsExactly(id);
    survive(() -> run(() -> cri.start(id)));
    assertThat(cri.status(id).getState()).isEqualTo(ContainerState.CONTAINER_RUNNING);
    Waits.until(() -> !node.log(pod, "main").lines().isEmpty(), "the container's first line");

    survive(() -> run(() -> cri.stop(id, deaf ? 1 : 10)));
    assertThat(cri.status(id).getState()).isEqualTo(ContainerState.CONTAINER_EXITED);
    assertThat(cri.status(id).getExitCode()).isEqualTo(deaf ? KILLED : SAID_GOODBYE);
    assertThat(node.log(pod, "main").text("stdout")).as("it ran once").isEqualTo("begin\n");
    survive(() -> run(() -> cri.remove(id)));
    assertThat(cri.containers()).isEmpty();
    survive(() -> run(() -> cri.stopPod(podId)));
    survive(() -> run(() -> cri.removePod(podId)));
    assertThat(cri.pods()).isEmpty();
    assertThat(died).as("the daemon has died at " + point).isTrue();
  }

  @ParameterizedTest
  @MethodSource("pointsOfRemoval")
  void diesWhileARunningPodIsRemovedByForce(String point) throws Exception {
    Cri cri = startWith(point);
    PodSandboxConfig pod = node.pod("forced").build();
    String podId = survive(() -> cri.runPod(pod));
    String one = survive(() -> cri.run(podId, node.sleeper("one").build(), pod));
    String two = survive(() -> cri.run(podId, node.sleeper("two").build(), pod));
    assertThat(one).isNotEqualTo(two);

    survive(() -> run(() -> cri.removePod(podId)));
    assertThat(cri.pods()).isEmpty();
    assertThat(cri.containers()).isEmpty();
    assertThat(died).as("the daemon has died at " + point).isTrue();
  }

  private Cri startWith(String point) throws IOException {
    node.daemon().terminate();
    node.daemon().start(Map.of(TestDaemon.FAULT_POINT, point));
    node.daemon().awaitServing();
    node.cri().reconnect();
    return node.cri();
  }

  /**
   * Makes a call; if the daemon dies in it, starts the daemon again and makes the same call once.
   */
  private <T extends @Nullable Object> T survive(Callable<T> call) throws Exception {
    try {
      return call.call();
    } catch (StatusRuntimeException e) {
      if (died || e.getStatus().getCode() != Status.Code.UNAVAILABLE) {
        throw e;
      }
      node.daemon().awaitEnd();
      died = true;
      node.daemon().start();
      node.cri().reconnect();
      return call.call();
    }
  }

  private static @Nullable Void run(Runnable call) {
    call.run();
    return null;
  }
}
