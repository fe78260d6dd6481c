package io.keelson.integration;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Status;
import io.keelson.integration.harness.Cri;
import io.keelson.integration.harness.TarFile;
import io.keelson.integration.harness.TestImage;
import io.keelson.integration.harness.TestNode;
import io.keelson.integration.harness.TestRegistry;
import io.keelson.proto.cri.v1.ImageSpec;
import io.keelson.proto.cri.v1.Mount;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import java.io.IOException;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Images as volumes of containers (CRI, Mount.image). */
class ImageVolumesIT {

  @RegisterExtension static final TestNode node = TestNode.create();

  private static final String MODEL = "example.org/model:1";
  private static Path layout;
  private static String model;

  @BeforeAll
  static void images() throws IOException {
    TarFile lower =
        new TarFile()
            .folder("weights", 0755)
            .file("weights/a", 0644, "first".getBytes(UTF_8))
            .file("weights/gone", 0644, new byte[1])
            .file("run", 0755, "#!/bin/sh\necho runs\n".getBytes(UTF_8))
            .symlink("link", "/weights")
            .symlink("out", "../../etc");
    TarFile upper =
        new TarFile()
            .file("weights/b", 0644, "second".getBytes(UTF_8))
            .file("weights/.wh.gone", 0644, new byte[0]);
    layout =
        new TestImage(List.of(lower.bytes(), upper.bytes()), "{}")
            .writeLayout(node.folder("model"), MODEL);
    model = importModel();
  }

  private static String importModel() {
    return node.cri().importImage(layout, "").getFirst();
  }

  @Test
  void theMergedLayersAreSeenAndNobodyWritesToThem() {
    String id = run("merged", image("/model").build());
    Cri cri = node.cri();
    assertThat(cri.output(id, "ls", "/model/weights")).isEqualTo("a\nb");
    assertThat(cri.exec(id, "touch", "/model/new").getExitCode()).isNotZero();
    assertThat(cri.exec(id, "mount", "-o", "remount,rw", "/model").getExitCode()).isNotZero();
    assertThat(cri.output(id, "/model/run")).isEqualTo("runs");
    assertThat(cri.status(id).getMountsList())
        .singleElement()
        .satisfies(
            mount -> {
              assertThat(mount.getImage().getImage()).isEqualTo(MODEL);
              assertThat(mount.getImage().getImageRef()).isEqualTo(model);
              assertThat(mount.getHostPath()).isEmpty();
              assertThat(mount.getReadonly()).isTrue();
            });
  }

  @Test
  void partsOfAnImage() {
    String id =
        run(
            "parts",
            image("/folder").setImageSubPath("weights").build(),
            image("/file").setImageSubPath("weights/b").build(),
            image("/linked").setImageSubPath("link").build());
    Cri cri = node.cri();
    assertThat(cri.output(id, "cat", "/folder/a", "/file", "/linked/b"))
        .isEqualTo("firstsecondsecond");
  }

  @Test
  void whatIsNotInTheImageIsRefusedInTheWordsThatKubeletsKnow() {
    for (String path : List.of("none", "weights/a/below", "out/passwd")) {
      Failures.Outcome failure = refused(image("/x").setImageSubPath(path).build());
      assertThat(failure.code()).isEqualTo(Status.Code.UNKNOWN);
      assertThat(failure.message()).startsWith("ImageVolumeMountFailed").contains(path);
    }
    for (String path : List.of("/weights", "../weights", "a/../../b")) {
      assertThat(refused(image("/x").setImageSubPath(path).build()).code())
          .isEqualTo(Status.Code.INVALID_ARGUMENT);
    }
    assertThat(refused(image("/x").setReadonly(false).build()).code())
        .isEqualTo(Status.Code.INVALID_ARGUMENT);
    Mount.Builder unknown = image("/x");
    unknown.getImageBuilder().setImage("example.org/unknown");
    assertThat(refused(unknown.build()).message()).startsWith("ImageVolumeMountFailed");
  }

