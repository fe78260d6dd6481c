package io.keelson.integration;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Status;
import io.keelson.integration.harness.Cri;
import io.keelson.integration.harness.Patience;
import io.keelson.integration.harness.TestNode;
import io.keelson.linux.Fd;
import io.keelson.linux.Mounts;
import io.keelson.proto.cri.v1.ContainerConfig;
import io.keelson.proto.cri.v1.Mount;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A volume whose server is gone: what touches it waits for ever. */
class HungHostPathIT {

  private static final int O_RDWR = 2;

  @RegisterExtension
  static final TestNode node = TestNode.create().set("containers.host_path_deadline", "\"1500ms\"");

  @Test
  void aDeadVolumeFailsTheContainerThatWantsItAndHoldsUpNothingElse() throws Exception {
    Path volume = node.folder("dead");
    Cri cri = node.cri();
    PodSandboxConfig pod = node.pod("dead-volume").build();
    String podId = cri.runPod(pod);
    ContainerConfig wanting =
        node.sleeper("wanting")
            .addMounts(
                Mount.newBuilder()
                    .setHostPath(volume.resolve("below").toString())
                    .setContainerPath("/data"))
            .build();
    try (Fd server = neverAnswering(volume)) {
      CompletableFuture<Failures.Outcome> creation =
          CompletableFuture.supplyAsync(() -> Failures.of(() -> cri.create(podId, wanting, pod)));

      long begin = System.nanoTime();
      String other = cri.run(podId, node.sleeper("other").build(), pod);
      assertThat(cri.containers()).isNotEmpty();
      assertThat(cri.podStatus(podId).getId()).isEqualTo(podId);
      assertThat(cri.output(other, "echo", "alive")).isEqualTo("alive");
      assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Patience.ofSeconds(60));

      Failures.Outcome outcome = creation.get(60, TimeUnit.SECONDS);
      assertThat(outcome.code()).isEqualTo(Status.Code.FAILED_PRECONDITION);
      assertThat(outcome.message()).contains(volume.resolve("below").toString());
      assertThat(cri.containers()).as("nothing is left of it").hasSize(1);
      assertThat(server.number()).isPositive();
    } finally {
      Mounts.unmount(volume, Mounts.MNT_FORCE | Mounts.MNT_DETACH);
    }
    String id = cri.run(podId, wanting, pod);
    assertThat(cri.exec(id, "ls", "/data").getExitCode())
        .as("when the volume is there again")
        .isZero();
  }

  /** It lived when its pod was made. */
  @Test
  void aVolumeOfThePodThatHasDiedFailsTheContainerThatWantsIt() throws Exception {
    Path volume = node.folder("dying");
    Cri cri = node.cri();
    PodSandboxConfig pod =
        node.pod("dying-volume")
            .putAnnotations(
                "volumes.keelson.io/v", "{\"hostPath\": {\"path\": \"%s\"}}".formatted(volume))
            .build();
    String podId = cri.runPod(pod);
    ContainerConfig wanting =
        node.sleeper("wanting").putAnnotations("mounts.keelson.io/v", "/data").build();
    try (Fd server = neverAnswering(volume)) {
      CompletableFuture<Failures.Outcome> creation =
          CompletableFuture.supplyAsync(() -> Failures.of(() -> cri.create(podId, wanting, pod)));
      Failures.Outcome outcome = creation.get(60, TimeUnit.SECONDS);
      assertThat(outcome.code()).isEqualTo(Status.Code.FAILED_PRECONDITION);
      assertThat(outcome.message()).contains(volume.toString());
      assertThat(server.number()).isPositive();
    } finally {
      Mounts.unmount(volume, Mounts.MNT_FORCE | Mounts.MNT_DETACH);
    }
  }

  /** A FUSE file system whose server has its requests and says nothing. */
  private static Fd neverAnswering(Path target) throws IOException {
    Fd server = Fd.open(Path.of("/dev/fuse"), O_RDWR, 0);
    Mounts.mount(
        "dead",
        target,
        "fuse",
        0,
        "fd=%d,rootmode=40000,user_id=0,group_id=0".formatted(server.number()));
    return server;
  }
}
