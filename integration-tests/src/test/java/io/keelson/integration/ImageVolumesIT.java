package io.keelson.integration;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Status;
import io.keelson.integration.harness.Cri;
import io.keelson.integration.harness.TarFile;
import io.keelson.integration.harness.TestImage;
import io.keelson.integration.harness.TestNode;
import io.keelson.proto.cri.v1.ImageSpec;
import io.keelson.proto.cri.v1.Mount;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import java.io.IOException;
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
