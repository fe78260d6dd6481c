package io.keelson.integration;

import static org.assertj.core.api.Assertions.assertThat;

import io.keelson.integration.harness.Cri;
import io.keelson.integration.harness.TestNode;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import io.keelson.proto.node.v1.NodeDevice;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Two graphics cards whose drivers speak DRM. */
class GpuVM {

  private static final String REQUEST = "devices.keelson.io/request";
  private static final String GPU = "virtio.keelson.io/gpu";

  @RegisterExtension static final TestNode node = TestNode.bare();

  @BeforeAll
  static void start() throws Exception {
    Path definitions = node.folder("devices.d");
    Files.writeString(definitions.resolve("gpu.toml"), "[[gpu]]\n");
    node.set("devices.definitions_dir", "\"" + definitions + "\"");
    node.writeConfiguration();
    node.start();
  }

  @Test
  void aContainerHasTheNodesOfItsOwnCardAlone() throws Exception {
    Cri cri = node.cri();
    List<NodeDevice> cards = cards();
    assertThat(cards).hasSize(2).allMatch(NodeDevice::getHealthy);
    NodeDevice wanted = cards.get(1);
    List<String> nodes = nodesOf(wanted);
    assertThat(nodes).hasSize(2).anyMatch(name -> name.startsWith("renderD"));
    PodSandboxConfig pod = node.pod("gpu").build();
    String podId = cri.runPod(pod);
    String request = GPU + "=pci:" + wanted.getAttributesMap().get("pci");
    String container =
        cri.run(podId, node.sleeper("main").putAnnotations(REQUEST, request).build(), pod);

    assertThat(cri.output(container, "ls", "/dev/dri").split("\n"))
        .containsExactlyInAnyOrderElementsOf(nodes);
    for (String name : nodes) {
      assertThat(open(container, "/dev/dri/" + name)).isEmpty();
    }
    for (String name : nodesOf(cards.get(0))) {
      String remade = HostNode.of(Path.of("/dev/dri", name)).remade("/tmp/" + name);
      String _ = cri.output(container, "sh", "-c", remade);
      assertThat(open(container, "/tmp/" + name)).contains("Operation not permitted");
    }
    String without = cri.run(podId, node.sleeper("without").build(), pod);
    assertThat(cri.exec(without, "ls", "/dev/dri").getExitCode()).isNotZero();
  }

  private static List<NodeDevice> cards() {
    return node.cri().devicesOf(GPU);
  }

  /** As udev names them by their place. */
  private static List<String> nodesOf(NodeDevice card) throws IOException {
    String place = "pci-" + card.getAttributesMap().get("pci") + "-";
    try (Stream<Path> links = Files.list(Path.of("/dev/dri/by-path"))) {
      List<Path> own =
          links.filter(link -> String.valueOf(link.getFileName()).startsWith(place)).toList();
      List<String> names = new java.util.ArrayList<>();
      for (Path link : own) {
        names.add(String.valueOf(link.toRealPath().getFileName()));
      }
      return names;
    }
  }

  private static String open(String container, String path) {
    return node.cri().exec(container, "sh", "-c", ": <" + path).getStderr().toStringUtf8();
  }
}
