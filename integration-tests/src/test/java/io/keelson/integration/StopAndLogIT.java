package io.keelson.integration;

import static io.keelson.integration.Failures.code;
import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Status;
import io.keelson.integration.harness.ContainerLog;
import io.keelson.integration.harness.Cri;
import io.keelson.integration.harness.Patience;
import io.keelson.integration.harness.TestImage;
import io.keelson.integration.harness.TestNode;
import io.keelson.proto.cri.v1.ContainerConfig;
import io.keelson.proto.cri.v1.ContainerState;
import io.keelson.proto.cri.v1.ImageSpec;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import io.keelson.proto.cri.v1.ReopenContainerLogRequest;
import io.keelson.proto.cri.v1.Signal;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** How containers are asked to end, and what becomes of what they wrote. */
class StopAndLogIT {

  private static final String TELLS_ITS_SIGNAL =
      "for s in TERM INT USR1 USR2; do trap \"echo got $s; exit 7\" $s; done;"
          + " echo ready; while :; do sleep 0.05; done";

  @RegisterExtension static final TestNode node = TestNode.create();

  @Test
  void theSignalIsTermTheImagesOrTheCallersInThisOrderOfWeight() throws IOException {
    assertThat(signalOf(node.container("plain", "sh", "-c", TELLS_ITS_SIGNAL)))
        .isEqualTo("got TERM");

    Path archive = node.folder("images").resolve("usr1.tar");
    TestImage image = TestImage.busybox("{\"StopSignal\":\"SIGUSR1\",\"Env\":[\"PATH=/bin\"]}");
    node.cri().importImage(image.writeDockerArchive(archive, "test.invalid/usr1:1"), "");
    ContainerConfig.Builder ofImage =
        node.container("image", "sh", "-c", TELLS_ITS_SIGNAL)
            .setImage(ImageSpec.newBuilder().setImage("test.invalid/usr1:1"));
    assertThat(signalOf(ofImage)).isEqualTo("got USR1");
    assertThat(signalOf(ofImage.setStopSignal(Signal.SIGNAL_SIGUSR2))).isEqualTo("got USR2");
    node.cri().listImages().stream()
        .filter(i -> i.getRepoTagsList().contains("test.invalid/usr1:1"))
        .forEach(i -> assertThat(i.getId()).isEqualTo(image.id()));
  }

  private static String signalOf(ContainerConfig.Builder container) {
    Cri cri = node.cri();
    PodSandboxConfig.Builder pod = node.pod("signal");
    String id = cri.run(cri.runPod(pod.build()), container.build(), pod.build());
    String name = container.getMetadata().getName();
    Waits.until(() -> !node.log(pod, name).lines().isEmpty(), "ready");
    cri.stop(id, 10);
    assertThat(cri.status(id).getExitCode()).isEqualTo(7);
    return node.log(pod, name).lines().getLast().text();
  }

  @Test
  void whoDoesNotListenIsKilledAfterTheGracePeriod() {
    Cri cri = node.cri();
    PodSandboxConfig.Builder pod = node.pod("deaf");
    String id =
        cri.run(
            cri.runPod(pod.build()),
            node.container(
                    "deaf", "sh", "-c", "trap '' TERM; echo ready; while :; do sleep 1; done")
                .build(),
            pod.build());
    Waits.until(() -> !node.log(pod, "deaf").lines().isEmpty(), "ready");
    long begin = System.nanoTime();
    cri.stop(id, 2);
    Duration took = Duration.ofNanos(System.nanoTime() - begin);
    assertThat(took).isBetween(Duration.ofMillis(1900), Patience.ofSeconds(30));
    assertThat(cri.status(id).getExitCode()).isEqualTo(137);
    assertThat(cri.status(id).getReason()).isEqualTo("Error");
  }

  @Test
  void noGracePeriodIsSigkillAtOnce() {
    Cri cri = node.cri();
    PodSandboxConfig.Builder pod = node.pod("now");
    String id =
        cri.run(
            cri.runPod(pod.build()),
            node.container("now", "sh", "-c", TELLS_ITS_SIGNAL).build(),
            pod.build());
    cri.stop(id, 0);
    assertThat(cri.status(id).getExitCode()).isEqualTo(137);
    assertThat(node.log(pod, "now").text("stdout")).doesNotContain("got");
  }

