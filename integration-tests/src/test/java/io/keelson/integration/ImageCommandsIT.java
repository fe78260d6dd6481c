package io.keelson.integration;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Status;
import io.keelson.integration.harness.Cri;
import io.keelson.integration.harness.LyingRegistry;
import io.keelson.integration.harness.MetricsEndpoint;
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
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What people do with images on the command line: all forms that they come in, and the check. */
class ImageCommandsIT {

  @RegisterExtension
  static final TestNode node = TestNode.create().set("images.pinned", "[\"example.org/pinned*\"]");

  private static final MetricsEndpoint METRICS = MetricsEndpoint.of(node);

  /** Seconds that no verifier needs. */
  private static final int PLENTY = 30;

  private static final Path POLICY = node.base().resolve("policy.json");

  static {
    node.set("images.signature_policy", "\"" + POLICY + "\"");
  }

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
  void thePolicyAndItsVerifierDecide() throws IOException {
    Path asked = node.folder("verifier").resolve("asked");
    double before = pulls("signature");
    try (TestRegistry registry = TestRegistry.plain(node.folder("registry"))) {
      String name = registry.host() + "/team/app:1";
      String digest = registry.push(image, "team/app", "1");
      Shell.Result result = keelson("pull", name);
      assertThat(result.exitCode()).isNotZero();
      assertThat(result.output()).contains("SignatureValidationFailed", POLICY.toString());

      verify("echo unsigned >&2; exit 3", PLENTY);
      assertThat(refused(name)).contains("v refuses", "unsigned");
      verify("sleep 60", 1);
      assertThat(refused(name)).contains("no end within");
      verify("cat > " + asked, PLENTY);
      assertThat(node.cri().pull(name)).isEqualTo(image.id());
      assertThat(asked).hasContent(name + "\n" + digest + "\n");
      node.cri().removeImage(name);
    } finally {
      Files.deleteIfExists(POLICY);
    }
    assertThat(pulls("signature") - before).isEqualTo(3);
  }

  private static void verify(String script, int seconds) throws IOException {
    Path program = node.folder("verifier").resolve("verify");
    Files.writeString(program, "#!/bin/sh\n" + script + "\n");
    Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwx------"));
    Files.writeString(
        POLICY,
        """
        {"verifiers": {"v": {"command": ["%s"], "seconds": %d}}, "default": ["v"]}
        """
            .formatted(program, seconds));
  }

  private static String refused(String name) {
    Failures.Outcome outcome = Failures.of(() -> node.cri().pull(name));
    assertThat(outcome.code()).isEqualTo(Status.Code.UNKNOWN);
    assertThat(outcome.message()).startsWith("SignatureValidationFailed");
    assertThat(node.cri().listImages()).hasSize(1);
    return outcome.message();
  }

  @Test
  void whatPullsCostAndWhyTheyFailIsCounted() throws Exception {
    Files.writeString(POLICY, "{}");
    byte[] noise = new byte[100_000];
    new Random(4).nextBytes(noise);
    try (TestRegistry registry = TestRegistry.plain(node.folder("counted"));
        LyingRegistry liar =
            new LyingRegistry(
                new TestImage(List.of(new TarFile().file("lie", 0644, noise).bytes()), "{}"), 0)) {
      registry.push(image, "team/app", "1");
      registry.push(image, "other/app", "1");
      double bytes = counted("keelson_image_fetched_bytes_total");
      double fetched = layers("fetched");
      double present = layers("present");
      double unpacked = stage("unpack");
      double done = pulls("success");
      node.cri().pull(registry.host() + "/team/app:1");
      assertThat(counted("keelson_image_fetched_bytes_total") - bytes)
          .isEqualTo(image.layerBlobs().stream().mapToInt(blob -> blob.content().length).sum());
      assertThat(layers("fetched") - fetched).isEqualTo(image.layers().size());
      assertThat(stage("unpack") - unpacked).isEqualTo(image.layers().size());
      node.cri().pull(registry.host() + "/other/app:1");
      assertThat(layers("fetched") - fetched).isEqualTo(image.layers().size());
      assertThat(layers("present") - present).isEqualTo(image.layers().size());
      assertThat(pulls("success") - done).isEqualTo(2);
      for (String each : List.of("resolve", "verify", "wait", "unpack", "publish")) {
        assertThat(stage(each)).as(each).isPositive();
      }

      double missed = pulls("not_found");
      Failures.of(() -> node.cri().pull(registry.host() + "/team/app:none"));
      assertThat(pulls("not_found") - missed).isEqualTo(1);
      // Other bytes may be told from the digest, or from what is no gzip any more.
      double wrong = pulls("corrupt") + pulls("invalid");
      Failures.of(() -> node.cri().pull(liar.swapsBytes().image()));
      assertThat(pulls("corrupt") + pulls("invalid") - wrong)
          .as(METRICS.get("/metrics"))
          .isEqualTo(1);
      assertThat(counted("keelson_image_pulls_in_progress")).isZero();
    } finally {
      node.cri().removeImage(image.id());
      Files.deleteIfExists(POLICY);
    }
  }

  private static double pulls(String result) {
    return counted("keelson_image_pulls_total{result=\"" + result + "\",}");
  }

  private static double layers(String result) {
    return counted("keelson_image_layers_total{result=\"" + result + "\",}");
  }

  private static double stage(String stage) {
    return counted("keelson_image_stage_seconds_count{stage=\"" + stage + "\",}");
  }

  /** What has never happened is not listed. */
  private static double counted(String sample) {
    String metrics = METRICS.get("/metrics");
    return metrics.contains(sample + " ") ? MetricsEndpoint.value(metrics, sample) : 0;
  }
}
