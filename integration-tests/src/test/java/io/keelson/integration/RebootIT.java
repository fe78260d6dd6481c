package io.keelson.integration;

import static org.assertj.core.api.Assertions.assertThat;

import io.keelson.integration.harness.MisbehavingDriver;
import io.keelson.integration.harness.TestNode;
import io.keelson.integration.harness.VolumeCalls;
import io.keelson.proto.cri.v1.ContainerState;
import io.keelson.proto.cri.v1.ContainerStatus;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import io.keelson.proto.cri.v1.PodSandboxState;
import io.keelson.proto.node.v1.Publication;
import io.keelson.proto.node.v1.VolumeStatus;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The node loses power and boots anew: records speak of what is not there any more. */
class RebootIT {

  private static final String VOLUMES = "volumes.keelson.io/";
  private static final String MOUNTS = "mounts.keelson.io/";

  @RegisterExtension static final TestNode node = TestNode.create();

  @Order(Integer.MAX_VALUE) // when the node is there
  @RegisterExtension
  static final MisbehavingDriver driver = MisbehavingDriver.of(node);

  private final VolumeCalls volumes = new VolumeCalls(node);

  static {
    node.set("volumes.call_timeout", "\"1s\"");
  }

  @Test
  void podsHaveEndedAndTheirVolumesGoWhatIsTheNodesOwnComesBack() throws IOException {
    for (String volume : List.of("pods", "lost", "kept")) {
      volumes.create(VolumeCalls.request(volume, MisbehavingDriver.NAME, 4).build());
    }
    String lost = node.cri().runPod(pod("lost", "lost"));
    PodSandboxConfig config =
        pod("runs", "pods").toBuilder()
            .putAnnotations(VOLUMES + "memory", "{\"tmpfs\": {}}")
            .putAnnotations(VOLUMES + "folder", "{\"sandboxPath\": {\"sizeBytes\": 10000000}}")
            .putAnnotations(
                VOLUMES + "inline",
                "{\"csi\": {\"driver\": \"%s\", \"ephemeral\": true}}"
                    .formatted(MisbehavingDriver.NAME))
            .build();
    String podId = node.cri().runPod(config);
    String container =
        node.cri()
            .run(
                podId,
                node.sleeper("main")
                    .putAnnotations(MOUNTS + "d", "/d")
                    .putAnnotations(MOUNTS + "memory", "/memory")
                    .putAnnotations(MOUNTS + "folder", "/folder")
                    .putAnnotations(MOUNTS + "inline", "/inline")
                    .build(),
                config);
    node.cri().output(container, "sh", "-c", "echo pods > /d/file; sync");
    Path kept = Path.of(volumes.publish("kept", VolumeCalls.named("kept")).getPath());
    Files.writeString(kept.resolve("file"), "kept");
    List<String> mounts = volumes.mounts();
    // This pod goes while the driver is away: only the daemon's records know of its volume.
    driver.close();
    node.cri().stopPod(lost);
    node.cri().removePod(lost);

    node.losePower();
    assertThat(volumes.mounts()).isEmpty();
    driver.forgetCalls();
    driver.start();
    node.daemon().start();
    node.cri().reconnect();

    assertThat(node.cri().podStatus(podId).getState()).isEqualTo(PodSandboxState.SANDBOX_NOTREADY);
    ContainerStatus status = node.cri().status(container);
    assertThat(status.getState()).isEqualTo(ContainerState.CONTAINER_EXITED);
    assertThat(status.getMessage()).contains("the node was started anew");
    Waits.until(() -> publications().equals(List.of("kept")), "the pods' volumes are gone");
    Waits.until(() -> volumes.mounts().size() == 2, "the node's own is staged and published");
    assertThat(mounts).containsAll(volumes.mounts());
    assertThat(kept.resolve("file")).hasContent("kept");
    Waits.until(
        () -> states().equals(List.of("kept staged", "lost idle", "pods idle")),
        "no volume is on its way");
    assertThat(volumes.list()).allSatisfy(each -> assertThat(each.getTrouble()).isEmpty());
    // What is done is not done again, by the next start neither.
    List<String> now = volumes.mounts();
    driver.forgetCalls();
    node.killAndStart();
    assertThat(volumes.mounts()).isEqualTo(now);
    for (String call : List.of("NodeUnpublishVolume", "NodeUnstageVolume", "NodePublishVolume")) {
      assertThat(driver.calls(call)).as(call).isZero();
    }

    node.cri().removePod(podId);
    PodSandboxConfig next = pod("next", "pods");
    String reader =
        node.cri()
            .run(
                node.cri().runPod(next),
                node.sleeper("main").putAnnotations(MOUNTS + "d", "/d").build(),
                next);
    assertThat(node.cri().output(reader, "cat", "/d/file")).isEqualTo("pods");
    node.removeAllPods();
    volumes.unpublish("kept");
    List.of("pods", "lost", "kept").forEach(volumes::delete);
    assertThat(volumes.list()).isEmpty();
    assertThat(node.base().resolve("driver/volumes")).isEmptyDirectory();
  }

  private List<String> publications() {
    return volumes.list().stream()
        .flatMap(volume -> volume.getPublicationsList().stream())
        .map(Publication::getId)
        .toList();
  }

  private List<String> states() {
    return volumes.list().stream()
        .map((VolumeStatus each) -> each.getName() + " " + each.getState())
        .sorted()
        .toList();
  }

  private static PodSandboxConfig pod(String name, String volume) {
    return node.pod(name).putAnnotations(VOLUMES + "d", "{\"volume\": \"" + volume + "\"}").build();
  }
}
