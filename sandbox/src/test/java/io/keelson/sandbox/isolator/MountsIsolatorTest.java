package io.keelson.sandbox.isolator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keelson.linux.Mounts;
import io.keelson.proto.cri.v1.ImageSpec;
import io.keelson.proto.cri.v1.Mount;
import io.keelson.proto.cri.v1.MountPropagation;
import io.keelson.proto.cri.v1.NamespaceMode;
import io.keelson.proto.cri.v1.NamespaceOption;
import io.keelson.sandbox.error.FailedPreconditionException;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.error.UnsupportedException;
import io.keelson.sandbox.isolator.HostFeatures.KernelVersion;
import io.keelson.sandbox.port.ImageVolumes.ImageVolume;
import io.keelson.sandbox.spec.SpecBuilder;
import io.keelson.sandbox.spec.SpecMount;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MountsIsolatorTest {

  @TempDir Path root;
  private Given given;
  private Path volume;
  private HostFeatures host = Given.host();

  @BeforeEach
  void given() throws IOException {
    given = new Given(root);
    Files.createDirectories(given.podDirectory().resolve("shm"));
    for (String file : List.of("hosts", "hostname", "resolv.conf")) {
      Files.writeString(given.podDirectory().resolve(file), "x");
    }
    volume = Files.createDirectory(root.resolve("volume")).toRealPath();
  }

  @Test
  void givesTheKernelsFileSystemsAndThePodsFiles() throws IOException {
    assertThat(destinations())
        .containsExactly(
            "/proc",
            "/dev",
            "/dev/pts",
            "/dev/mqueue",
            "/sys",
            "/sys/fs/cgroup",
            "/etc/hostname",
            "/etc/hosts",
            "/etc/resolv.conf",
            "/dev/shm");
    assertThat(at("/sys").options()).contains("ro");
    assertThat(at("/sys/fs/cgroup").options()).contains("ro").doesNotContain("nsdelegate");
    assertThat(at("/etc/hosts").options()).contains("rw");
    assertThat(at("/dev/shm").source()).isEqualTo(given.podDirectory().resolve("shm").toString());
  }

  @Test
  void thePodsFilesAreReadOnlyWithTheRoot() throws IOException {
    given.security(security -> security.setReadonlyRootfs(true));
    assertThat(at("/etc/hosts").options()).contains("ro");
    assertThat(at("/dev/shm").options()).contains("nosuid", "nodev", "noexec", "rw");
  }

  @Test
  void privilegedMayWriteSysfsAndCgroups() throws IOException {
    given.privileged();
    assertThat(at("/sys").options()).contains("rw").doesNotContain("ro");
    assertThat(at("/sys/fs/cgroup").options()).contains("rw", "nsdelegate");
  }

  @Test
  void theHostsIpcHasTheHostsSharedMemory() throws IOException {
    given.podOptions(NamespaceOption.newBuilder().setIpc(NamespaceMode.NODE).build());
    assertThat(at("/dev/shm").source()).isEqualTo("/dev/shm");
  }

  @Test
  void theCallersMountsReplaceDefaultsAndGoByDepth() throws IOException {
    given
        .config
        .addMounts(mount("/data/deep/er").build())
        .addMounts(mount("/etc/hosts/").build())
        .addMounts(mount("/data").build())
        .addMounts(mount("/sys").build());
    List<String> destinations = destinations();
    assertThat(destinations).containsSubsequence("/data", "/data/deep/er").doesNotHaveDuplicates();
    assertThat(at("/etc/hosts").source()).isEqualTo(volume.toString());
    assertThat(at("/sys").type()).isEqualTo("bind");
  }

  @Test
  void theirDevDropsWhatWouldLieInOurs() throws IOException {
    given.config.addMounts(mount("/dev").build());
    assertThat(destinations()).doesNotContain("/dev/pts", "/dev/mqueue").contains("/dev/shm");
    assertThat(at("/dev").source()).isEqualTo(volume.toString());
  }

  @Test
  void aMissingSourceIsMadeAndLinksAreFollowed() throws IOException {
    Path link = Files.createSymbolicLink(root.resolve("link"), volume);
    given
        .config
        .addMounts(mount("/a").setHostPath(root.resolve("new/folder").toString()).build())
        .addMounts(mount("/b").setHostPath(link.toString()).setReadonly(true).build());
    SpecBuilder spec = prepared();
    assertThat(root.resolve("new/folder")).isDirectory();
    assertThat(spec.reportedMounts())
        .extracting(Mount::getHostPath)
        .last()
        .isEqualTo(volume.toString());
    assertThat(at("/b").source()).isEqualTo(volume.toString());
    assertThat(at("/b").options()).containsExactly("rbind", "rprivate", "ro");
  }

  @Test
  void aLinkThatLeadsNowhereIsRefused() throws IOException {
    Path link = Files.createSymbolicLink(root.resolve("dangling"), root.resolve("nothing"));
    given.config.addMounts(mount("/a").setHostPath(link.toString()).build());
    assertThatThrownBy(this::prepared)
        .isInstanceOf(FailedPreconditionException.class)
        .hasMessageContaining("dangling");
  }

  @Test
  void takesTheThreeMountOptionsAndNoOther() throws IOException {
    given.config.addMounts(mount("/a").addMountOptions("noexec").addMountOptions("nosuid").build());
    assertThat(at("/a").options()).contains("noexec", "nosuid");
    given.config.addMounts(mount("/b").addMountOptions("dev").build());
    assertThatThrownBy(this::prepared)
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("'dev'");
  }

  @Test
  void recursiveReadOnlyHasItsRules() throws IOException {
    given.config.addMounts(mount("/a").setReadonly(true).setRecursiveReadOnly(true).build());
    assertThat(at("/a").options()).contains("rro").doesNotContain("ro");

    host = withKernel(5, 10);
    assertThatThrownBy(this::prepared)
        .isInstanceOf(UnsupportedException.class)
        .hasMessageStartingWith("RROUnsupported");

    host = Given.host();
    given.config.setMounts(0, mount("/a").setRecursiveReadOnly(true));
    assertThatThrownBy(this::prepared).isInstanceOf(InvalidRequestException.class);
    given.config.setMounts(
        0,
        mount("/a")
            .setReadonly(true)
            .setRecursiveReadOnly(true)
            .setPropagation(MountPropagation.PROPAGATION_HOST_TO_CONTAINER));
    assertThatThrownBy(this::prepared).isInstanceOf(InvalidRequestException.class);
  }

  @Test
  void propagationNeedsASourceThatTakesPart() throws IOException {
    Path shared = Files.createDirectory(root.resolve("shared"));
    Mounts.mount("tmpfs", shared, "tmpfs", 0, "size=64k");
    try {
      Mounts.makePrivate(shared, false);
      given.config.addMounts(
          mount("/a")
              .setHostPath(shared.toString())
              .setPropagation(MountPropagation.PROPAGATION_HOST_TO_CONTAINER));
      assertThatThrownBy(this::prepared)
          .isInstanceOf(InvalidRequestException.class)
          .hasMessageContaining(shared.toString());

      Mounts.makeShared(shared, false);
      assertThat(prepared().rootfsPropagation()).isEqualTo("rslave");
      assertThat(at("/a").options()).contains("rslave");

      given.config.addMounts(
          mount("/b")
              .setHostPath(shared.toString())
              .setPropagation(MountPropagation.PROPAGATION_BIDIRECTIONAL));
      assertThat(prepared().rootfsPropagation()).isEqualTo("rshared");
      assertThat(at("/b").options()).contains("rshared");
    } finally {
      Mounts.detach(shared);
    }
  }

  @Test
  void bindsImagesReadOnlyAndReportsTheirIds() throws IOException {
    given.config.addMounts(imageMount().setImageSubPath("etc"));
    SpecBuilder spec = prepared();
    assertThat(at("/a").source()).isEqualTo("/images/busybox/etc");
    assertThat(at("/a").options()).contains("ro", "nosuid", "nodev").doesNotContain("noexec");
    assertThat(spec.reportedMounts().getFirst().getImage().getImageRef()).isEqualTo("sha256:1");
    assertThat(spec.reportedMounts().getFirst().getHostPath()).isEmpty();
  }

  @Test
  void refusesImagesThatWouldBeWrittenTo() {
    given.config.addMounts(imageMount().setReadonly(false));
    assertThatThrownBy(this::prepared).isInstanceOf(InvalidRequestException.class);
    given.config.setMounts(0, imageMount().setHostPath("/tmp"));
    assertThatThrownBy(this::prepared).isInstanceOf(InvalidRequestException.class);
  }

  private Mount.Builder imageMount() {
    return mount("/a")
        .clearHostPath()
        .setReadonly(true)
        .setImage(ImageSpec.newBuilder().setImage("busybox"));
  }

  @Test
  void refusesWhatMakesNoSense() {
    given.config.addMounts(mount("/a").clearHostPath());
    assertThatThrownBy(this::prepared).isInstanceOf(InvalidRequestException.class);
    assertThatThrownBy(this::prepared).isInstanceOf(InvalidRequestException.class);
    given.config.setMounts(0, mount("/a").setHostPath("relative"));
    assertThatThrownBy(this::prepared).isInstanceOf(InvalidRequestException.class);
    given.config.setMounts(0, mount("data"));
    assertThatThrownBy(this::prepared).isInstanceOf(InvalidRequestException.class);
    given.config.setMounts(0, mount(""));
    assertThatThrownBy(this::prepared).isInstanceOf(InvalidRequestException.class);
  }

  private Mount.Builder mount(String containerPath) {
    return Mount.newBuilder().setContainerPath(containerPath).setHostPath(volume.toString());
  }

  private static HostFeatures withKernel(int major, int minor) {
    HostFeatures usual = Given.host();
    return new HostFeatures(
        true,
        true,
        true,
        List.of(),
        usual.capabilities(),
        -1000,
        true,
        false,
        Optional.empty(),
        false,
        true,
        new KernelVersion(major, minor),
        "amd64");
  }

  private SpecBuilder prepared() throws IOException {
    return given.prepared(
        new MountsIsolator(
            host,
            new HostPaths(Duration.ofSeconds(10)),
            (_, image, path, _, _) ->
                new ImageVolume(Path.of("/images", image, path), "sha256:1")));
  }

  private List<String> destinations() throws IOException {
    return prepared().mounts().stream().map(SpecMount::destination).toList();
  }

  private SpecMount at(String destination) throws IOException {
    Optional<SpecMount> found =
        prepared().mounts().stream()
            .filter(mount -> mount.destination().equals(destination))
            .findFirst();
    assertThat(found).as("mount at %s", destination).isPresent();
    return found.orElseThrow();
  }
}