  @Test
  void bothStreamsUnfinishedLinesAndLongOnes() throws IOException {
    Cri cri = node.cri();
    PodSandboxConfig.Builder pod = node.pod("streams");
    String id =
        cri.run(
            cri.runPod(pod.build()),
            node.container(
                    "main",
                    "sh",
                    "-c",
                    "echo out; echo err >&2; head -c 50000 /dev/zero | tr '\\0' x; echo; printf"
                        + " end")
                .build(),
            pod.build());
    cri.awaitExit(id);
    ContainerLog log = node.log(pod, "main");
    assertThat(log.text("stderr")).isEqualTo("err\n");
    assertThat(log.text("stdout")).isEqualTo("out\n" + "x".repeat(50_000) + "\nend");
    assertThat(log.lines().getLast().tag()).isEqualTo("P");
    assertThat(Files.getPosixFilePermissions(log.file()).toString()).doesNotContain("OTHERS");
    assertThat(cri.status(id).getLogPath()).isEqualTo(log.file().toString());
  }

  @Test
  void withoutAPathNothingIsLogged() {
    Cri cri = node.cri();
    PodSandboxConfig.Builder pod = node.pod("silent");
    String id =
        cri.run(
            cri.runPod(pod.build()),
            node.container("main", "sh", "-c", "echo lost").clearLogPath().build(),
            pod.build());
    assertThat(cri.awaitExit(id).getExitCode()).isZero();
    assertThat(cri.status(id).getLogPath()).isEmpty();
  }

  @Test
  void rotationLosesNothing() throws IOException {
    Cri cri = node.cri();
    PodSandboxConfig.Builder pod = node.pod("rotation");
    String id =
        cri.run(
            cri.runPod(pod.build()),
            node.container(
                    "main",
                    "sh",
                    "-c",
                    "i=0; while [ $i -lt 3000 ]; do echo $i; i=$((i+1)); [ $((i%100)) = 0 ] &&"
                        + " sleep 0.01; done")
                .build(),
            pod.build());
    Path file = node.log(pod, "main").file();
    StringBuilder all = new StringBuilder();
    for (int i = 0; i < 5; i++) {
      Waits.until(
          () ->
              !node.log(pod, "main").lines().isEmpty()
                  || cri.status(id).getState() == ContainerState.CONTAINER_EXITED,
          "a line in " + file);
      Path rotated = file.resolveSibling("0.log." + i);
      Files.move(file, rotated);
      if (code(() -> reopen(id)) != Status.Code.OK) {
        Files.move(rotated, file); // it has ended meanwhile
        break;
      }
      assertThat(file).exists();
      all.append(new ContainerLog(rotated).text("stdout"));
    }
    cri.awaitExit(id);
    all.append(node.log(pod, "main").text("stdout"));
    StringBuilder expected = new StringBuilder();
    for (int i = 0; i < 3000; i++) {
      expected.append(i).append('\n');
    }
    assertThat(all.toString()).isEqualTo(expected.toString());
    assertThat(code(() -> reopen(id))).as("of one that has ended").isNotEqualTo(Status.Code.OK);
  }

  @Test
  void logsGoOnWhileTheDaemonIsAway() throws IOException {
    Cri cri = node.cri();
    PodSandboxConfig.Builder pod = node.pod("away");
    String id =
        cri.run(
            cri.runPod(pod.build()),
            node.container(
                    "main",
                    "sh",
                    "-c",
                    "i=0; while [ ! -e /stop ]; do echo $i; i=$((i+1)); sleep 0.05; done")
                .build(),
            pod.build());
    node.daemon().kill();
    List<ContainerLog.Line> atDeath = node.log(pod, "main").lines();
    Waits.until(
        () -> node.log(pod, "main").lines().size() > atDeath.size() + 5, "lines without a daemon");
    node.daemon().start();
    node.cri().reconnect();
    cri.output(id, "touch", "/stop");
    assertThat(cri.awaitExit(id).getExitCode()).isZero();
    List<String> lines =
        node.log(pod, "main").lines().stream().map(ContainerLog.Line::text).toList();
    assertThat(lines)
        .containsExactlyElementsOf(IntStream.range(0, lines.size()).mapToObj(i -> "" + i).toList());
  }

  private static void reopen(String id) {
    node.cri()
        .runtime()
        .reopenContainerLog(ReopenContainerLogRequest.newBuilder().setContainerId(id).build());
  }
}
