package io.keelson.integration;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Status;
import io.keelson.integration.harness.ContainerGroup;
import io.keelson.integration.harness.Cri;
import io.keelson.integration.harness.Shell;
import io.keelson.integration.harness.TarFile;
import io.keelson.integration.harness.TestImage;
import io.keelson.integration.harness.TestNode;
import io.keelson.linux.tree.FileLabels;
import io.keelson.proto.cri.v1.ContainerConfig;
import io.keelson.proto.cri.v1.ImageSpec;
import io.keelson.proto.cri.v1.Mount;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import io.keelson.proto.cri.v1.SELinuxOption;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A host with SELinux that enforces the policy of its distribution. */
class SelinuxVM {

  @RegisterExtension static final TestNode node = TestNode.create();

  private static final String INIT = "/proc/1/attr/current";
  private static final Pattern PROCESS =
      Pattern.compile("system_u:system_r:container_t:(s0:c\\d+,c\\d+)");
  private static final String FILE = "system_u:object_r:container_file_t:";

  @BeforeAll
  static void enforce() {
    Shell.output("setenforce", "1");
  }

  @AfterAll
  static void relent() {
    Shell.output("setenforce", "0");
  }

  @Test
  void aPodsContainersShareALevelThatNoOtherPodHas() throws IOException {
    PodSandboxConfig pod = node.pod("one").build();
    String podId = node.cri().runPod(pod);
    String first = node.cri().run(podId, node.sleeper("first").build(), pod);
    String second = node.cri().run(podId, node.sleeper("second").build(), pod);
    String level = level(first);
    assertThat(level(second)).isEqualTo(level);
    assertThat(level(run("two"))).isNotEqualTo(level);
    assertThat(label(first, "/proc/self/attr/current"))
        .as("of an exec")
        .isEqualTo("system_u:system_r:container_t:" + level);

    // The files of the one are the files of the other, and so is what is the pod's.
    node.cri().output(first, "sh", "-c", "echo x > /root/x; echo shared > /dev/shm/x");
    assertThat(node.cri().output(second, "cat", "/dev/shm/x")).isEqualTo("shared");
    assertThat(node.cri().output(second, "cat", "/etc/resolv.conf", "/etc/hosts", "/etc/hostname"))
        .isNotEmpty();
    assertThat(FileLabels.of(rootOf(first).resolve("root/x"))).contains(FILE + level);
    assertThat(FileLabels.of(rootOf(first).resolve("bin/busybox"))).contains(FILE + level);
  }

  @Test
  void volumesAreForPodsThatHaveThemLabelled() throws IOException {
    Path volume = node.folder("volume");
    Files.writeString(Files.createDirectory(volume.resolve("below")).resolve("file"), "content");
    Mount plain = mount(volume).build();
    String without = run("without", plain);
    assertThat(read(without)).as("before it is labelled").isEqualTo("denied");

    String owner = run("owner", plain.toBuilder().setSelinuxRelabel(true).build());
    assertThat(FileLabels.of(volume.resolve("below/file"))).contains(FILE + level(owner));
    assertThat(read(owner)).isEqualTo("content");
    node.cri().output(owner, "touch", "/data/new");
    assertThat(read(without)).as("another pod's").isEqualTo("denied");
  }

  @Test
  void whatThePodOrTheContainerAsksForIsTaken() throws IOException {
    SELinuxOption level = SELinuxOption.newBuilder().setLevel("s0:c1,c2").build();
    PodSandboxConfig.Builder config = node.pod("asks");
    config.getLinuxBuilder().getSecurityContextBuilder().setSelinuxOptions(level);
    PodSandboxConfig pod = config.build();
    String podId = node.cri().runPod(pod);
    String plain = node.cri().run(podId, node.sleeper("plain").build(), pod);
    assertThat(level(plain)).isEqualTo("s0:c1,c2");
    assertThat(FileLabels.of(rootOf(plain).resolve("bin/busybox"))).contains(FILE + "s0:c1,c2");

    ContainerConfig.Builder free = node.sleeper("free");
    free.getLinuxBuilder()
        .getSecurityContextBuilder()
        .setSelinuxOptions(SELinuxOption.newBuilder().setType("spc_t"));
    String container = node.cri().run(podId, free.build(), pod);
    assertThat(label(container, INIT)).isEqualTo("system_u:system_r:spc_t:s0:c1,c2");
  }

