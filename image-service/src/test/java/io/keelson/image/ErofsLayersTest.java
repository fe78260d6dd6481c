package io.keelson.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.keelson.image.fixture.LayerTar;
import io.keelson.image.fixture.MemoryFolders;
import io.keelson.image.fixture.TestImage;
import io.keelson.image.fixture.TestRegistry;
import io.keelson.image.fixture.TreeListing;
import io.keelson.image.request.Cancellation;
import io.keelson.image.request.PullRequest;
import io.keelson.image.rootfs.RootBackend;
import io.keelson.image.store.StoreCheck;
import io.keelson.linux.MountInfo;
import io.keelson.sandbox.error.UnsupportedException;
import io.keelson.sandbox.port.ImageDescription;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Layers that are kept as erofs images, on a disk: the kernel mounts no file of a tmpfs. */
class ErofsLayersTest {

  @TempDir Path root;

  private TestRegistry registry;

  @BeforeEach
  void open() throws IOException {
    assumeThat(Path.of("/usr/bin/mkfs.erofs")).exists();
    registry = new TestRegistry();
  }

  @AfterEach
  void close() {
    if (registry != null) {
      registry.close();
    }
  }

  private Images images() throws IOException {
    return Images.open(
        ImageSettings.defaults(root).with(RootBackend.EROFS).withSealAfter(Duration.ofMillis(20)));
  }

  private List<MountInfo> mounts() throws IOException {
    return MountInfo.read().stream().filter(mount -> mount.mountPoint().startsWith(root)).toList();
  }

  @Test
  void aContainerSeesWhatItSeesOfFolders() throws Exception {
    String reference = registry.push(UmociComparisonTest.image(), "app", "1");
    try (Images folders = Images.open(ImageSettings.defaults(root.resolve("folders")));
        Images packed =
            Images.open(ImageSettings.defaults(root.resolve("packed")).with(RootBackend.EROFS))) {
      String id = folders.pull(PullRequest.of(reference));
      packed.pull(PullRequest.of(reference));
      try {
        Path merged = packed.provisioner().provision("c", id);
        assertThat(TreeListing.withoutHoles(TreeListing.of(merged)))
            .isEqualTo(
                TreeListing.withoutHoles(TreeListing.of(folders.provisioner().provision("c", id))));
        Files.writeString(merged.resolve("etc/kept"), "changed");
        assertThat(merged.resolve("etc/kept")).hasContent("changed");
      } finally {
        packed.provisioner().release("c");
        folders.provisioner().release("c");
      }
    }
    assertThat(mounts()).isEmpty();
  }

  @Test
  void eachLayerIsMountedOnceAndOverRestarts() throws Exception {
    TestImage image =
        TestImage.of(
            new LayerTar().folder("a/", 0755).file("a/one", "1"),
            new LayerTar().file("b/implied", "2"));
    String reference = registry.push(image, "app", "1");
    FileSystemUsage used;
    ImageDescription described;
    try (Images images = images()) {
      String id = images.pull(PullRequest.of(reference));
      described = images.status(id).orElseThrow();
      assertThat(mounts()).hasSize(2).allMatch(mount -> mount.type().equals("erofs"));
      Path layer = mounts().getFirst().mountPoint();
      assertThatThrownBy(() -> Files.createFile(layer.resolve("new")))
          .isInstanceOf(FileSystemException.class);
      images.provisioner().provision("c", id);
      images.provisioner().provision("d", id);
      assertThat(mounts()).hasSize(4);
    }
    // The roots have mounts of their own, which go on while no daemon runs.
    assertThat(root.resolve("rootfs/c/merged/a/one")).hasContent("1");
    assertThat(mounts()).hasSize(2).noneMatch(mount -> mount.type().equals("erofs"));
    try (Images images = images()) {
      images.provisioner().recover(List.of("c", "d"));
      assertThat(mounts()).hasSize(4);
      assertThat(images.status(image.id())).contains(described);
      used = images.imageUsage();
      awaitSeals(images);
      assertThat(images.imageUsage()).isEqualTo(used);
      images.provisioner().release("c");
      images.provisioner().release("d");
      images.remove(reference);
      assertThat(mounts()).isEmpty();
      assertThat(root.resolve("images/layers")).isEmptyDirectory();
    }
  }

  private static void awaitSeals(Images images) throws Exception {
    StoreCheck.Report report = images.check(Cancellation.never());
    for (int i = 0; i < 500 && report.unsealed() > 0; i++) {
      Thread.sleep(20);
      report = images.check(Cancellation.never());
    }
    assertThat(report).isEqualTo(new StoreCheck.Report(1, 2, 0, List.of()));
  }

  @Test
  void layersOfBothKindsGoTogether() throws Exception {
    LayerTar below = new LayerTar().file("below", "1");
    TestImage first = TestImage.of(below);
    TestImage second = TestImage.of(below, new LayerTar().file("above", "2"));
    try (Images images = Images.open(ImageSettings.defaults(root))) {
      images.pull(PullRequest.of(registry.push(first, "app", "1")));
    }
    try (Images images = images()) {
      String id = images.pull(PullRequest.of(registry.push(second, "app", "2")));
      assertThat(mounts()).hasSize(1);
      Path merged = images.provisioner().provision("c", id);
      assertThat(merged.resolve("below")).hasContent("1");
      assertThat(merged.resolve("above")).hasContent("2");
      images.provisioner().release("c");
    }
    // Also where it is not asked for any more.
    try (Images images = Images.open(ImageSettings.defaults(root))) {
      Path merged = images.provisioner().provision("c", second.id());
      assertThat(merged.resolve("above")).hasContent("2");
      images.provisioner().release("c");
    }
  }

  @Test
  void whereItCannotBeTheStartSaysWhy(@TempDir(factory = MemoryFolders.class) Path memory)
      throws Exception {
    assumeThat(Files.getFileStore(memory).type()).isEqualTo("tmpfs");
    assertThatThrownBy(
            () -> Images.open(ImageSettings.defaults(memory).with(RootBackend.EROFS)).close())
        .isInstanceOf(UnsupportedException.class)
        .hasMessageContaining("images.backend")
        .hasMessageContaining("Linux 6.12");
    assertThat(memory.resolve("images/ingest")).isEmptyDirectory();
  }
}
