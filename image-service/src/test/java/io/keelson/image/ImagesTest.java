package io.keelson.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.keelson.image.fixture.LayerTar;
import io.keelson.image.fixture.TestImage;
import io.keelson.image.fixture.TestImage.Compression;
import io.keelson.image.manifest.MediaTypes;
import io.keelson.image.request.PullRequest;
import io.keelson.linux.Mounts;
import io.keelson.linux.tree.Folder;
import io.keelson.linux.tree.Trees;
import io.keelson.sandbox.error.FailedPreconditionException;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.error.NotFoundException;
import io.keelson.sandbox.error.OperationFailedException;
import io.keelson.sandbox.port.ImageDescription;
import io.keelson.sandbox.port.Provisioner;
import io.prometheus.client.CollectorRegistry;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The life of images and root file systems, against a registry that is honest. */
class ImagesTest extends RegistryTest {

  private static TestImage image() {
    return TestImage.of(
        new LayerTar().folder("etc/", 0755).file("etc/name", "lower").file("gone", "x"),
        new LayerTar().file("etc/name", "upper").file(".wh.gone", ""));
  }

  @ParameterizedTest
  @EnumSource(Compression.class)
  void pulledImageBecomesARoot(Compression compression) throws IOException {
    TestImage image =
        TestImage.of(
            compression,
            new LayerTar().folder("etc/", 0755).file("etc/name", "lower").file("gone", "x"),
            new LayerTar().file("etc/name", "upper").file(".wh.gone", ""));
    String id = images.pull(PullRequest.of(registry.push(image, "team/app", "1")));

    assertThat(id).isEqualTo(image.id());
    Path merged = images.provisioner().provision("c1", id);
    assertThat(merged.resolve("etc/name")).hasContent("upper");
    assertThat(merged.resolve("gone")).doesNotExist();
    Files.writeString(merged.resolve("etc/new"), "of the container");

    Path second = images.provisioner().provision("c2", id);
    assertThat(second.resolve("etc/new")).doesNotExist();
    images.provisioner().release("c1");
    assertThat(Mounts.isMountPoint(merged)).isFalse();
    assertThat(root.resolve("rootfs/c1")).doesNotExist();
    assertThat(second.resolve("etc/name")).hasContent("upper");
  }

  @Test
  void descriptionHoldsWhatTheConfigSays() throws IOException {
    TestImage image = image();
    String reference = registry.push(image, "team/app", "1");
    images.pull(PullRequest.of(reference));

    ImageDescription description = images.status(reference).orElseThrow();
    assertThat(description.id()).isEqualTo(image.id());
    assertThat(description.repoTags()).containsExactly(reference);
    assertThat(description.repoDigests())
        .containsExactly(registry.address() + "/team/app@" + image.manifestDigest());
    assertThat(description.user()).isEqualTo("1000:100");
    assertThat(description.env()).containsExactly("PATH=/bin", "A=b");
    assertThat(description.entrypoint()).containsExactly("/entry");
    assertThat(description.command()).containsExactly("a", "b");
    assertThat(description.workingDirectory()).isEqualTo("/work");
    assertThat(description.stopSignal()).isEqualTo("SIGINT");
    assertThat(description.labels()).containsEntry("l", "v");
    assertThat(description.volumes()).containsExactly("/data");
    assertThat(description.size()).isPositive();
    assertThat(images.details(reference).orElseThrow().layers()).hasSize(2);
  }

  @Test
  void imageIsFoundByEachOfItsNames() throws IOException {
    TestImage image = image();
    String reference = registry.push(image, "team/app", "1");
    images.pull(PullRequest.of(reference));

    String hex = image.id().substring("sha256:".length());
    for (String name :
        List.of(
            reference,
            registry.address() + "/team/app@" + image.manifestDigest(),
            image.id(),
            hex,
            hex.substring(0, 12))) {
      assertThat(images.status(name)).as(name).isPresent();
    }
    for (String name : List.of("team/app", hex.substring(0, 3), "sha256:" + "0".repeat(64), "?")) {
      assertThat(images.status(name)).as(name).isEmpty();
    }
  }

