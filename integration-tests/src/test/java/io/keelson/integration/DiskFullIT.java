package io.keelson.integration;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Status;
import io.keelson.integration.harness.Cri;
import io.keelson.integration.harness.Shell;
import io.keelson.integration.harness.TarFile;
import io.keelson.integration.harness.TestImage;
import io.keelson.integration.harness.TestNode;
import io.keelson.proto.cri.v1.ContainerState;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import io.keelson.proto.cri.v1.PodSandboxState;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The root folder is on a small disk, and the disk is full. */
class DiskFullIT {

  @RegisterExtension static final TestNode node = TestNode.bare();

  private static Path disk() {
    return node.root();
  }

  @BeforeAll
  static void mountASmallDisk() throws IOException {
    Files.createDirectories(disk());
    Shell.output("mount", "-t", "tmpfs", "-o", "size=16m", "small", disk().toString());
    node.start();
  }

  @AfterAll
  static void unmountTheDisk() {
    if (node.daemon().isAlive()) {
      node.daemon().terminate();
    }
    Shell.run(List.of("umount", "-l", disk().toString()));
  }

  @AfterEach
  void free() throws IOException {
    Files.deleteIfExists(disk().resolve("images/ballast"));
  }

  @Test
  void podsStopAndGoOnAFullDiskAndNewOnesAreRefusedWithTheReason() throws IOException {
    Cri cri = node.cri();
    PodSandboxConfig pod = node.pod("old").build();
    String podId = cri.runPod(pod);
    String runs = cri.run(podId, node.sleeper("runs").build(), pod);
    String ends =
        cri.run(podId, node.container("ends", "sh", "-c", "sleep 1; exit 6").build(), pod);
    fill();

    Failures.Outcome outcome = Failures.of(() -> cri.runPod(node.pod("new").build()));
    assertThat(outcome.code()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
    assertThat(outcome.message()).containsAnyOf("disk is full", "disk full", "No space left");
    assertThat(cri.awaitExit(ends).getExitCode()).isEqualTo(6);
    assertThat(cri.output(runs, "echo", "alive")).isEqualTo("alive");
    cri.stop(runs, 5);
    assertThat(cri.status(runs).getState()).isEqualTo(ContainerState.CONTAINER_EXITED);
    cri.remove(runs);
    cri.stopPod(podId);
    cri.removePod(podId);
    assertThat(cri.pods()).isEmpty();

    free();
    assertThat(cri.podStatus(cri.runPod(node.pod("after").build())).getState())
        .isEqualTo(PodSandboxState.SANDBOX_READY);
  }

  @Test
  void theDaemonStartsOnAFullDiskAndKnowsItsPods() throws IOException {
    Cri cri = node.cri();
    PodSandboxConfig pod = node.pod("survivor").build();
    String podId = cri.runPod(pod);
    String id = cri.run(podId, node.sleeper("main").build(), pod);
    fill();
    node.killAndStart();
    assertThat(cri.status(id).getState()).isEqualTo(ContainerState.CONTAINER_RUNNING);
    cri.stopPod(podId);
    cri.removePod(podId);
  }

  @Test
  void anImageThatDoesNotFitLeavesNothing() throws IOException {
    Path archive = node.folder("archives").resolve("large.tar");
    byte[] noise = new byte[30_000_000];
    new Random(1).nextBytes(noise);
    new TestImage(List.of(new TarFile().file("noise", 0644, noise).bytes()), "{}")
        .writeDockerArchive(archive, "test.invalid/large:1");
    long before = disk().toFile().getUsableSpace();
    Failures.Outcome outcome = Failures.of(() -> node.cri().importImage(archive, ""));
    assertThat(outcome.code()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
    Waits.until(() -> disk().toFile().getUsableSpace() > before - 100_000, "the space is free");
    Files.delete(archive);
    assertThat(node.cri().runPod(node.pod("after-image").build())).isNotEmpty();
  }

  private static void fill() throws IOException {
    byte[] block = new byte[4096];
    try (OutputStream ballast = Files.newOutputStream(disk().resolve("images/ballast"))) {
      while (true) {
        ballast.write(block);
      }
    } catch (IOException e) {
      assertThat(e).hasMessageContaining("No space left");
    }
  }
}
