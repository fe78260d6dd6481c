package io.keelson.integration;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Status;
import io.keelson.integration.harness.Cri;
import io.keelson.integration.harness.Shell;
import io.keelson.integration.harness.TestNode;
import io.keelson.proto.cri.v1.ImageSpec;
import io.keelson.proto.cri.v1.Mount;
import io.keelson.proto.cri.v1.MountPropagation;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import io.keelson.proto.cri.v1.StatusRequest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Mounts that the caller asks for. */
class MountsIT {

  @RegisterExtension static final TestNode node = TestNode.create();

  @Test
  void foldersAndFilesOfTheHost() throws IOException {
    Path folder = node.folder("volume");
    Files.writeString(folder.resolve("file"), "from the host");
    Path link = node.folder("links").resolve("link");
    Files.createSymbolicLink(link, folder);
    String id =
        run(
            "binds",
            mount(folder, "/data").build(),
            mount(folder, "/frozen").setReadonly(true).build(),
            mount(link, "/linked").build(),
            mount(folder.resolve("file"), "/etc/one-file").build(),
            mount(folder.resolve("not/there"), "/made").build());

    Cri cri = node.cri();
    assertThat(cri.output(id, "cat", "/data/file", "/linked/file", "/etc/one-file"))
        .isEqualTo("from the host".repeat(3));
    cri.output(id, "sh", "-c", "echo new > /data/new");
    assertThat(folder.resolve("new")).hasContent("new\n");
    assertThat(cri.exec(id, "touch", "/frozen/x").getExitCode()).isNotZero();
    assertThat(cri.output(id, "cat", "/frozen/new")).isEqualTo("new");
    cri.output(id, "touch", "/made/inside");
    assertThat(folder.resolve("not/there/inside")).as("what was missing is made").exists();
  }

  @Test
  void theStatusTellsOfThem() {
    Path folder = node.folder("told");
    String id = run("told", mount(folder, "/data").setReadonly(true).build());
    assertThat(node.cri().status(id).getMountsList())
        .anySatisfy(
            mount -> {
              assertThat(mount.getContainerPath()).isEqualTo("/data");
              assertThat(mount.getHostPath()).isEqualTo(folder.toString());
              assertThat(mount.getReadonly()).isTrue();
            });
  }

  @Test
  void aMountOfTheCallerReplacesADefaultOne() throws IOException {
    Path hosts = node.folder("hosts").resolve("hosts");
    Files.writeString(hosts, "192.0.2.1 mine\n");
    Path shm = node.folder("shm");
    String id = run("over", mount(hosts, "/etc/hosts").build(), mount(shm, "/dev/shm").build());
    assertThat(node.cri().output(id, "cat", "/etc/hosts")).isEqualTo("192.0.2.1 mine");
    node.cri().output(id, "touch", "/dev/shm/here");
    assertThat(shm.resolve("here")).exists();
  }

  @Test
  void nestedMountsComeInTheOrderOfTheirDepth() throws IOException {
    Path outer = node.folder("outer");
    Path inner = node.folder("inner");
    Files.createDirectories(outer.resolve("a/b"));
    Files.writeString(inner.resolve("file"), "inner");
    String id = run("nested", mount(inner, "/x/a/b").build(), mount(outer, "/x").build());
    assertThat(node.cri().output(id, "cat", "/x/a/b/file")).isEqualTo("inner");
  }

  @Test
  void propagation() throws IOException {
    Path shared = node.folder("shared");
    Shell.output("mount", "--bind", shared.toString(), shared.toString());
    try {
      Shell.output("mount", "--make-shared", shared.toString());
      Files.createDirectories(shared.resolve("later"));
      String follows =
          run(
              "follows",
              mount(shared, "/data")
                  .setPropagation(MountPropagation.PROPAGATION_HOST_TO_CONTAINER)
                  .build());
      String keeps = run("keeps", mount(shared, "/data").build());

      Shell.output("mount", "-t", "tmpfs", "later", shared.resolve("later").toString());
      Files.writeString(shared.resolve("later/file"), "late");
      assertThat(node.cri().output(follows, "cat", "/data/later/file")).isEqualTo("late");
      assertThat(node.cri().exec(keeps, "cat", "/data/later/file").getExitCode()).isNotZero();
      Shell.output("umount", shared.resolve("later").toString());

      Cri cri = node.cri();
      PodSandboxConfig.Builder builder = node.pod("both-ways");
      builder.getLinuxBuilder().getSecurityContextBuilder().setPrivileged(true);
      PodSandboxConfig pod = builder.build();
      var container =
          node.sleeper("main")
              .addMounts(
                  mount(shared, "/data")
                      .setPropagation(MountPropagation.PROPAGATION_BIDIRECTIONAL));
      container.getLinuxBuilder().getSecurityContextBuilder().setPrivileged(true);
      String both = cri.run(cri.runPod(pod), container.build(), pod);
      cri.output(
          both, "sh", "-c", "mount -t tmpfs x /data/later && echo inside > /data/later/from");
      assertThat(shared.resolve("later/from")).hasContent("inside\n");
      Shell.output("umount", shared.resolve("later").toString());
    } finally {
      Shell.run(List.of("umount", "-l", shared.resolve("later").toString()));
      Shell.run(List.of("umount", "-l", shared.toString()));
    }
  }