  @Test
  void aPrivilegedContainerIsNotConfined() throws IOException {
    Path volume = node.folder("of-the-host");
    Files.createDirectory(volume.resolve("below"));
    Files.writeString(volume.resolve("below/file"), "content");
    PodSandboxConfig.Builder config = node.pod("privileged");
    config.getLinuxBuilder().getSecurityContextBuilder().setPrivileged(true);
    PodSandboxConfig pod = config.build();
    ContainerConfig.Builder container = node.sleeper("main").addMounts(mount(volume));
    container.getLinuxBuilder().getSecurityContextBuilder().setPrivileged(true);
    String id = node.cri().run(node.cri().runPod(pod), container.build(), pod);
    assertThat(label(id, INIT)).doesNotContain("container_t");
    assertThat(read(id)).isEqualTo("content");
    assertThat(FileLabels.of(volume).orElse("")).doesNotContain("container_file_t");
  }

  @Test
  void theNodesVolumesAndImagesAreReadByWhoMountsThem() throws IOException {
    String image = "example.org/files:1";
    node.cri()
        .importImage(
            new TestImage(
                    List.of(new TarFile().file("file", 0644, "of image".getBytes(UTF_8)).bytes()),
                    "{}")
                .writeLayout(node.folder("image"), image),
            "");
    PodSandboxConfig pod =
        node.pod("volumes")
            .putAnnotations("volumes.keelson.io/memory", "{\"tmpfs\": {}}")
            .putAnnotations("volumes.keelson.io/shared", "{\"sandboxPath\": {}}")
            .build();
    ContainerConfig.Builder container =
        node.sleeper("main")
            .putAnnotations("mounts.keelson.io/memory", "/memory")
            .putAnnotations("mounts.keelson.io/shared", "/shared")
            .addMounts(
                Mount.newBuilder()
                    .setContainerPath("/image")
                    .setReadonly(true)
                    .setImage(ImageSpec.newBuilder().setImage(image)));
    String id = node.cri().run(node.cri().runPod(pod), container.build(), pod);
    node.cri().output(id, "sh", "-c", "echo m > /memory/x; echo s > /shared/x");
    assertThat(node.cri().output(id, "cat", "/memory/x", "/shared/x", "/image/file"))
        .isEqualTo("m\ns\nof image");
  }

  @Test
  void whatCannotBeLabelledIsRefusedInWords() {
    Failures.Outcome host =
        Failures.of(() -> run("host", mount(Path.of("/usr")).setSelinuxRelabel(true).build()));
    assertThat(host.code()).isEqualTo(Status.Code.INVALID_ARGUMENT);
    assertThat(host.message()).contains("/usr");

    PodSandboxConfig.Builder pod = node.pod("unknown");
    pod.getLinuxBuilder()
        .getSecurityContextBuilder()
        .setSelinuxOptions(SELinuxOption.newBuilder().setType("nobody_has_it_t"));
    Failures.Outcome unknown =
        Failures.of(
            () ->
                node.cri()
                    .run(node.cri().runPod(pod.build()), node.sleeper("x").build(), pod.build()));
    assertThat(unknown.code()).isEqualTo(Status.Code.INVALID_ARGUMENT);
    assertThat(unknown.message()).contains("system_u:system_r:nobody_has_it_t:s0");
  }

  private static Mount.Builder mount(Path source) {
    return Mount.newBuilder().setHostPath(source.toString()).setContainerPath("/data");
  }

  private static String read(String container) {
    var read = node.cri().exec(container, "cat", "/data/below/file");
    return read.getStderr().toStringUtf8().contains("Permission denied")
        ? "denied"
        : read.getStdout().toStringUtf8();
  }

  private static String run(String name, Mount... mounts) {
    PodSandboxConfig pod = node.pod(name).build();
    Cri cri = node.cri();
    return cri.run(
        cri.runPod(pod), node.sleeper("main").addAllMounts(List.of(mounts)).build(), pod);
  }

  /** The kernel ends some with a zero. */
  private static String label(String container, String file) {
    return node.cri().output(container, "cat", file).replace("\0", "").strip();
  }

  private static String level(String container) {
    String label = label(container, INIT);
    Matcher matcher = PROCESS.matcher(label);
    assertThat(matcher.matches()).as(label).isTrue();
    return matcher.group(1);
  }

  /** The container's root as its own processes see it. */
  private static Path rootOf(String container) throws IOException {
    return Path.of("/proc", "" + ContainerGroup.pids(container).getFirst(), "root");
  }
}
