package io.keelson.integration;

import static org.assertj.core.api.Assertions.assertThat;

import io.keelson.integration.harness.ContainerGroup;
import io.keelson.integration.harness.Cri;
import io.keelson.integration.harness.TestNode;
import io.keelson.proto.cri.v1.ContainerState;
import io.keelson.proto.cri.v1.LinuxContainerResources;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import io.keelson.proto.cri.v1.UpdateContainerResourcesRequest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The main path with runc, the second OCI runtime. */
class RuncIT {

  private static final long MIB = 1024 * 1024;

  @RegisterExtension static final TestNode node = TestNode.create();

  @Test
  void aPodOnRuncLivesAndSurvivesTheDaemon() throws Exception {
    Cri cri = node.cri();
    PodSandboxConfig.Builder builder = node.pod("runc");
    PodSandboxConfig pod = builder.build();
    String podId = cri.runPod(pod, "runc");
    assertThat(cri.podStatus(podId).getRuntimeHandler()).isEqualTo("runc");
    String id =
        cri.run(
            podId,
            node.container(
                    "main", "sh", "-c", "trap 'exit 5' TERM; echo up; while :; do sleep 0.05; done")
                .build(),
            pod);
    Waits.until(() -> !node.log(builder, "main").lines().isEmpty(), "first line");
    assertThat(cri.output(id, "echo", "from inside")).isEqualTo("from inside");
    assertThat(cri.exec(id, "sh", "-c", "exit 3").getExitCode()).isEqualTo(3);
    cri.runtime()
        .updateContainerResources(
            UpdateContainerResourcesRequest.newBuilder()
                .setContainerId(id)
                .setLinux(LinuxContainerResources.newBuilder().setMemoryLimitInBytes(64 * MIB))
                .build());
    assertThat(ContainerGroup.of(id).memoryLimit()).isEqualTo(64 * MIB);

    node.killAndStart();
    assertThat(cri.status(id).getState()).isEqualTo(ContainerState.CONTAINER_RUNNING);
    assertThat(cri.output(id, "echo", "still inside")).isEqualTo("still inside");
    cri.stop(id, 10);
    assertThat(cri.status(id).getExitCode()).isEqualTo(5);
  }

  @Test
  void aCommandThatIsNotThereIsAStartError() {
    Cri cri = node.cri();
    PodSandboxConfig pod = node.pod("runc-error").build();
    String podId = cri.runPod(pod, "runc");
    String id = cri.create(podId, node.container("main", "/no/such/program").build(), pod);
    assertThat(Failures.of(() -> cri.start(id)).message()).contains("/no/such/program");
    assertThat(cri.status(id).getReason()).isEqualTo("StartError");
  }
}
