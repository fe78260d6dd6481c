package io.keelson.integration;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.keelson.integration.harness.Cri;
import io.keelson.integration.harness.Shell;
import io.keelson.integration.harness.TarFile;
import io.keelson.integration.harness.TestDaemon;
import io.keelson.integration.harness.TestImage;
import io.keelson.integration.harness.TestNode;
import io.keelson.linux.MountInfo;
import io.keelson.linux.Mounts;
import io.keelson.proto.cri.v1.ImageSpec;
import io.keelson.proto.cri.v1.Mount;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Containers on layers that are erofs images ({@code images.backend = "erofs"}). */
class ErofsLayersIT {

  private static final String MODEL = "example.org/model:1";

  @RegisterExtension
  static final TestNode node = TestNode.create().set("images.backend", "\"erofs\"");

  /** The mounts of layers, and not the clones that roots have of them. */
  private static List<MountInfo> layers() throws IOException {
    return MountInfo.read().stream()
        .filter(mount -> mount.mountPoint().startsWith(node.root().resolve("images")))
        .toList();
  }

  private static String importModel() throws IOException {
    TarFile lower =
        new TarFile()
            .folder("weights", 0755)
            .file("weights/a", 0644, "first".getBytes(UTF_8))
            .file("weights/gone", 0644, new byte[1]);
    TarFile upper = new TarFile().file("weights/.wh.gone", 0644, new byte[0]);
    return node.cri()
        .importImage(
            new TestImage(List.of(lower.bytes(), upper.bytes()), "{}")
                .writeLayout(node.folder("model"), MODEL),
            "")
        .getFirst();
  }

  @Test
  void containersAndVolumesRunOnThemOverACrashAndARestart() throws Exception {
    Cri cri = node.cri();
    assertThat(layers()).hasSize(1).allMatch(mount -> mount.type().equals("erofs"));
    importModel();
    assertThat(layers()).hasSize(3);
    PodSandboxConfig pod = node.pod("packed").build();
    String podId = cri.runPod(pod);
    Mount volume =
        Mount.newBuilder()
            .setContainerPath("/model")
            .setReadonly(true)
            .setImage(ImageSpec.newBuilder().setImage(MODEL))
            .build();
    String id = cri.run(podId, node.sleeper("main").addMounts(volume).build(), pod);
    assertThat(cri.output(id, "ls", "/model/weights")).isEqualTo("a");
    assertThat(cri.exec(id, "sh", "-c", "echo mine > /bin/new && rm /bin/ls").getExitCode())
        .isZero();

    node.killAndStart();
    assertThat(layers()).hasSize(3);
    assertThat(cri.output(id, "cat", "/bin/new", "/model/weights/a")).isEqualTo("mine\nfirst");
    node.daemon().terminate();
    assertThat(layers()).isEmpty();
    node.daemon().start();
    cri.reconnect();
    assertThat(cri.output(id, "cat", "/bin/new", "/model/weights/a")).isEqualTo("mine\nfirst");
    String second = cri.run(podId, node.sleeper("second").build(), pod);
    assertThat(cri.exec(second, "ls", "/bin/new").getExitCode()).isNotZero();

    node.removeAllPods();
    cri.removeImage(MODEL);
    assertThat(layers()).hasSize(1);
  }

  @Test
  void aPodWithAUserNamespaceOwnsTheFilesOfItsImage() {
    PodSandboxConfig.Builder pod = node.pod("mapped");
    pod.getLinuxBuilder().getSecurityContextBuilder().setNamespaceOptions(TestNode.OWN_USERS);
    Cri cri = node.cri();
    String id = cri.run(cri.runPod(pod.build()), node.sleeper("main").build(), pod.build());
    assertThat(cri.output(id, "stat", "-c", "%u:%g", "/bin/sh")).isEqualTo("0:0");
    assertThat(cri.exec(id, "touch", "/bin/new").getExitCode()).isZero();
  }

  @Test
  void aHostThatCannotDoItIsToldAtTheStart() throws Exception {
    Path memory = node.folder("memory");
    Mounts.mount("memory", memory, "tmpfs", 0, null);
    try {
      Shell.Result result =
          Shell.run(
              List.of(
                  TestDaemon.installation().resolve("bin/keelson").toString(),
                  "serve",
                  "--config",
                  node.configuration().toString(),
                  "--root",
                  memory.resolve("root").toString(),
                  "--state",
                  memory.resolve("state").toString()));
      assertThat(result.exitCode()).isNotZero();
      assertThat(result.output()).contains("images.backend is \"erofs\"").contains("Linux 6.12");
    } finally {
      Mounts.detach(memory);
    }
  }
}
