package io.keelson.proto;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.DebugFormat;
import io.keelson.proto.csi.v1.Csi;
import io.keelson.proto.csi.v1.NodeStageVolumeRequest;
import io.keelson.proto.csi.v1.VolumeCapability;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

/** CSI v1 as compiled is CSI v1 as every storage driver speaks it. */
class CsiContractTest {

  /** Turns red for anything renamed, renumbered, retyped, left out or added. */
  @Test
  void compiledContractIsTheWireTable() throws IOException {
    List<String> table = WireTable.parse(table());
    List<String> compiled =
        WireTable.describe(Csi.getDescriptor()).stream()
            .map(fact -> fact.replace(".changeable_parameters ", ".mutable_parameters "))
            .toList();

    assertThat(table).hasSizeGreaterThan(300);
    assertThat(compiled).containsExactlyInAnyOrderElementsOf(table);
  }

  /** Turns red if a request printed for debugging would give away a volume's credentials. */
  @Test
  void debugFormHidesSecrets() {
    NodeStageVolumeRequest request =
        NodeStageVolumeRequest.newBuilder()
            .setVolumeId("volume-1")
            .putSecrets("key", "hidden-1")
            .setVolumeCapability(
                VolumeCapability.newBuilder()
                    .setMount(
                        VolumeCapability.MountVolume.newBuilder()
                            .addMountFlags("password=hidden-2")))
            .build();

    assertThat(DebugFormat.singleLine().toString(request))
        .contains("volume-1")
        .doesNotContain("hidden-");
  }

  private static List<String> table() throws IOException {
    try (InputStream table = CsiContractTest.class.getResourceAsStream("csi-v1.wire.txt")) {
      return new String(table.readAllBytes(), StandardCharsets.UTF_8).lines().toList();
    }
  }
}
