package io.keelson.image;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keelson.image.fixture.LayerTar;
import io.keelson.image.fixture.MemoryFolders;
import io.keelson.image.fixture.TestImage;
import io.keelson.image.fixture.TestImage.Compression;
import io.keelson.image.reference.Digest;
import io.keelson.image.request.Cancellation;
import io.keelson.image.request.PullProgress;
import io.keelson.sandbox.error.FailedPreconditionException;
import io.keelson.sandbox.error.InvalidRequestException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.StringJoiner;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** OCI artifacts: what is in a registry and is no container image. */
class ArtifactTest {

  @TempDir(factory = MemoryFolders.class)
  Path folder;

  private final StringJoiner layers = new StringJoiner(",");
  private Images images;
  private Path layout;

  @BeforeEach
  void open() throws IOException {
    images = Images.open(ImageSettings.defaults(folder.resolve("root")));
    layout = folder.resolve("layout");
    Files.createDirectories(layout.resolve("blobs/sha256"));
    Files.writeString(layout.resolve("oci-layout"), "{\"imageLayoutVersion\":\"1.0.0\"}");
  }

  @AfterEach
  void close() throws IOException {
    images.provisioner().recover(List.of());
    images.close();
  }

  private String blob(byte[] content, String mediaType, String more) throws IOException {
    Digest digest = Digest.of(content);
    Files.write(layout.resolve("blobs/sha256").resolve(digest.hex()), content);
    return "{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%d%s}"
        .formatted(mediaType, digest, content.length, more);
  }

  private void layer(byte[] content, String mediaType, String annotations) throws IOException {
    layers.add(blob(content, mediaType, ",\"annotations\":{" + annotations + "}"));
  }

  private void file(String title, String content) throws IOException {
    layer(
        content.getBytes(UTF_8),
        "application/vnd.acme.weights",
        "\"org.opencontainers.image.title\":\"" + title + "\"");
  }

  private String take() throws IOException {
    String config = blob("{}".getBytes(UTF_8), "application/vnd.oci.empty.v1+json", "");
    String manifest =
        "{\"schemaVersion\":2,\"artifactType\":\"application/vnd.acme\",\"config\":%s,\"layers\":[%s]}"
            .formatted(config, layers);
    String entry = blob(manifest.getBytes(UTF_8), "application/vnd.oci.image.manifest.v1+json", "");
    Files.writeString(
        layout.resolve("index.json"), "{\"schemaVersion\":2,\"manifests\":[" + entry + "]}");
    String id =
        images
            .importArchive("", layout, "team/model:1", PullProgress.NONE, Cancellation.never())
            .getFirst();
    assertThat(id).isEqualTo(Digest.of(manifest.getBytes(UTF_8)).toString());
    return id;
  }

  @Test
  void itsBlobsAreFilesOfAVolume() throws IOException {
    file("config.json", "{}");
    file("sub/größe.bin", "big");
    byte[] tar = new LayerTar().folder("docs/", 0750).file("docs/a", "from a tar").bytes();
    layer(
        TestImage.compress(tar, Compression.GZIP),
        "application/vnd.oci.image.layer.v1.tar+gzip",
        "\"org.opencontainers.image.title\":\"docs\",\"io.deis.oras.content.unpack\":\"true\"");
    layer("nameless".getBytes(UTF_8), "application/octet-stream", "");
    String id = take();

    Path shown = images.volumes().mount("c", "team/model:1", "", Optional.empty(), "").source();
    assertThat(shown.resolve("config.json")).hasContent("{}");
    assertThat(shown.resolve("sub/größe.bin")).hasContent("big");
    assertThat(shown.resolve("docs/a")).hasContent("from a tar");
    assertThat(shown.resolve(Digest.of("nameless".getBytes(UTF_8)).hex())).hasContent("nameless");
    assertThatThrownBy(() -> images.remove(id))
        .isInstanceOf(FailedPreconditionException.class)
        .hasMessageContaining("container c");
    images.provisioner().release("c");
    assertThat(images.status(id).orElseThrow().repoTags())
        .containsExactly("docker.io/team/model:1");
  }

  @Test
  void itIsStillThereAfterARestart() throws IOException {
    file("a", "content");
    String id = take();
    images.close();
    images = Images.open(ImageSettings.defaults(folder.resolve("root")));
    assertThat(images.volumes().mount("c", id, "a", Optional.empty(), "").source())
        .hasContent("content");
  }

  @Test
  void aFileCannotLeaveItsLayer() throws IOException {
    file("../../../../../../etc/keelson-was-here", "x");
    assertThatThrownBy(this::take).isInstanceOf(InvalidRequestException.class);
    assertThat(Path.of("/etc/keelson-was-here")).doesNotExist();
  }

  @Test
  void aFileWhoseContentBeliesItsDigestIsRefused() throws IOException {
    file("a", "content");
    Files.writeString(
        layout.resolve("blobs/sha256").resolve(Digest.of("content".getBytes(UTF_8)).hex()),
        "CONTENT");
    assertThatThrownBy(this::take).hasMessageContaining("sha256:");
    assertThat(images.list()).isEmpty();
  }

  @Test
  void noContainerIsMadeOfIt() throws IOException {
    file("a", "content");
    String id = take();
    assertThatThrownBy(() -> images.provisioner().provision("c", id))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("artifact");
    images.remove(id);
  }
}
