package io.keelson.integration;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.keelson.integration.harness.Cri;
import io.keelson.integration.harness.LargeImage;
import io.keelson.integration.harness.ProcessMemory;
import io.keelson.integration.harness.Shell;
import io.keelson.integration.harness.TestImage;
import io.keelson.integration.harness.TestNode;
import io.keelson.integration.harness.TestRegistry;
import io.keelson.proto.cri.v1.FilesystemUsage;
import io.keelson.proto.cri.v1.Image;
import io.keelson.proto.cri.v1.ImageFilter;
import io.keelson.proto.cri.v1.ImageFsInfoRequest;
import io.keelson.proto.cri.v1.ImageFsInfoResponse;
import io.keelson.proto.cri.v1.ImageSpec;
import io.keelson.proto.cri.v1.ImageStatusRequest;
import io.keelson.proto.cri.v1.ImageStatusResponse;
import io.keelson.proto.cri.v1.Int64Value;
import io.keelson.proto.cri.v1.ListImagesRequest;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import io.keelson.proto.cri.v1.StreamImagesRequest;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import java.util.zip.Deflater;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What the calls of the ImageService answer. */
class ImagesIT {

  @RegisterExtension static final TestNode node = TestNode.create();

  private static final int CRASHES = Integer.getInteger("keelson.crashes", 3);
  private static final long SEED = Long.getLong("keelson.seed", System.nanoTime());
  private static final int LAYERS = 6;

  private static final String ONE = "one.example.org/app:1";
  private static final String TWO = "two.example.org/other/app:2";

  private static String importUnderTwoNames() throws IOException {
    TestImage image = TestImage.busybox("{\"User\":\"web\",\"Labels\":{\"a\":\"b\"}}");
    Path archive = image.writeDockerArchive(node.folder("images").resolve("app.tar"), ONE);
    node.cri().importImage(archive, "");
    assertThat(node.cri().importImage(archive, TWO)).containsExactly(image.id());
    return image.id();
  }

  @Test
  void oneImageUnderTwoNamesGoesAtOnce() throws IOException {
    String id = importUnderTwoNames();
    Cri cri = node.cri();
    ListImagesRequest filtered =
        ListImagesRequest.newBuilder().setFilter(filter("one.example.org/app:1")).build();
    assertThat(cri.images().listImages(filtered).getImagesList())
        .singleElement()
        .satisfies(
            image -> {
              assertThat(image.getId()).isEqualTo(id);
              assertThat(image.getRepoTagsList()).containsExactly(ONE, TWO);
              assertThat(image.getUsername()).isEqualTo("web");
              assertThat(image.hasUid()).isFalse();
              assertThat(image.getSize()).isPositive();
            });
    List<Image> streamed = new ArrayList<>();
    cri.images()
        .streamImages(StreamImagesRequest.getDefaultInstance())
        .forEachRemaining(chunk -> streamed.addAll(chunk.getImagesList()));
    assertThat(streamed).isEqualTo(cri.listImages());

    cri.removeImage(TWO);
    assertThat(cri.images().listImages(filtered).getImagesList()).isEmpty();
    assertThat(status(id, false).hasImage()).isFalse();
    cri.removeImage(ONE);
  }

  @Test
  void aVerboseStatusTellsOfConfigAndLayers() throws IOException {
    String id = importUnderTwoNames();
    JsonNode info = new ObjectMapper().readTree(status(id, true).getInfoOrThrow("info"));
    assertThat(info.at("/imageSpec/config/Labels/a").asText()).isEqualTo("b");
    assertThat(info.at("/layers")).hasSize(1);
    assertThat(info.at("/layers/0/chainID").asText())
        .startsWith("sha256:")
        .isEqualTo(info.at("/chainID").asText());
    assertThat(info.at("/layers/0/bytes").asLong()).isPositive();
    assertThat(status(id, false).getInfoMap()).isEmpty();
    node.cri().removeImage(id);
  }

  @Test
  void fileSystemsAreTold() throws IOException {
    ImageFsInfoResponse before = fileSystems();
    String id = importUnderTwoNames();
    ImageFsInfoResponse after = fileSystems();
    assertThat(Path.of(after.getImageFilesystems(0).getFsId().getMountpoint())).isDirectory();
    assertThat(used(after.getImageFilesystems(0)) - used(before.getImageFilesystems(0)))
        .isGreaterThan(Files.size(Path.of("/bin/busybox")));
    assertThat(after.getImageFilesystems(0).getInodesUsed().getValue())
        .isGreaterThan(before.getImageFilesystems(0).getInodesUsed().getValue());
    assertThat(after.getContainerFilesystemsCount()).isEqualTo(1);
    node.cri().removeImage(id);
    // On a busy machine the deletion may outlast the removal's patience.
    Waits.until(
        () -> used(fileSystems().getImageFilesystems(0)) < used(after.getImageFilesystems(0)),
        "its space is given back");
  }

  /**
   * Red if what comes is held in memory and not written as it comes, or is written twice: as a blob
   * first, say.
   */
  @Test
  void aLargePullTakesLittleMemory() throws IOException {
    Path folder = node.folder("large");
    try (TestRegistry registry = TestRegistry.plain(folder)) {
      String name =
          new LargeImage(8, 25_000_000, Deflater.NO_COMPRESSION).push(registry, "large", folder);
      ProcessMemory memory = new ProcessMemory(node.daemon().pid());
      memory.forgetPeak();
      long before = memory.resident();
      long written = written();
      String id = node.cri().pull(name);
      assertThat(memory.peak() - before).isLessThan(150_000_000);
      assertThat(status(id, false).getImage().getSize()).isGreaterThan(150_000_000);
      assertThat(written() - written).isBetween(150_000_000L, 250_000_000L);
      node.cri().removeImage(name);
      Waits.until(() -> stored("trash") == 0, "its space is given back");
    }
  }

