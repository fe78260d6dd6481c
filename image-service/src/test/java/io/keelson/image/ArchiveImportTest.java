package io.keelson.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keelson.image.fixture.LayerTar;
import io.keelson.image.fixture.MemoryFolders;
import io.keelson.image.fixture.TestImage;
import io.keelson.image.fixture.TestImage.Compression;
import io.keelson.image.request.Cancellation;
import io.keelson.image.request.PullProgress;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.error.KeelsonException;
import io.keelson.sandbox.error.NotFoundException;
import io.keelson.sandbox.error.OperationFailedException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Images from files and folders. */
class ArchiveImportTest {

  private static final String NAMED = "{\"io.containerd.image.name\":\"team/app:1\"}";

  @TempDir(factory = MemoryFolders.class)
  Path folder;

  private Images images;
  private TestImage image;

  @BeforeEach
  void open() throws IOException {
    images = Images.open(ImageSettings.defaults(folder.resolve("root")));
    image =
        TestImage.of(
            new LayerTar().file("a", "lower").file("b", "x"), new LayerTar().file("a", "upper"));
  }

  @AfterEach
  void close() throws IOException {
    images.provisioner().recover(List.of());
    images.close();
  }

  private List<String> take(Path archive, @Nullable String name) throws IOException {
    return images.importArchive("", archive, name, PullProgress.NONE, Cancellation.never());
  }

  private Path layout(String annotations) throws IOException {
    Path layout = folder.resolve("layout");
    image.writeLayout(layout, annotations);
    return layout;
  }

  private Path dockerArchive(Compression compression, String... tags) throws IOException {
    Path tar = folder.resolve("image.tar");
    Files.write(tar, TestImage.compress(image.dockerArchive(tags).bytes(), compression));
    return tar;
  }

  @Test
  void layoutInAFolder() throws IOException {
    assertThat(take(layout(NAMED), null)).containsExactly(image.id());
    assertThat(images.status("docker.io/team/app:1").orElseThrow().repoDigests())
        .containsExactly("docker.io/team/app@" + image.manifestDigest());
    assertThat(images.provisioner().provision("c", image.id()).resolve("a")).hasContent("upper");
  }

  @Test
  void layoutInATar() throws Exception {
    Path tar = folder.resolve("layout.tar");
    Process packing =
        new ProcessBuilder("tar", "-C", layout(NAMED).toString(), "-cf", tar.toString(), ".")
            .start();
    assertThat(packing.waitFor()).isZero();
    assertThat(take(tar, "other:2")).containsExactly(image.id());
    assertThat(images.status("other:2")).isPresent();
    assertThat(images.status("team/app:1")).isEmpty();
  }

  @ParameterizedTest
  @EnumSource(Compression.class)
  void dockerArchiveAlsoCompressed(Compression compression) throws IOException {
    assertThat(take(dockerArchive(compression, "app:1", "other/app:2"), null))
        .containsExactly(image.id());
    assertThat(images.status("app:1").orElseThrow().repoTags())
        .containsExactly("docker.io/library/app:1", "docker.io/other/app:2");
    assertThat(images.provisioner().provision("c", image.id()).resolve("a")).hasContent("upper");
  }

  @Test
  void tagOfALayoutIsNoName() throws IOException {
    take(layout("{\"org.opencontainers.image.ref.name\":\"latest\"}"), null);
    assertThat(images.status(image.id()).orElseThrow().repoTags()).isEmpty();
  }

  @Test
  void changedBlobIsRefused() throws IOException {
    Path layout = layout(NAMED);
    Path blob = layout.resolve("blobs/sha256/" + image.layers().getFirst().substring(7));
    byte[] content = Files.readAllBytes(blob);
    content[9] ^= 1;
    Files.write(blob, content);
    assertThatThrownBy(() -> take(layout, null))
        .isInstanceOf(OperationFailedException.class)
        .hasMessageContaining("came with the digest");
    assertThat(images.list()).isEmpty();
    try (Stream<Path> left = Files.list(folder.resolve("root/images/layers"))) {
      assertThat(left).isEmpty();
    }
  }

