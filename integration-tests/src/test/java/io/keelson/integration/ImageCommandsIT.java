package io.keelson.integration;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.keelson.integration.harness.Shell;
import io.keelson.integration.harness.TarFile;
import io.keelson.integration.harness.TestImage;
import io.keelson.integration.harness.TestNode;
import io.keelson.integration.harness.TestRegistry;
import io.keelson.proto.cri.v1.Image;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What people do with images on the command line: all forms that they come in, and the check. */
class ImageCommandsIT {

  @RegisterExtension
  static final TestNode node =
      TestNode.create()
          .set("images.pinned", "[\"example.org/pinned*\"]")
          .set("images.signature_policy", "\"/nowhere/policy.json\"");

  private final TestImage image = TestImage.busybox("{\"Labels\":{\"from\":\"commands\"}}");

  private static Shell.Result keelson(String... words) {
    return Shell.run(node.keelson(words));
  }

  private static String done(String... words) {
    Shell.Result result = keelson(words);
    assertThat(result.exitCode()).as(result.output()).isZero();
    return result.output();
  }

  private static Image only() {
    return node.cri().listImages().stream()
        .filter(image -> !image.getRepoTagsList().contains(TestNode.IMAGE))
        .reduce((a, b) -> a)
        .orElseThrow();
  }

  @Test
  void eachFormIsTakenByItsName() throws IOException {
    Path folder = node.folder("forms");
    Path layout = image.writeLayout(folder.resolve("layout"), "example.org/layout:1");
    Path archive = image.writeDockerArchive(folder.resolve("a.tar"), "example.org/archive:1");
    assertThat(done("pull", "oci:" + layout)).contains(image.id());
    assertThat(done("pull", "docker-archive:" + archive)).contains(image.id());
    assertThat(done("import", archive.toString(), "--name", "example.org/pinned/it:1"))
        .contains(image.id());
    assertThat(only().getRepoTagsList())
        .containsExactly(
            "example.org/archive:1", "example.org/layout:1", "example.org/pinned/it:1");
    assertThat(only().getPinned()).isTrue();
    node.cri().removeImage("example.org/archive:1");

    Path tar = Files.write(folder.resolve("root.tar"), new TarFile().folder("d", 0755).bytes());
    Path root = Files.createDirectories(folder.resolve("root/d")).getParent();
    for (String form : List.of("tar:" + tar, "dir:" + root, "host:" + root)) {
      String id = done("pull", form, "--name", "example.org/root:1").lines().toList().getLast();
      assertThat(only().getId()).as(form).isEqualTo(id);
      assertThat(only().getPinned()).isFalse();
      node.cri().removeImage(id.substring("sha256:".length(), 19));
    }
    assertThat(keelson("pull", "aci:" + tar).output()).contains("manifest");
  }

  @Test
  void theCheckTellsWhatIsDamagedAndWhatToDo() throws Exception {
    Path archive =
        image.writeDockerArchive(node.folder("check").resolve("a.tar"), "example.org/c:1");
    done("pull", "docker-archive:" + archive);
    assertThat(done("images", "--check")).contains("all is well");
    Path store = node.root().resolve("images/images").resolve(image.id().substring(7));
    Files.write(store.resolve("config.json"), "{}".getBytes(UTF_8));
    Shell.Result result = keelson("images", "--check");
    assertThat(result.exitCode()).isEqualTo(1);
    assertThat(result.output())
        .contains("config", "keelson rmi " + image.id().substring(7, 19), "1 damaged");
    done("rmi", image.id().substring(7, 19));
    try (Stream<Path> records = Files.list(store.getParent())) {
      assertThat(records).doesNotContain(store);
    }
  }

  @Test
  void anImageThatThePolicyRefusesIsNotPulled() throws IOException {
    try (TestRegistry registry = TestRegistry.plain(node.folder("registry"))) {
      registry.push(image, "team/app", "1");
      Shell.Result result = keelson("pull", registry.host() + "/team/app:1");
      assertThat(result.exitCode()).isNotZero();
      assertThat(result.output()).contains("SignatureValidationFailed", "/nowhere/policy.json");
    }
  }
}
