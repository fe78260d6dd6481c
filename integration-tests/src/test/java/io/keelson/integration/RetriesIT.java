package io.keelson.integration;

import static io.keelson.integration.Failures.code;
import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Status;
import io.keelson.integration.harness.Cri;
import io.keelson.integration.harness.Patience;
import io.keelson.integration.harness.TestNode;
import io.keelson.proto.cri.v1.ContainerConfig;
import io.keelson.proto.cri.v1.ContainerState;
import io.keelson.proto.cri.v1.ContainerStatus;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import io.keelson.proto.cri.v1.PodSandboxState;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A caller that has not heard an answer asks again, and a hasty one asks many times at once. */
class RetriesIT {

  @RegisterExtension static final TestNode node = TestNode.create();

  @Test
  void theSamePodIsMadeOnce() throws Exception {
    PodSandboxConfig pod = node.pod("once").build();
    Set<String> ids = new HashSet<>(atOnce(8, () -> node.cri().runPod(pod)));

    assertThat(ids).hasSize(1);
    assertThat(node.cri().runPod(pod)).isEqualTo(ids.iterator().next());
    assertThat(node.cri().pods()).hasSize(1);
  }

  @Test
  void theSameContainerIsMadeAndStartedOnce() throws Exception {
    Cri cri = node.cri();
    PodSandboxConfig.Builder builder = node.pod("container-once");
    PodSandboxConfig pod = builder.build();
    String podId = cri.runPod(pod);
    ContainerConfig config =
        node.container("main", "sh", "-c", "echo begin; exec sleep 3600").build();

    Set<String> ids = new HashSet<>(atOnce(8, () -> cri.create(podId, config, pod)));
    assertThat(ids).hasSize(1);
    String id = ids.iterator().next();
    List<Status.Code> starts = atOnce(8, () -> code(() -> cri.start(id)));
    assertThat(starts).contains(Status.Code.OK);
    assertThat(cri.status(id).getState()).isEqualTo(ContainerState.CONTAINER_RUNNING);
    assertThat(cri.output(id, "echo")).isEmpty();
    awaitLine(builder, "begin");
    cri.stop(id, 0);
    assertThat(node.log(builder, "main").text("stdout")).isEqualTo("begin\n");
  }

  @Test
  void aNameIsFreeAgainAfterRemoval() {
    Cri cri = node.cri();
    PodSandboxConfig pod = node.pod("again").build();
    String first = cri.runPod(pod);
    ContainerConfig config = node.sleeper("main").build();
    String container = cri.create(first, config, pod);
    cri.remove(container);
    assertThat(cri.create(first, config, pod)).isNotEqualTo(container);
    cri.stopPod(first);
    cri.removePod(first);
    String second = cri.runPod(pod);
    assertThat(second).isNotEqualTo(first);
    assertThat(cri.podStatus(second).getState()).isEqualTo(PodSandboxState.SANDBOX_READY);
  }

  @Test
  void anotherAttemptIsAnotherPod() {
    Cri cri = node.cri();
    PodSandboxConfig.Builder pod = node.pod("attempts");
    String first = cri.runPod(pod.build());
    cri.stopPod(first);
    pod.getMetadataBuilder().setAttempt(1);
    assertThat(cri.runPod(pod.build())).isNotEqualTo(first);
    assertThat(cri.pods()).hasSize(2);
  }

  @Test
  void stopsAndRemovesAtOnceAreAllFine() throws Exception {
    Cri cri = node.cri();
    PodSandboxConfig pod = node.pod("stops").build();
    String podId = cri.runPod(pod);
    String container = cri.run(podId, node.sleeper("main").build(), pod);

    assertThat(atOnce(6, () -> code(() -> cri.stop(container, 5)))).containsOnly(Status.Code.OK);
    assertThat(cri.status(container).getState()).isEqualTo(ContainerState.CONTAINER_EXITED);
    assertThat(atOnce(6, () -> code(() -> cri.remove(container)))).containsOnly(Status.Code.OK);
    assertThat(atOnce(6, () -> code(() -> cri.stopPod(podId)))).containsOnly(Status.Code.OK);
    assertThat(atOnce(6, () -> code(() -> cri.removePod(podId)))).containsOnly(Status.Code.OK);
  }

  @Test
  void aShorterStopOvertakesALongerOneAndTheSignalComesOnce() throws Exception {
    Cri cri = node.cri();
    PodSandboxConfig.Builder builder = node.pod("impatient");
    PodSandboxConfig pod = builder.build();
    String container =
        cri.run(
            cri.runPod(pod),
            node.container(
                    "main",
                    "sh",
                    "-c",
                    "trap 'echo TERM' TERM; echo ready; while :; do sleep 0.1; done")
                .build(),
            pod);
    awaitLine(builder, "ready");

    long begin = System.nanoTime();
    try (ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<?> patient = executor.submit(() -> cri.stop(container, 60));
      awaitLine(builder, "TERM");
      cri.stop(container, 1);
      patient.get();
    }
    assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Patience.ofSeconds(30));
    ContainerStatus status = cri.status(container);
    assertThat(status.getExitCode()).isEqualTo(137);
    assertThat(status.getReason()).isEqualTo("Error");
    assertThat(node.log(builder, "main").text("stdout")).isEqualTo("ready\nTERM\n");
  }

  @Test
  void removingARunningPodEndsIt() {
    Cri cri = node.cri();
    PodSandboxConfig pod = node.pod("forced").build();
    String podId = cri.runPod(pod);
    cri.run(podId, node.container("deaf", "sh", "-c", "trap '' TERM; sleep 3600").build(), pod);

    cri.removePod(podId);
    assertThat(cri.pods()).isEmpty();
    assertThat(cri.containers()).isEmpty();
  }

  private static void awaitLine(PodSandboxConfig.Builder pod, String text) {
    Waits.until(
        () -> node.log(pod, "main").lines().stream().anyMatch(line -> line.text().equals(text)),
        "line " + text);
  }

  private static <T> List<T> atOnce(int callers, Callable<T> call) throws Exception {
    try (ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<T>> futures = new ArrayList<>();
      for (int i = 0; i < callers; i++) {
        futures.add(executor.submit(call));
      }
      List<T> results = new ArrayList<>();
      for (Future<T> future : futures) {
        results.add(future.get());
      }
      return results;
    }
  }
}
