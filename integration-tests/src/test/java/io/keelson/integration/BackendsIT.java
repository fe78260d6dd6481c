package io.keelson.integration;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.keelson.integration.harness.Cri;
import io.keelson.integration.harness.Shell;
import io.keelson.integration.harness.TarFile;
import io.keelson.integration.harness.TestImage;
import io.keelson.integration.harness.TestNode;
import io.keelson.integration.harness.TestRegistry;
import io.keelson.proto.cri.v1.ContainerConfig;
import io.keelson.proto.cri.v1.ImageSpec;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Containers on roots that are copies, and on roots that are the image itself. */
class BackendsIT {

  @RegisterExtension
  static final TestNode copy =
      TestNode.create().set("images.backend", "\"copy\"").set("images.keep_blobs", "true");

  @RegisterExtension
  static final TestNode bind = TestNode.create().set("images.backend", "\"bind\"");

  private static String run(TestNode node, String name, String image) {
    PodSandboxConfig pod = node.pod(name).build();
    ContainerConfig config =
        node.sleeper("main").setImage(ImageSpec.newBuilder().setImage(image)).build();
    return node.cri().run(node.cri().runPod(pod), config, pod);
  }

  /** What a container's root is, as its processes see it. */
  private static String root(TestNode node, String id) {
    return node.cri()
        .output(id, "cat", "/proc/self/mountinfo")
        .lines()
        .filter(line -> line.split(" ", -1)[4].equals("/"))
        .findFirst()
        .orElseThrow();
  }

  @Test
  void aCopyIsTheContainersOwn() {
    Cri cri = copy.cri();
    String id = run(copy, "one", TestNode.IMAGE);
    assertThat(root(copy, id)).doesNotContain(" overlay ").contains("/rootfs/" + id);
    assertThat(cri.exec(id, "sh", "-c", "echo mine > /bin/new && rm /bin/ls").getExitCode())
        .isZero();
    String other = run(copy, "other", TestNode.IMAGE);
    assertThat(cri.exec(other, "ls", "/bin/new").getExitCode()).isNotZero();
    assertThat(cri.output(id, "cat", "/bin/new")).isEqualTo("mine");
  }

  @Test
  void theImageItselfIsReadAndNotWritten() throws IOException {
    Cri cri = bind.cri();
    // Nobody can make what the pod's files are mounted on.
    TarFile targets = new TarFile();
    for (String name : List.of("hostname", "hosts", "resolv.conf")) {
      targets.file("etc/" + name, 0644, new byte[0]);
    }
    String image = "test.invalid/whole:1";
    cri.importImage(
        TestImage.busybox()
            .with(targets)
            .writeDockerArchive(bind.folder("images").resolve("whole.tar"), image),
        "");
    String id = run(bind, "one", image);
    assertThat(root(bind, id)).contains(" ro,").doesNotContain("upperdir");
    assertThat(cri.output(id, "cat", "/www/index.html")).isEqualTo("hello from the pod");
    assertThat(cri.exec(id, "touch", "/bin/new").getExitCode()).isNotZero();
    assertThat(cri.output(run(bind, "other", image), "cat", "/www/index.html"))
        .isEqualTo("hello from the pod");
    bind.removeAllPods();
    cri.removeImage(image);
  }

  @Test
  void layersAreKeptAsTheyCameOnlyIfThatIsWantedAndThenTheyAreChecked() throws IOException {
    TestImage image = TestImage.busybox("{\"User\":\"blobs\"}");
    try (TestRegistry registry = TestRegistry.plain(copy.folder("registry"))) {
      registry.push(image, "team/app", "1");
      for (TestNode node : List.of(copy, bind)) {
        // The node's own image came with a tar, and has the same layer.
        node.cri().removeImage(TestNode.IMAGE);
        node.cri().pull(registry.host() + "/team/app:1");
      }
    }
    assertThat(blobs(bind)).isEmpty();
    assertThat(blobs(copy)).hasSize(1);
    Path blob = blobs(copy).getFirst();
    assertThat(blob).hasBinaryContent(image.layerBlobs().getFirst().content());

    assertThat(Shell.output(copy.keelson("images", "--check").toArray(String[]::new)))
        .contains("all is well");
    Files.write(blob, "x".getBytes(UTF_8));
    Shell.Result result = Shell.run(copy.keelson("images", "--check"));
    assertThat(result.exitCode()).isEqualTo(1);
    assertThat(result.output()).contains("blob", "1 damaged");
    copy.cri().removeImage(image.id());
    assertThat(blob).doesNotExist();
  }

  private static List<Path> blobs(TestNode node) throws IOException {
    try (Stream<Path> layers = Files.list(node.root().resolve("images/layers"))) {
      return layers.map(layer -> layer.resolve("blob")).filter(Files::exists).toList();
    }
  }
}
