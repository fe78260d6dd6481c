package io.keelson.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keelson.image.fixture.LayerTar;
import io.keelson.image.fixture.MemoryFolders;
import io.keelson.image.fixture.TestImage;
import io.keelson.image.fixture.TestRegistry;
import io.keelson.image.request.PullRequest;
import io.keelson.image.rootfs.RootBackend;
import io.keelson.linux.IdMapping;
import io.keelson.linux.Mounts;
import io.keelson.linux.UserNamespaces;
import io.keelson.sandbox.error.UnsupportedException;
import io.keelson.sandbox.port.PodUserNamespace;
import io.keelson.sandbox.port.RootOptions;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The ways in which root file systems are made, and the option to keep blobs. */
class BackendsTest {

  @TempDir(factory = MemoryFolders.class)
  Path root;

  private TestRegistry registry;

  @BeforeEach
  void open() throws IOException {
    registry = new TestRegistry();
  }

  @AfterEach
  void close() {
    registry.close();
  }

  private static TestImage image() {
    return TestImage.of(
        new LayerTar()
            .folder("etc/", 0750)
            .file("etc/name", "lower")
            .file("gone", "x")
            .folder("hidden/", 0755)
            .file("hidden/below", "x"),
        new LayerTar()
            .file("etc/name", "upper")
            .file(".wh.gone", "")
            .file("hidden/.wh..wh..opq", "")
            .file("hidden/above", "y"));
  }

  @ParameterizedTest
  @EnumSource(value = RootBackend.class, mode = EnumSource.Mode.EXCLUDE, names = "EROFS")
  void showsTheMergedLayers(RootBackend backend) throws IOException {
    try (Images images = Images.open(ImageSettings.defaults(root).with(backend))) {
      String id = images.pull(PullRequest.of(registry.push(image(), "app", "1")));
      Path merged = images.provisioner().provision("c", id);
      try {
        assertThat(merged.resolve("etc/name")).hasContent("upper");
        assertThat(merged.resolve("gone")).doesNotExist();
        assertThat(merged.resolve("hidden/below")).doesNotExist();
        assertThat(merged.resolve("hidden/above")).hasContent("y");
        assertThat(Files.getPosixFilePermissions(merged.resolve("etc"))).hasSize(5);
        if (backend == RootBackend.BIND) {
          assertThatThrownBy(() -> Files.writeString(merged.resolve("new"), "x"))
              .isInstanceOf(FileSystemException.class);
          assertThat(images.containerUsage().usedBytes()).isZero();
        } else {
          Files.write(merged.resolve("new"), new byte[100_000]);
          assertThat(images.containerUsage().usedBytes()).isGreaterThan(100_000);
        }
        assertThat(Mounts.isMountPoint(merged)).isEqualTo(backend != RootBackend.COPY);
      } finally {
        images.provisioner().release("c");
      }
      assertThat(root.resolve("rootfs")).isEmptyDirectory();
      Path again = images.provisioner().provision("c2", id);
      assertThat(again.resolve("new")).doesNotExist();
      images.provisioner().release("c2");
    }
  }

  @Test
  void aRootThatAnotherBackendMadeStaysAndGoes() throws IOException {
    try (Images images = Images.open(ImageSettings.defaults(root).with(RootBackend.COPY))) {
      String id = images.pull(PullRequest.of(registry.push(image(), "app", "1")));
      Files.writeString(images.provisioner().provision("c", id).resolve("new"), "mine");
    }
    try (Images images = Images.open(ImageSettings.defaults(root))) {
      images.provisioner().recover(List.of("c"));
      assertThat(images.provisioner().rootfs("c").resolve("new")).hasContent("mine");
      images.provisioner().release("c");
      assertThat(root.resolve("rootfs")).isEmptyDirectory();
    }
  }

  /** Red if such a pod gets a root whose files are nobody's, or if the reason is not told. */
  @Test
  void layersWhoseOwnersCannotBeMappedAreRefused() throws IOException {
    Path store = Files.createDirectory(root.resolve("store"));
    for (String folder : List.of("l", "u", "w")) {
      Files.createDirectory(root.resolve(folder));
    }
    String options =
        Stream.of("lowerdir=l", "upperdir=u", "workdir=w")
            .map(option -> option.replace("=", "=" + root + "/"))
            .collect(Collectors.joining(","));
    Mounts.mount("overlay", store, "overlay", 0, options); // no overlay can be mounted so itself
    IdMapping ids = new IdMapping(0, 100_000, 65_536);
    try (Images images = Images.open(ImageSettings.defaults(store).with(RootBackend.COPY));
        UserNamespaces.Held held = UserNamespaces.hold(ids, ids)) {
      TestImage image = TestImage.of(new LayerTar().file("name", "x"));
      String id = images.pull(PullRequest.of(registry.push(image, "app", "1")));
      RootOptions owners =
          new RootOptions(Optional.of(new PodUserNamespace(held.path(), ids, ids)), "", "");
      assertThatThrownBy(() -> images.provisioner().provision("c", id, owners))
          .isInstanceOf(UnsupportedException.class)
          .hasMessageContaining("pods with a user namespace")
          .hasMessageContaining(store.toString());
      images.provisioner().release("c");
      assertThat(store.resolve("rootfs")).isEmptyDirectory();
    } finally {
      Mounts.detach(store);
    }
  }

  @Test
  void blobsAreKeptOnlyIfAskedFor() throws IOException {
    TestImage image = image();
    String reference = registry.push(image, "app", "1");
    try (Images images = Images.open(ImageSettings.defaults(root.resolve("a")))) {
      images.pull(PullRequest.of(reference));
      assertThat(blobs(root.resolve("a"))).isEmpty();
    }
    try (Images images = Images.open(ImageSettings.defaults(root.resolve("b")).withBlobs())) {
      images.pull(PullRequest.of(reference));
      assertThat(blobs(root.resolve("b")))
          .containsExactlyInAnyOrderElementsOf(image.layers().stream().map(image::blob).toList());
      images.remove(reference);
      assertThat(blobs(root.resolve("b"))).isEmpty();
    }
  }

  private static List<byte[]> blobs(Path root) throws IOException {
    try (Stream<Path> layers = Files.list(root.resolve("images/layers"))) {
      List<Path> files =
          layers.map(layer -> layer.resolve("blob")).filter(Files::exists).sorted().toList();
      return files.stream().map(BackendsTest::read).toList();
    }
  }

  private static byte[] read(Path file) {
    try {
      return Files.readAllBytes(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
