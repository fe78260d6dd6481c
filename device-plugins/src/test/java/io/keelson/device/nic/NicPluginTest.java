package io.keelson.device.nic;

import static org.assertj.core.api.Assertions.assertThat;

import io.keelson.device.builtin.FakeHost;
import io.keelson.proto.deviceplugin.v1beta1.DeviceSpec;
import io.keelson.proto.record.v1.LentInterface;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The character devices that come with an interface, on a tree as InfiniBand cards make it. */
class NicPluginTest {

  private static final String BUS = "/sys/devices/pci0000:00/0000:00:05.0";

  @TempDir Path root;

  @BeforeEach
  void card() throws IOException {
    Path card = root.resolve(BUS.substring(1));
    Files.createDirectories(card.resolve("infiniband_verbs/uverbs3"));
    Path link = Files.createDirectories(root.resolve("sys/class/net/ib0"));
    Files.createSymbolicLink(link.resolve("device"), card);
    Files.createDirectories(root.resolve("sys/class/net/eth0/device"));
    try (FakeHost host = new FakeHost(root)) {
      host.node("dev/infiniband/uverbs3", 231, 195);
      host.node("dev/infiniband/uverbs4", 231, 196);
      host.node("dev/infiniband/rdma_cm", 10, 58);
    }
  }

  private List<String> nodes(Optional<LentInterface> lent, String id) throws IOException {
    NicDefinition definition =
        new NicDefinition(
            "nic.example/ib",
            NicDefinition.Kind.PHYSICAL,
            List.of("ib0", "eth0"),
            1,
            0,
            "",
            0,
            List.of(),
            root);
    try (NicPlugin plugin = new NicPlugin(definition, Duration.ofHours(1), _ -> lent)) {
      return plugin.allocate(List.of(id)).getDevicesList().stream()
          .peek(node -> assertThat(node.getHostPath()).isEqualTo(root + node.getContainerPath()))
          .map(DeviceSpec::getContainerPath)
          .toList();
    }
  }

  @Test
  void anInfinibandInterfaceComesWithItsNodesAndNoOthers() throws Exception {
    assertThat(nodes(Optional.empty(), "ib0"))
        .containsExactly("/dev/infiniband/uverbs3", "/dev/infiniband/rdma_cm");
    assertThat(nodes(Optional.empty(), "eth0")).isEmpty();
  }

  /** A restarted container needs them as the one before it did; the interface is in the pod. */
  @Test
  void theyAreFoundWhileTheInterfaceIsLent() throws Exception {
    Files.delete(root.resolve("sys/class/net/ib0/device"));
    Files.delete(root.resolve("sys/class/net/ib0"));

    assertThat(nodes(Optional.of(LentInterface.newBuilder().setBusPath(BUS).build()), "ib0"))
        .containsExactly("/dev/infiniband/uverbs3", "/dev/infiniband/rdma_cm");
    assertThat(nodes(Optional.of(LentInterface.getDefaultInstance()), "veth0")).isEmpty();
  }
}
