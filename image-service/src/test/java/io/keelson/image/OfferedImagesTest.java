package io.keelson.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.keelson.image.fixture.LayerTar;
import io.keelson.image.fixture.TestImage;
import io.keelson.image.fixture.TestImage.Compression;
import io.keelson.image.fixture.TestRegistry;
import io.keelson.image.manifest.MediaTypes;
import io.keelson.image.reference.Digest;
import io.keelson.image.request.PullRequest;
import io.keelson.sandbox.error.NotFoundException;
import io.keelson.sandbox.port.ImageDescription;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** What registries offer: layers of each type, images for several machines, one image twice. */
class OfferedImagesTest extends RegistryTest {

  private static TestImage image(Compression compression) {
    return TestImage.of(
        compression,
        new LayerTar().folder("etc/", 0755).file("etc/name", "lower").file("gone", "x"),
        new LayerTar(),
        new LayerTar().file("etc/name", "upper").file(".wh.gone", ""));
  }

  /** The last two call their layers what they are not, as some tools have done. */
  @ParameterizedTest
  @CsvSource({
    "oci.image.layer.v1.tar, NONE",
    "oci.image.layer.v1.tar+gzip, GZIP",
    "oci.image.layer.v1.tar+zstd, ZSTD",
    "oci.image.layer.nondistributable.v1.tar, NONE",
    "oci.image.layer.nondistributable.v1.tar+gzip, GZIP",
    "oci.image.layer.nondistributable.v1.tar+zstd, ZSTD",
    "docker.image.rootfs.diff.tar, NONE",
    "docker.image.rootfs.diff.tar.gzip, GZIP",
    "docker.image.rootfs.diff.tar.zstd, ZSTD",
    "docker.image.rootfs.foreign.diff.tar.gzip, GZIP",
    "docker.image.rootfs.diff.tar.gzip, NONE",
    "oci.image.layer.v1.tar, ZSTD",
  })
  void layersOfEachTypeAreTaken(String type, Compression compression) throws IOException {
    TestImage image = image(compression);
    String manifest =
        new String(image.manifest(), StandardCharsets.UTF_8)
            .replaceAll("application/vnd\\.oci\\.image\\.layer[^\"]*", "application/vnd." + type);
    String reference =
        registry.push(image, manifest.getBytes(StandardCharsets.UTF_8), "team/app", "1");

    assertThat(images.pull(PullRequest.of(reference))).isEqualTo(image.id());
    Path merged = images.provisioner().provision("c", image.id());
    assertThat(merged.resolve("etc/name")).hasContent("upper");
    assertThat(merged.resolve("gone")).doesNotExist();
  }

  /** Some builders write no end of archive for a step that changed nothing: the tar has no byte. */
  @ParameterizedTest
  @EnumSource(Compression.class)
  void aLayerWithoutAByteIsEmpty(Compression compression) throws IOException {
    TestImage image =
        TestImage.ofTars(compression, List.of(new LayerTar().file("a", "1").bytes(), new byte[0]));
    images.pull(PullRequest.of(registry.push(image, "team/app", "1")));
    assertThat(images.provisioner().provision("c", image.id()).resolve("a")).hasContent("1");
  }

  /** What the dynamic loader finds of the processor: another judge than the one that is tested. */
  private static List<String> levelsOfTheProcessor() throws IOException {
    Path loader = Path.of("/lib64/ld-linux-x86-64.so.2");
    assumeTrue(TestImage.architecture().equals("amd64") && Files.exists(loader));
    Process help = new ProcessBuilder(loader.toString(), "--help").start();
    String text = new String(help.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assumeTrue(text.contains("x86-64-v"));
    return Stream.of("v1", "v2", "v3", "v4")
        .filter(level -> level.equals("v1") || text.contains("x86-64-" + level + " (supported"))
        .toList();
  }

  @Test
  void theBestVariantThatRunsHereIsTaken() throws IOException {
    List<String> levels = levelsOfTheProcessor();
    TestImage plain = image(Compression.GZIP);
    List<String> entries = new ArrayList<>();
    entries.add(pushed(TestImage.variant(plain, "windows")).entry("windows", "amd64", ""));
    entries.add(pushed(TestImage.variant(plain, "arm")).entry("linux", "arm64", "v8"));
    for (String level : List.of("v4", "v3", "v2", "v1")) {
      entries.add(pushed(TestImage.variant(plain, level)).entry("linux", "amd64", level));
    }
    byte[] index = TestImage.index(MediaTypes.OCI_INDEX, entries);
    String reference = registry.push(plain, index, "team/app", "1");

    assertThat(images.pull(PullRequest.of(reference)))
        .isEqualTo(TestImage.variant(plain, levels.getLast()).id());
    // Those that are not for here have not been asked for, and the name is that of the index.
    assertThat(registry.count("/manifests/")).isEqualTo(2);
    assertThat(images.status(reference).orElseThrow().repoDigests())
        .containsExactly(registry.address() + "/team/app@" + Digest.of(index));
  }

  private TestImage pushed(TestImage image) {
    registry.push(image, "team/app", image.id().substring(7, 19));
    return image;
  }

  @Test
  void anIndexMayLeadToAnIndex() throws IOException {
    TestImage image = image(Compression.ZSTD);
    byte[] inner = image.index(MediaTypes.DOCKER_LIST);
    registry.push(image, inner, "team/app", "inner");
    String entry =
        "{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%d}"
            .formatted(MediaTypes.DOCKER_LIST, Digest.of(inner), inner.length);
    byte[] outer = TestImage.index(MediaTypes.OCI_INDEX, List.of(entry));
    assertThat(images.pull(PullRequest.of(registry.push(image, outer, "team/app", "1"))))
        .isEqualTo(image.id());
  }

  @Test
  void whatIsForOtherMachinesIsNotTaken() {
    TestImage image = image(Compression.GZIP);
    byte[] index =
        TestImage.index(
            MediaTypes.OCI_INDEX,
            List.of(
                image.entry("windows", TestImage.architecture(), ""),
                image.entry("linux", "s390x", "")));
    String reference = registry.push(image, index, "team/app", "1");
    assertThatThrownBy(() -> images.pull(PullRequest.of(reference)))
        .isInstanceOf(NotFoundException.class)
        .hasMessageContaining("linux/s390x")
        .hasMessageContaining("windows/" + TestImage.architecture());
    assertThat(registry.count("/manifests/")).isEqualTo(1);
  }

  @Test
  void oneImageOfTwoRegistriesIsOne() throws IOException {
    try (TestRegistry other = new TestRegistry()) {
      TestImage image = image(Compression.GZIP);
      String here = registry.push(image, "team/app", "1");
      String there = other.push(image, "copies/of/app", "latest");
      assertThat(images.pull(PullRequest.of(here))).isEqualTo(image.id());
      assertThat(images.pull(PullRequest.of(there))).isEqualTo(image.id());
      assertThat(other.count("/blobs/")).as("only its config is looked at").isEqualTo(1);

      ImageDescription description = images.list().getFirst();
      assertThat(images.list()).hasSize(1);
      assertThat(description.repoTags()).containsExactlyInAnyOrder(here, there);
      assertThat(description.repoDigests())
          .containsExactlyInAnyOrder(
              registry.address() + "/team/app@" + image.manifestDigest(),
              other.address() + "/copies/of/app@" + image.manifestDigest());

      images.remove(there);
      assertThat(images.list()).isEmpty();
      assertThat(images.status(here)).isEmpty();
    }
  }
}