  /** What the daemon has written to files by its calls, in bytes (proc(5), {@code io}). */
  private static long written() throws IOException {
    return Files.readAllLines(Path.of("/proc/" + node.daemon().pid() + "/io")).stream()
        .filter(line -> line.startsWith("wchar: "))
        .mapToLong(line -> Long.parseLong(line.substring("wchar: ".length())))
        .findFirst()
        .orElseThrow();
  }

  @Test
  void theUserIsToldInEachForm() throws IOException {
    Map<String, Image> users =
        Map.of(
            "{\"User\":\"1234:5678\"}", Image.newBuilder().setUid(uid(1234)).build(),
            "{\"User\":\"web:5678\"}", Image.newBuilder().setUsername("web").build(),
            "{\"Env\":[\"USER=none\"]}", Image.newBuilder().setUid(uid(0)).build());
    for (Map.Entry<String, Image> user : users.entrySet()) {
      TestImage image = TestImage.busybox(user.getKey());
      Path archive = image.writeDockerArchive(node.folder("users").resolve("user.tar"), ONE);
      node.cri().importImage(archive, "");
      Image told = status(ONE, false).getImage();
      assertThat(told.hasUid()).as(user.getKey()).isEqualTo(user.getValue().hasUid());
      assertThat(told.getUid()).as(user.getKey()).isEqualTo(user.getValue().getUid());
      assertThat(told.getUsername()).isEqualTo(user.getValue().getUsername());
      node.cri().removeImage(ONE);
    }
  }

  private static Int64Value uid(long value) {
    return Int64Value.newBuilder().setValue(value).build();
  }

  @Test
  void whatContainersWriteIsTold() {
    Cri cri = node.cri();
    PodSandboxConfig pod = node.pod("writes").build();
    String container = cri.run(cri.runPod(pod), node.sleeper("main").build(), pod);
    FilesystemUsage before = fileSystems().getContainerFilesystems(0);
    cri.output(
        container,
        "sh",
        "-c",
        "mkdir /many; for i in 1 2 3 4 5; do echo > /many/$i; done; head -c 2000000 /dev/zero >"
            + " /big");
    FilesystemUsage after = fileSystems().getContainerFilesystems(0);
    assertThat(after.getFsId().getMountpoint()).isEqualTo(before.getFsId().getMountpoint());
    assertThat(Path.of(after.getFsId().getMountpoint())).isDirectory();
    assertThat(used(after) - used(before)).isBetween(2_000_000L, 2_100_000L);
    assertThat(after.getInodesUsed().getValue() - before.getInodesUsed().getValue()).isEqualTo(7);
    assertThat(after.getTimestamp()).isGreaterThan(before.getTimestamp());
  }

  /** Red if removing a container waits until the disk has what it wrote. */
  @Test
  void whatAContainerWritesIsNotSynced() {
    PodSandboxConfig pod = node.pod("volatile").build();
    Cri cri = node.cri();
    String id = cri.run(cri.runPod(pod), node.sleeper("main").build(), pod);
    assertThat(cri.output(id, "cat", "/proc/self/mountinfo").lines())
        .anyMatch(line -> line.contains(" / / ") && line.contains("volatile"));
  }

  /** {@code -Dkeelson.crashes=50} for many. */
  @Test
  void aDaemonThatIsKilledInTheMiddleOfAPullStartsCleanAndPulls() throws Exception {
    Random random = new Random(SEED);
    Path folder = node.folder("crashes");
    Cri cri = node.cri();
    try (TestRegistry registry = TestRegistry.plain(folder)) {
      String name =
          new LargeImage(LAYERS, 2_000_000, Deflater.NO_COMPRESSION)
              .push(registry, "crashes", folder);
      for (int crash = 0; crash < CRASHES; crash++) {
        Thread puller = Thread.startVirtualThread(() -> Failures.of(() -> cri.pull(name)));
        TimeUnit.MICROSECONDS.sleep(random.nextInt(300_000));
        node.killAndStart();
        puller.join();
        String when = "crash %d of seed %d".formatted(crash, SEED);
        int whole = cri.listImages().size();
        assertThat(stored("images")).as(when).isEqualTo(whole);
        assertThat(stored("layers")).as(when).isEqualTo(whole == 1 ? 1 : 1 + LAYERS);
        assertThat(stored("ingest")).as(when).isZero();
        Waits.until(() -> stored("trash") == 0, when);
        cri.pull(name);
        assertThat(stored("layers")).as(when).isEqualTo(1 + LAYERS);
        assertThat(Shell.run(node.keelson("images", "--check")).exitCode()).as(when).isZero();
        cri.removeImage(name);
      }
    }
  }

  private static long stored(String kind) {
    try (Stream<Path> entries = Files.list(node.root().resolve("images").resolve(kind))) {
      return entries.count();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static long used(FilesystemUsage usage) {
    return usage.getUsedBytes().getValue();
  }

  private static ImageFsInfoResponse fileSystems() {
    return node.cri().images().imageFsInfo(ImageFsInfoRequest.getDefaultInstance());
  }

  private static ImageStatusResponse status(String image, boolean verbose) {
    return node.cri()
        .images()
        .imageStatus(
            ImageStatusRequest.newBuilder()
                .setImage(ImageSpec.newBuilder().setImage(image))
                .setVerbose(verbose)
                .build());
  }

  private static ImageFilter filter(String image) {
    return ImageFilter.newBuilder().setImage(ImageSpec.newBuilder().setImage(image)).build();
  }
}