  @Test
  void pullByDigestGivesNoTagAndIsChecked() throws IOException {
    TestImage image = image();
    registry.push(image, "team/app", "1");
    String name = registry.address() + "/team/app@" + image.manifestDigest();
    assertThat(images.pull(PullRequest.of(name))).isEqualTo(image.id());
    assertThat(images.status(name).orElseThrow().repoTags()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {MediaTypes.OCI_INDEX, MediaTypes.DOCKER_LIST})
  void indexLeadsToTheImageOfThisMachine(String mediaType) throws IOException {
    TestImage image = image();
    String reference = registry.push(image, image.index(mediaType), "multi", "1");
    assertThat(images.pull(PullRequest.of(reference))).isEqualTo(image.id());
  }

  @Test
  void dockersManifestsAndEmptyLayersAreTaken() throws IOException {
    TestImage image = TestImage.of(new LayerTar().file("a", "1"), new LayerTar());
    String docker = "application/vnd.docker.";
    String manifest =
        new String(image.manifest(), StandardCharsets.UTF_8)
            .replace(MediaTypes.OCI_MANIFEST, docker + "distribution.manifest.v2+json")
            .replace("application/vnd.oci.image.config.v1+json", docker + "container.image.v1+json")
            .replace(
                "application/vnd.oci.image.layer.v1.tar+gzip",
                docker + "image.rootfs.diff.tar.gzip");
    assertThat(manifest).doesNotContain("oci");
    String reference =
        registry.push(image, manifest.getBytes(StandardCharsets.UTF_8), "docker", "1");
    assertThat(images.pull(PullRequest.of(reference))).isEqualTo(image.id());
    Path merged = images.provisioner().provision("docker", image.id());
    assertThat(merged.resolve("a")).hasContent("1");
    images.provisioner().release("docker");
  }

  @Test
  void sameImageUnderTwoNamesIsOneAndGoesAtOnce() throws IOException {
    TestImage image = image();
    String a = registry.push(image, "a", "1");
    String b = registry.push(image, "other/b", "2");
    assertThat(images.pull(PullRequest.of(a))).isEqualTo(images.pull(PullRequest.of(b)));
    assertThat(images.list()).hasSize(1);
    assertThat(registry.count(image.layers().getFirst())).isEqualTo(1);

    images.remove(b);
    assertThat(images.list()).isEmpty();
    assertThat(images.status(a)).isEmpty();
    assertThat(folders("layers")).isEmpty();
    images.remove(a);
  }

  @Test
  void tagThatMovesLeavesTheOldImageWithoutIt() throws IOException {
    TestImage old = image();
    String reference = registry.push(old, "app", "1");
    images.pull(PullRequest.of(reference));
    TestImage next = TestImage.variant(old, "next");
    registry.push(next, "app", "1");
    images.pull(PullRequest.of(reference));

    reopen(settings());
    assertThat(images.status(reference).orElseThrow().id()).isEqualTo(next.id());
    assertThat(images.status(old.id()).orElseThrow().repoTags()).isEmpty();
    // Both stand on the same layers, which go with the last of them.
    images.remove(next.id());
    assertThat(folders("layers")).hasSize(2);
    images.remove(old.id());
    assertThat(folders("layers")).isEmpty();
  }

  @Test
  void imageInUseIsNotRemoved() throws IOException {
    String reference = registry.push(image(), "app", "1");
    String id = images.pull(PullRequest.of(reference));
    Provisioner provisioner = images.provisioner();
    try (Provisioner.Hold hold = provisioner.hold(reference)) {
      assertThat(hold.image().id()).isEqualTo(id);
      assertThatThrownBy(() -> images.remove(id)).isInstanceOf(FailedPreconditionException.class);
    }
    provisioner.provision("c1", id);
    assertThatThrownBy(() -> images.remove(reference))
        .isInstanceOf(FailedPreconditionException.class)
        .hasMessageContaining("c1");
    reopen(settings());
    assertThatThrownBy(() -> images.remove(reference))
        .isInstanceOf(FailedPreconditionException.class);
    images.provisioner().release("c1");
    images.remove(reference);
    assertThat(images.list()).isEmpty();
  }

  /** Whoever comes first: the image is removed, or the container has all of it. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aRemovalAndAUseAtOnceAreOneAfterTheOther(boolean asVolume) throws Exception {
    String reference = registry.push(image(), "app", "1");
    for (int round = 0; round < 60; round++) {
      images.pull(PullRequest.of(reference));
      long later = TimeUnit.MICROSECONDS.toNanos(5L * (round - 30));
      CyclicBarrier start = new CyclicBarrier(2);
      FutureTask<Boolean> removal =
          new FutureTask<>(
              () -> {
                start.await();
                LockSupport.parkNanos(later);
                images.remove(reference);
                return true;
              });
      Thread remover = Thread.startVirtualThread(removal);
      start.await();
      LockSupport.parkNanos(-later); // one of both, or neither, waits
      boolean used = true;
      try {
        Path content = asVolume ? mounted(reference) : provisioned(reference);
        assertThat(content.resolve("etc/name")).as("round %d", round).hasContent("upper");
      } catch (NotFoundException e) {
        used = false;
      } catch (OperationFailedException e) {
        assertThat(e).hasMessageContaining("ImageVolumeMountFailed");
        used = false;
      }
      remover.join();
      assertThat(removal.state())
          .as("round %d", round)
          .isEqualTo(used ? Future.State.FAILED : Future.State.SUCCESS);
      images.provisioner().release("c");
      images.remove(reference);
      assertThat(images.status(reference)).isEmpty();
    }
  }

  private Path provisioned(String reference) throws IOException {
    try (Provisioner.Hold hold = images.provisioner().hold(reference)) {
      return images.provisioner().provision("c", hold.image().id());
    }
  }

  private Path mounted(String reference) throws IOException {
    return images.volumes().mount("c", reference, "", Optional.empty(), "").source();
  }

  @Test
  void recoverReleasesWhatNobodyKnows() throws IOException {
    String id = images.pull(PullRequest.of(registry.push(image(), "app", "1")));
    Path kept = images.provisioner().provision("kept", id);
    images.provisioner().provision("lost", id);
    Files.writeString(kept.resolve("written"), "x");
    reopen(settings());
    images.provisioner().recover(List.of("kept"));
    assertThat(root.resolve("rootfs/lost")).doesNotExist();
    assertThat(kept.resolve("written")).hasContent("x");
    assertThat(images.containerUsage().inodesUsed()).isEqualTo(2);
  }

  @Test
  void provisioningAgainStartsEmpty() throws IOException {
    String id = images.pull(PullRequest.of(registry.push(image(), "app", "1")));
    Path merged = images.provisioner().provision("c1", id);
    Files.writeString(merged.resolve("written"), "x");
    assertThat(images.provisioner().provision("c1", id)).isEqualTo(merged);
    assertThat(merged.resolve("written")).doesNotExist();
    assertThat(merged.resolve("etc/name")).hasContent("upper");
  }

  @Test
  void manyLayersFitIntoOneMount() throws IOException {
    LayerTar[] layers = new LayerTar[120];
    for (int i = 0; i < layers.length; i++) {
      layers[i] = new LayerTar().file("f" + i, "x").file("last", "" + i);
    }
    String id = images.pull(PullRequest.of(registry.push(TestImage.of(layers), "deep", "1")));
    Path merged = images.provisioner().provision("c1", id);
    assertThat(merged.resolve("last")).hasContent("119");
    assertThat(merged.resolve("f0")).exists();
  }

  @Test
  void imageWithoutLayersIsAnEmptyRoot() throws IOException {
    String id = images.pull(PullRequest.of(registry.push(TestImage.of(), "scratch", "1")));
    assertThat(images.provisioner().provision("c1", id)).isEmptyDirectory();
  }

  @Test
  void brokenRecordIsDroppedAndThePullBringsItBack() throws IOException {
    TestImage image = image();
    String reference = registry.push(image, "app", "1");
    images.pull(PullRequest.of(reference));
    images.close();
    Path record = root.resolve("images/images/" + image.id().substring(7) + "/record.json");
    Files.write(record, new byte[0]);
    Files.createDirectories(root.resolve("images/ingest/99/diff"));

    images = Images.open(settings());
    assertThat(images.list()).isEmpty();
    assertThat(folders("layers")).isEmpty();
    assertThat(folders("ingest")).isEmpty();
    images.pull(PullRequest.of(reference));
    assertThat(images.status(reference)).isPresent();
  }

  @Test
  void layerThatAnEarlierBootLeftUnsettledIsDropped() throws IOException {
    TestImage image = image();
    String reference = registry.push(image, "app", "1");
    images.pull(PullRequest.of(reference));
    images.close();
    Path record = folders("layers").getFirst().resolve("layer.json");
    assertThat(record).content().contains("\"writtenInBoot\":null");
    Files.writeString(record, Files.readString(record).replace(":null", ":\"another boot\""));

    images = Images.open(settings());
    assertThat(images.list()).isEmpty();
    assertThat(folders("layers")).isEmpty();
  }

  @Test
  void unknownNamesAndBadOnesAreTold() {
    assertThatThrownBy(() -> images.pull(PullRequest.of(registry.address() + "/no/such:1")))
        .isInstanceOf(NotFoundException.class)
        .hasMessageContaining("NAME_UNKNOWN");
    assertThatThrownBy(() -> images.pull(PullRequest.of("example.org/Upper/case")))
        .isInstanceOf(InvalidRequestException.class);
    assertThatThrownBy(() -> images.provisioner().hold("nothing"))
        .isInstanceOf(NotFoundException.class);
    assertThatThrownBy(() -> images.provisioner().provision("../c", "sha256:x"))
        .isInstanceOf(InvalidRequestException.class);
  }

  @Test
  void usageCountsLayersAndGoesBack() throws Exception {
    long before = images.imageUsage().usedBytes();
    String reference =
        registry.push(
            TestImage.of(new LayerTar().file("big", 0644, new byte[1 << 20], e -> {})), "app", "1");
    images.pull(PullRequest.of(reference));
    assertThat(images.imageUsage().usedBytes() - before).isBetween(1L << 20, (1L << 20) + 8 * 4096);
    assertThat(images.imageUsage().inodesUsed()).isBetween(5L, 8L);
    images.remove(reference);
    awaitUsage(before);
  }

  /** On a busy machine the deletion may outlast the removal's patience. */
  private void awaitUsage(long bytes) throws Exception {
    long end = System.nanoTime() + 20_000_000_000L;
    while (images.imageUsage().usedBytes() != bytes && System.nanoTime() < end) {
      Thread.sleep(5);
    }
    assertThat(images.imageUsage().usedBytes()).isEqualTo(bytes);
  }

  private List<Path> folders(String part) throws IOException {
    try (Stream<Path> entries = Files.list(root.resolve("images").resolve(part))) {
      return entries.toList();
    }
  }

  @Test
  void usageIsWhatTheDiskSays() throws Exception {
    TestImage image =
        TestImage.of(
            new LayerTar()
                .folder("a/", 0755)
                .file("a/small", "x")
                .hardLink("a/again", "a/small")
                .symbolicLink("a/link", "small"),
            new LayerTar().file("large", 0644, new byte[300_000], entry -> {}));
    images.pull(PullRequest.of(registry.push(image, "team/app", "1")));
    Path store = root.resolve("images");
    long end = System.nanoTime() + 10_000_000_000L;
    // The layers are measured when they are on the disk, which no pull waits for.
    while ((Math.abs(images.imageUsage().usedBytes() - disk(store)) > 6 * 4096
            || Math.abs(images.imageUsage().inodesUsed() - inodes(store)) > 8)
        && System.nanoTime() < end) {
      Thread.sleep(10);
    }
    assertThat(images.imageUsage().usedBytes()).isCloseTo(disk(store), within(6 * 4096L));
    assertThat(images.imageUsage().inodesUsed()).isCloseTo(inodes(store), within(8L));
    assertThat(images.list().getFirst().size()).isGreaterThan(300_000);

    images.remove(image.id());
    awaitUsage(0);
    assertThat(inodes(store)).isLessThan(10);
  }

  @Test
  void sizeStaysWhenTheLayersAreMeasured() throws IOException {
    String reference = registry.push(image(), "team/app", "1");
    images.pull(PullRequest.of(reference));
    ImageDescription first = images.status(reference).orElseThrow();
    // Brings the layers to the disk, where they are measured.
    images.close();
    assertThat(images.status(reference)).contains(first);
    assertThat(
            images.details(reference).orElseThrow().layers().stream()
                .mapToLong(ImageDetails.LayerDetails::bytes)
                .sum())
        .as("what the disk says, so that this test means something")
        .isNotEqualTo(first.size());

    images = Images.open(settings());
    assertThat(images.status(reference)).contains(first);
  }

  private static long disk(Path folder) throws IOException {
    try (Folder opened = Folder.open(folder)) {
      return Trees.usage(opened).bytes();
    }
  }

  private static long inodes(Path folder) throws IOException {
    try (Folder opened = Folder.open(folder)) {
      return Trees.usage(opened).inodes();
    }
  }

  @Test
  void whatARemovalLeftIsDeletedAtTheNextStart() throws Exception {
    Path left = Files.createDirectories(root.resolve("images/trash/7/diff/a"));
    Path half = Files.createDirectories(root.resolve("images/ingest/1/diff/b"));
    reopen(settings());
    images.pull(PullRequest.of(registry.push(image(), "team/app", "1")));
    long end = System.nanoTime() + 10_000_000_000L;
    while (Files.exists(root.resolve("images/trash/7")) && System.nanoTime() < end) {
      Thread.sleep(10);
    }
    assertThat(left).doesNotExist();
    assertThat(half).doesNotExist();
    assertThat(root.resolve("images/trash")).isEmptyDirectory();
  }

  @Test
  void pullsAreCounted() throws IOException {
    CollectorRegistry metrics = new CollectorRegistry();
    images.metrics().register(metrics);
    TestImage image = image();
    images.pull(PullRequest.of(registry.push(image, "team/app", "1")));
    assertThatThrownBy(() -> images.pull(PullRequest.of(registry.address() + "/team/none:1")))
        .isInstanceOf(NotFoundException.class);
    String[] result = {"result"};
    assertThat(sample(metrics, "keelson_image_pulls_total", result, "success")).isEqualTo(1);
    assertThat(sample(metrics, "keelson_image_pulls_total", result, "not_found")).isEqualTo(1);
    assertThat(sample(metrics, "keelson_image_layers_total", result, "fetched")).isEqualTo(2);
    assertThat(sample(metrics, "keelson_image_fetched_bytes_total", new String[0]))
        .isEqualTo(image.layers().stream().mapToInt(layer -> image.blob(layer).length).sum());
    assertThat(
            sample(metrics, "keelson_image_stage_seconds_count", new String[] {"stage"}, "unpack"))
        .isEqualTo(2);
    assertThat(sample(metrics, "keelson_image_pulls_in_progress", new String[0])).isZero();
  }

  private static double sample(
      CollectorRegistry metrics, String name, String[] labels, String... values) {
    Double value = metrics.getSampleValue(name, labels, values);
    assertThat(value).as(name).isNotNull();
    return value == null ? -1 : value;
  }
}