  @Test
  void whatCannotBePropagatedIsRefused() {
    Path folder = node.folder("private");
    assertThat(
            Failures.of(
                    () ->
                        run(
                            "refused",
                            mount(folder, "/data")
                                .setPropagation(MountPropagation.PROPAGATION_BIDIRECTIONAL)
                                .build()))
                .message())
        .contains(folder.toString());
  }

  @Test
  void readOnlyDownToTheLastSubmount() throws IOException {
    Path top = node.folder("tree");
    Files.createDirectories(top.resolve("sub"));
    Shell.output("mount", "-t", "tmpfs", "sub", top.resolve("sub").toString());
    try {
      String id =
          run(
              "recursive",
              mount(top, "/shallow").setReadonly(true).build(),
              mount(top, "/deep").setReadonly(true).setRecursiveReadOnly(true).build());
      assertThat(node.cri().exec(id, "touch", "/deep/sub/x").getExitCode()).isNotZero();
      assertThat(node.cri().exec(id, "touch", "/shallow/sub/x").getExitCode()).isZero();
    } finally {
      Shell.run(List.of("umount", "-l", top.resolve("sub").toString()));
    }
    assertThat(
            Failures.code(
                () -> run("rro-writable", mount(top, "/data").setRecursiveReadOnly(true).build())))
        .as("recursive read-only without read-only")
        .isEqualTo(Status.Code.INVALID_ARGUMENT);
    for (MountPropagation propagation :
        List.of(
            MountPropagation.PROPAGATION_HOST_TO_CONTAINER,
            MountPropagation.PROPAGATION_BIDIRECTIONAL)) {
      Mount refused =
          mount(top, "/data")
              .setReadonly(true)
              .setRecursiveReadOnly(true)
              .setPropagation(propagation)
              .build();
      assertThat(Failures.code(() -> run("rro-" + propagation.getNumber(), refused)))
          .isEqualTo(Status.Code.INVALID_ARGUMENT);
    }
    assertThat(
            node.cri()
                .runtime()
                .status(StatusRequest.getDefaultInstance())
                .getRuntimeHandlersList())
        .isNotEmpty()
        .allSatisfy(
            handler -> assertThat(handler.getFeatures().getRecursiveReadOnlyMounts()).isTrue());
  }

  @Test
  void optionsOfMounts() throws IOException {
    Path folder = node.folder("options");
    Path script = folder.resolve("script");
    Files.writeString(script, "#!/bin/sh\necho ran\n");
    Shell.output("chmod", "4755", script.toString());
    Shell.output("mknod", folder.resolve("zero").toString(), "c", "1", "5");
    String id =
        run(
            "options",
            mount(folder, "/free").build(),
            mount(folder, "/tied")
                .addMountOptions("noexec")
                .addMountOptions("nodev")
                .addMountOptions("nosuid")
                .build());
    Cri cri = node.cri();
    assertThat(cri.output(id, "/free/script")).isEqualTo("ran");
    assertThat(cri.exec(id, "sh", "-c", "/tied/script").getExitCode()).isNotZero();
    assertThat(cri.output(id, "sh", "-c", "head -c 1 /free/zero | wc -c")).isEqualTo("1");
    assertThat(cri.exec(id, "head", "-c", "1", "/tied/zero").getExitCode()).isNotZero();
    assertThat(cri.output(id, "grep", " /tied ", "/proc/mounts")).contains("nosuid");
    assertThat(cri.output(id, "grep", " /free ", "/proc/mounts")).doesNotContain("nosuid");

    assertThat(
            Failures.code(
                () -> run("unknown", mount(folder, "/x").addMountOptions("suid").build())))
        .isEqualTo(Status.Code.INVALID_ARGUMENT);
    assertThat(
            node.cri()
                .runtime()
                .status(StatusRequest.getDefaultInstance())
                .getFeatures()
                .getMountOptions())
        .isTrue();
  }

  @Test
  void impossibleMountsAreRefusedWithTheirName() {
    assertThat(Failures.code(() -> run("relative", mount(node.folder("x"), "data").build())))
        .isEqualTo(Status.Code.INVALID_ARGUMENT);
    assertThat(Failures.code(() -> run("nowhere", mount(node.folder("x"), "").build())))
        .isEqualTo(Status.Code.INVALID_ARGUMENT);
    assertThat(Failures.code(() -> run("nothing", mount(Path.of(""), "/x").build())))
        .isEqualTo(Status.Code.INVALID_ARGUMENT);
    assertThat(
            Failures.code(
                () ->
                    run(
                        "writable-image",
                        Mount.newBuilder()
                            .setContainerPath("/image")
                            .setImage(ImageSpec.newBuilder().setImage(TestNode.IMAGE))
                            .build())))
        .isNotEqualTo(Status.Code.OK);
  }

  @Test
  void aMountPointThatIsASymlinkDoesNotLeadOutOfTheContainer() throws IOException {
    Path folder = node.folder("escape");
    Path bait = node.folder("bait");
    String id = run("symlink", mount(folder, "/var/link/../../../../../../../.." + bait).build());
    node.cri().output(id, "touch", bait + "/caught");
    assertThat(bait.resolve("caught")).doesNotExist();
    assertThat(folder.resolve("caught")).exists();
  }

  private static Mount.Builder mount(Path source, String target) {
    return Mount.newBuilder().setHostPath(source.toString()).setContainerPath(target);
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
