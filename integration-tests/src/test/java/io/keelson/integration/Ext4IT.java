package io.keelson.integration;

import static org.assertj.core.api.Assertions.assertThat;

import io.keelson.integration.harness.TestNode;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A root folder on ext4. */
class Ext4IT extends FileSystemCases {

  @RegisterExtension static final TestNode node = TestNode.bare();

  Ext4IT() {
    super(node, "ext4", 32, "mkfs.ext4", "-q", "-O", "project,quota");
  }

  @Test
  void byConfigurationWhoGoesBeyondIsEnded() throws IOException {
    PodSandboxConfig pod = node.pod("ended").build();
    String id =
        node.cri()
            .run(
                node.cri().runPod(pod),
                node.sleeper("main")
                    .putAnnotations("quota.keelson.io/writable-layer-bytes", "1000000")
                    .build(),
                pod);
    node.set("volumes.measure_interval", "\"500ms\"");
    restart("end");
    try {
      node.cri().output(id, "sh", "-c", "head -c 3000000 /dev/zero > /large");
      assertThat(node.cri().awaitExit(id).getReason()).isEqualTo("DiskLimitExceeded");
    } finally {
      restart("refuse");
    }
  }

  private static void restart(String overLimit) throws IOException {
    node.set("volumes.over_limit", "\"" + overLimit + "\"");
    node.writeConfiguration();
    node.killAndStart();
  }
}
