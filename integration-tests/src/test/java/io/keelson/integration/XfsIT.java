package io.keelson.integration;

import static org.assertj.core.api.Assertions.assertThat;

import io.keelson.integration.harness.Shell;
import io.keelson.integration.harness.TestNode;
import io.keelson.integration.harness.VolumeCalls;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A root folder on xfs. */
class XfsIT extends FileSystemCases {

  @RegisterExtension static final TestNode node = TestNode.bare();

  XfsIT() {
    super(node, "xfs", 300, "mkfs.xfs", "-q");
  }

  @Test
  void aCloneSharesTheBlocksOfItsOrigin() throws IOException {
    VolumeCalls volumes = new VolumeCalls(node);
    volumes.create("origin", 16);
    Path file = Path.of(volumes.publish("o", VolumeCalls.named("origin")).getPath(), "file");
    Shell.output("dd", "if=/dev/urandom", "of=" + file, "bs=1M", "count=8", "conv=fsync");
    volumes.create(
        VolumeCalls.request("clone", VolumeCalls.LOCAL, 16).setFromVolume("origin").build());
    Path same = Path.of(volumes.publish("c", VolumeCalls.named("clone")).getPath(), "file");
    assertThat(same).hasSameBinaryContentAs(file);
    assertThat(Shell.output("filefrag", "-sv", same.toString())).contains("shared");
    for (String publication : List.of("o", "c")) {
      volumes.unpublish(publication);
    }
    volumes.delete("clone");
    volumes.delete("origin");
  }
}