  @Test
  void anImageThatIsMountedStaysEvenOverACrash() throws IOException {
    String id = run("held", image("/model").build());
    Cri cri = node.cri();
    assertThat(Failures.of(() -> cri.removeImage(MODEL)).code())
        .isEqualTo(Status.Code.FAILED_PRECONDITION);
    node.killAndStart();
    assertThat(Failures.of(() -> cri.removeImage(model)).message()).contains(id);
    assertThat(cri.output(id, "cat", "/model/weights/a")).isEqualTo("first");

    node.removeAllPods();
    cri.removeImage(MODEL);
    assertThat(cri.listImages()).noneMatch(image -> image.getId().equals(model));
    assertThat(importModel()).isEqualTo(model);
  }

  /** What is in a registry and is no image: its blobs are files, named by their titles. */
  @Test
  void anArtifactOfARegistryIsAVolume() throws IOException {
    Cri cri = node.cri();
    try (TestRegistry registry = TestRegistry.plain(node.folder("registry"))) {
      String manifest =
          "{\"schemaVersion\":2,\"artifactType\":\"application/vnd.acme.model\",\"config\":%s,\"layers\":[%s,%s]}"
              .formatted(
                  pushed(registry, "{}", "application/vnd.oci.empty.v1+json", ""),
                  pushed(registry, "tiny", "application/vnd.acme.part", title("card.txt")),
                  pushed(registry, "numbers", "application/vnd.acme.part", title("parts/1.bin")));
      byte[] content = manifest.getBytes(UTF_8);
      registry.pushManifest(
          "team/model", "1", "application/vnd.oci.image.manifest.v1+json", content);
      String name = registry.host() + "/team/model:1";
      String artifact = cri.pull(name);
      assertThat(artifact).isEqualTo(TestImage.digest(content));

      Mount whole =
          Mount.newBuilder()
              .setContainerPath("/model")
              .setReadonly(true)
              .setImage(ImageSpec.newBuilder().setImage(name))
              .build();
      Mount part = whole.toBuilder().setContainerPath("/parts").setImageSubPath("parts").build();
      String id = run("artifact", whole, part);
      assertThat(cri.output(id, "cat", "/model/card.txt", "/parts/1.bin")).isEqualTo("tinynumbers");
      assertThat(cri.exec(id, "touch", "/parts/new").getExitCode()).isNotZero();
      assertThat(cri.status(id).getMountsList())
          .hasSize(2)
          .allSatisfy(
              mount -> {
                assertThat(mount.getImage().getImageRef()).isEqualTo(artifact);
                assertThat(mount.getReadonly()).isTrue();
              });
      node.removeAllPods();
      cri.removeImage(name);
    }
  }

  private static String title(String name) {
    return ",\"annotations\":{\"org.opencontainers.image.title\":\"" + name + "\"}";
  }

  private static String pushed(TestRegistry registry, String content, String mediaType, String more)
      throws IOException {
    byte[] bytes = content.getBytes(UTF_8);
    String digest = TestImage.digest(bytes);
    registry.pushBlob("team/model", digest, BodyPublishers.ofByteArray(bytes));
    return "{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%d%s}"
        .formatted(mediaType, digest, bytes.length, more);
  }

  private static Mount.Builder image(String path) {
    return Mount.newBuilder()
        .setContainerPath(path)
        .setReadonly(true)
        .setImage(ImageSpec.newBuilder().setImage(MODEL));
  }

  private static Failures.Outcome refused(Mount mount) {
    return Failures.of(() -> run("refused", mount));
  }

  private static String run(String name, Mount... mounts) {
    PodSandboxConfig pod = node.pod(name).build();
    return node.cri()
        .run(
            node.cri().runPod(pod),
            node.sleeper("main").addAllMounts(List.of(mounts)).build(),
            pod);
  }
}