  @Test
  void whatIsNoArchiveIsRefused() throws IOException {
    Path file = folder.resolve("file");
    Files.writeString(file, "x".repeat(5000));
    assertThatThrownBy(() -> take(file, null)).isInstanceOf(InvalidRequestException.class);
    Files.write(file, new LayerTar().file("etc/passwd", "x").bytes());
    assertThatThrownBy(() -> take(file, null))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("no image archive");
    Files.write(file, new LayerTar().file("manifest.json", "[{\"Config\":7}]").bytes());
    assertThatThrownBy(() -> take(file, null)).isInstanceOf(KeelsonException.class);
    assertThatThrownBy(() -> take(folder.resolve("none"), null))
        .isInstanceOf(NotFoundException.class);
    assertThatThrownBy(() -> take(layout(NAMED), "Bad Name"))
        .isInstanceOf(InvalidRequestException.class);
  }

  @Test
  void archiveDoesNotReachOtherFilesOfTheHost() throws IOException {
    Path secret = folder.resolve("secret");
    Files.writeString(secret, "{\"rootfs\":{\"diff_ids\":[]}}");
    Path archive = Files.createDirectory(folder.resolve("archive"));
    Files.writeString(
        archive.resolve("manifest.json"), "[{\"Config\":\"../secret\",\"Layers\":[]}]");
    assertThatThrownBy(() -> take(archive, null)).hasMessageContaining("lacks");
    Files.createSymbolicLink(archive.resolve("link"), secret);
    Files.writeString(archive.resolve("manifest.json"), "[{\"Config\":\"link\",\"Layers\":[]}]");
    assertThatThrownBy(() -> take(archive, null)).hasMessageContaining("lacks");
  }

  @Test
  void cancelledImportLeavesNothing() throws IOException {
    Cancellation cancellation = new Cancellation();
    cancellation.cancel();
    Path archive = dockerArchive(Compression.NONE, "app:1");
    assertThatThrownBy(
            () -> images.importArchive("", archive, null, PullProgress.NONE, cancellation))
        .isInstanceOf(java.util.concurrent.CancellationException.class);
    assertThat(images.list()).isEmpty();
    try (Stream<Path> left = Files.list(folder.resolve("root/images/ingest"))) {
      assertThat(left).isEmpty();
    }
  }

  @Test
  void whoListensAndThrowsSpoilsNothing() throws IOException {
    PullProgress broken =
        new PullProgress() {
          @Override
          public void resolved(String imageId, int layers, long totalBytes) {
            throw new java.util.concurrent.CancellationException("the client has gone");
          }
        };
    Path archive = dockerArchive(Compression.NONE, "app:1");
    assertThat(images.importArchive("", archive, null, broken, Cancellation.never()))
        .containsExactly(image.id());
  }

  @Test
  void foldersWithoutAnEntryAreAsBelow() throws Exception {
    image =
        TestImage.of(
            new LayerTar()
                .folder("./", 0750)
                .folder("tmp/", 01777, entry -> entry.setIds(7, 8))
                .folder("srv/", 0700)
                .file("srv/x", "x"),
            new LayerTar().file("tmp/in-it", "x").file("var/new", "x"),
            new LayerTar().file("tmp/in-it", "y"));
    take(layout(NAMED), null);
    Path root = images.provisioner().provision("c", image.id());
    assertThat(mode(root.resolve("tmp"))).isEqualTo("1777 7 8");
    assertThat(mode(root)).isEqualTo("750 0 0");
    assertThat(mode(root.resolve("var"))).isEqualTo("755 0 0");
    assertThat(mode(root.resolve("srv"))).isEqualTo("700 0 0");
  }

  private static String mode(Path path) throws IOException, InterruptedException {
    Process stat = new ProcessBuilder("stat", "-c", "%a %u %g", path.toString()).start();
    String output = new String(stat.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(stat.waitFor()).isZero();
    return output.strip();
  }
}
