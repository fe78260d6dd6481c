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
import io.keelson.proto.cri.v1.Image;
import io.keelson.proto.cri.v1.ImageSpec;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
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
  void anAppcImageRuns() throws IOException {
    String manifest =
        """
        {"acKind":"ImageManifest","acVersion":"0.8.11","name":"example.org/worker",
         "labels":[{"name":"version","value":"1.0"},{"name":"os","value":"linux"}],
         "app":{"exec":["/bin/busybox","sh","-c","echo $FROM; exit 7"],"user":"0","group":"0",
           "environment":[{"name":"FROM","value":"appc"}]}}
        """;
    TarFile tar =
        new TarFile()
            .file("manifest", 0644, manifest.getBytes(UTF_8))
            .folder("rootfs", 0755)
            .folder("rootfs/bin", 0755)
            .file("rootfs/bin/busybox", 0755, Files.readAllBytes(Path.of("/bin/busybox")));
    Path aci = Files.write(node.folder("appc").resolve("worker.aci"), tar.bytes());
    String id = done("pull", "aci:" + aci).lines().toList().getLast();
    assertThat(only().getRepoTagsList()).containsExactly("example.org/worker:1.0");

    Cri cri = node.cri();
    PodSandboxConfig.Builder pod = node.pod("appc");
    ContainerConfig container =
        node.container("main").setImage(ImageSpec.newBuilder().setImage(id)).build();
    String running = cri.run(cri.runPod(pod.build()), container, pod.build());
    assertThat(cri.awaitExit(running).getExitCode()).isEqualTo(7);
    assertThat(node.log(pod, "main").text("stdout").strip()).isEqualTo("appc");
    node.removeAllPods();
    cri.removeImage(id);
  }

  @Test
  void layoutsInTarsAndJarsAreTaken() throws IOException {
    Path folder = node.folder("packed");
    Path layout = image.writeLayout(folder.resolve("layout"), "example.org/packed:1");
    Path tar = folder.resolve("layout.tar");
    Shell.output("tar", "-C", layout.toString(), "-cf", tar.toString(), ".");
    for (String form : List.of("oci:" + tar, "oci-archive:" + tar)) {
      assertThat(done("pull", form)).as(form).contains(image.id());
      assertThat(only().getRepoTagsList()).containsExactly("example.org/packed:1");
      node.cri().removeImage("example.org/packed:1");
    }

    Path jar = folder.resolve("app.jar");
    try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(jar))) {
      zip.putNextEntry(new ZipEntry("META-INF/MANIFEST.MF"));
      zip.write("Main-Class: x\n".getBytes(UTF_8));
    }
    String id =
        done("import", "tar:" + jar, "--name", "example.org/jar:1").lines().toList().getLast();
    assertThat(only().getId()).isEqualTo(id);
    assertThat(done("images"))
        .containsPattern("(?m)^" + id.substring(7, 20) + " .* example\\.org/jar:1$");
    node.cri().removeImage("example.org/jar:1");
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
