package io.keelson.integration;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Context;
import io.grpc.Status;
import io.keelson.integration.harness.Cri;
import io.keelson.integration.harness.LyingRegistry;
import io.keelson.integration.harness.Patience;
import io.keelson.integration.harness.TarFile;
import io.keelson.integration.harness.TestImage;
import io.keelson.integration.harness.TestNode;
import io.keelson.proto.cri.v1.ContainerConfig;
import io.keelson.proto.cri.v1.ImageSpec;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Images that try to write or read outside of themselves, and registries that lie. */
class HostileImagesIT {

  private static final byte[] EVIL = "evil".getBytes(UTF_8);

  @RegisterExtension
  static final TestNode node =
      TestNode.create()
          .set("images.max_layer_size", "\"16MiB\"")
          .set("images.max_layer_entries", "2000")
          .set("images.max_manifest_size", "\"64KiB\"");

  @Test
  void entriesThatClimbOutLandNowhere() throws IOException {
    Path bait = node.folder("climb");
    TarFile layer = new TarFile();
    layer.file("../".repeat(12) + relative(bait) + "/caught", 0644, EVIL);
    importAnyway("climb", TestImage.busybox().with(layer));
    assertThat(bait).isEmptyDirectory();
  }

  @Test
  void entriesBehindAnAbsoluteSymlinkLandInTheImage() throws IOException {
    Path bait = node.folder("symlink");
    TarFile layer = new TarFile();
    layer.symlink("link", bait.toString());
    layer.file("link/caught", 0644, EVIL);
    layer.symlink("up", "../".repeat(12) + relative(bait));
    layer.file("up/caught", 0644, EVIL);
    importAnyway("symlink", TestImage.busybox().with(layer));
    assertThat(bait).isEmptyDirectory();

    TestImage inTwoLayers =
        TestImage.busybox()
            .with(new TarFile().symlink("link", bait.toString()))
            .with(new TarFile().file("link/caught", 0644, EVIL));
    importAnyway("symlink-in-layers", inTwoLayers);
    assertThat(bait).isEmptyDirectory();
  }

  @Test
  void hardLinksToFilesOfTheHostAreNotMade() throws IOException {
    Path bait = node.folder("hardlink").resolve("secret");
    Files.writeString(bait, "secret");
    TarFile layer = new TarFile();
    layer.hardlink("stolen", bait.toString());
    layer.hardlink("stolen-too", "../".repeat(12) + relative(bait));
    importAnyway("hardlink", TestImage.busybox().with(layer));
    assertThat(Files.getAttribute(bait, "unix:nlink")).isEqualTo(1);
    assertThat(bait).hasContent("secret");
  }

  @Test
  void whiteoutsDeleteNothingOfTheHost() throws IOException {
    Path bait = node.folder("whiteout");
    Files.writeString(bait.resolve("file"), "mine");
    TarFile layer = new TarFile();
    layer.file("../".repeat(12) + relative(bait) + "/.wh.file", 0644, new byte[0]);
    layer.symlink("link", bait.toString());
    layer.file("link/.wh.file", 0644, new byte[0]);
    layer.file("link/.wh..wh..opq", 0644, new byte[0]);
    importAnyway("whiteout", TestImage.busybox().with(layer));
    assertThat(bait.resolve("file")).hasContent("mine");
  }

  @Test
  void usersAreNotLookedUpInFilesOfTheHost() throws IOException {
    Path passwd = node.folder("passwd").resolve("passwd");
    Files.writeString(passwd, "evil:x:4242:4242::/:/bin/sh\n");
    TarFile layer = new TarFile();
    layer.symlink("etc/passwd", passwd.toString());
    TestImage image =
        new TestImage(
            TestImage.busybox().with(layer).layers(),
            "{\"User\":\"evil\",\"Env\":[\"PATH=/bin\"]}");
    importAnyway("passwd", image);
    assertThat(Failures.code(() -> run("passwd", "true"))).isNotEqualTo(Status.Code.OK);
  }

  @Test
  void mountPointsOfTheImageDoNotLeadOut() throws IOException {
    Path bait = node.folder("etc");
    TarFile layer = new TarFile();
    layer.file(".wh.etc", 0644, new byte[0]);
    TarFile link = new TarFile().symlink("etc", bait.toString());
    TestImage image = TestImage.busybox().with(layer).with(link);
    importAnyway("etc", image);
    Failures.of(() -> run("etc", "true"));
    assertThat(bait).isEmptyDirectory();
  }

  @Test
  void layersThatAreRubbishOrTooLargeAreRefusedAndLeaveNothing() throws IOException {
    List<Path> before = stored();
    TestImage rubbish =
        new TestImage(List.of("this is no tar file".repeat(100).getBytes(UTF_8)), "{}");
    assertThat(Failures.code(() -> importAs("rubbish", rubbish))).isNotEqualTo(Status.Code.OK);

    TarFile bomb = new TarFile();
    bomb.file("zeros", 0644, new byte[20 * 1024 * 1024]);
    Failures.Outcome tooLarge = Failures.of(() -> importAs("bomb", TestImage.busybox().with(bomb)));
    assertThat(tooLarge.code()).isEqualTo(Status.Code.INVALID_ARGUMENT);
    assertThat(tooLarge.message()).contains("more than the 16777216 bytes");

    TarFile many = new TarFile();
    IntStream.rangeClosed(0, 2000).forEach(number -> many.folder("d" + number, 0755));
    Failures.Outcome tooMany = Failures.of(() -> importAs("many", TestImage.busybox().with(many)));
    assertThat(tooMany.code()).isEqualTo(Status.Code.INVALID_ARGUMENT);
    assertThat(tooMany.message()).contains("more than the 2000 entries");

    TestImage noJson = new TestImage(TestImage.busybox().layers(), "{\"Env\": 7, ");
    assertThat(Failures.code(() -> importAs("config", noJson))).isNotEqualTo(Status.Code.OK);

    Path nothing = node.folder("archives").resolve("empty.tar");
    Files.write(nothing, new byte[0]);
    assertThat(Failures.code(() -> node.cri().importImage(nothing, "")))
        .isNotEqualTo(Status.Code.OK);
    assertThat(Failures.code(() -> node.cri().importImage(Path.of("/no/such/file"), "")))
        .isNotEqualTo(Status.Code.OK);
    awaitStored(before);
  }

  @Test
  void aManifestOfMoreThanTheNodeAllowsIsRefused() throws IOException {
    List<byte[]> layers = Collections.nCopies(600, new TarFile().bytes());
    try (LyingRegistry registry = new LyingRegistry(new TestImage(layers, "{}"), 0)) {
      Failures.Outcome outcome = Failures.of(() -> node.cri().pull(registry.image()));
      assertThat(outcome.message()).contains("more than the 65536 bytes");
      assertThat(registry.requests()).isZero();
    }
  }

  @Test
  void aLayerThatIsCutInTheMiddleIsFetchedAgain() throws Exception {
    TestImage image = fresh("cut-twice");
    try (LyingRegistry registry = new LyingRegistry(image, 2)) {
      assertThat(node.cri().pull(registry.image())).isEqualTo(image.id());
      assertThat(registry.requests()).isGreaterThan(2);
      node.cri().removeImage(registry.image());
    }
  }

  @Test
  void aLayerThatIsAlwaysCutEndsThePullAndLeavesNothing() throws Exception {
    List<Path> before = stored();
    try (LyingRegistry registry = new LyingRegistry(fresh("cut"), Integer.MAX_VALUE)) {
      Failures.Outcome outcome = Failures.of(() -> node.cri().pull(registry.image()));
      assertThat(outcome.code()).isNotEqualTo(Status.Code.OK);
      assertThat(node.cri().listImages())
          .noneMatch(image -> image.getRepoTagsList().contains(registry.image()));
    }
    awaitStored(before);
  }

  @Test
  void bytesThatAreNotWhatTheDigestSaysAreRefused() throws Exception {
    List<Path> before = stored();
    try (LyingRegistry registry = new LyingRegistry(fresh("swapped"), 0).swapsBytes()) {
      Failures.Outcome outcome = Failures.of(() -> node.cri().pull(registry.image()));
      assertThat(outcome.code()).isNotEqualTo(Status.Code.OK);
    }
    awaitStored(before);
  }

  @Test
  void aCallerWhoGivesUpEndsThePull() throws Exception {
    List<Path> before = stored();
    try (LyingRegistry registry = new LyingRegistry(fresh("hangs"), 0).hangs()) {
      try (Context.CancellableContext context = Context.current().withCancellation()) {
        Thread caller =
            Thread.startVirtualThread(
                context.wrap(
                    (Runnable) () -> Failures.code(() -> node.cri().pull(registry.image()))));
        Waits.until(() -> registry.requests() > 0, "the layer is asked for");
        context.cancel(null);
        caller.join();
      }
      awaitStored(before);
      long begin = System.nanoTime();
      node.daemon().terminate();
      assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Patience.ofSeconds(30));
    }
  }

  /** Takes the image or refuses it; if it is taken, a container of it is run as well. */
  private static void importAnyway(String name, TestImage image) throws IOException {
    Failures.Outcome outcome = Failures.of(() -> importAs(name, image));
    if (outcome.code() == Status.Code.OK) {
      Failures.of(() -> run(name, "true"));
    } else {
      assertThat(outcome.code()).isNotIn(Status.Code.UNKNOWN, Status.Code.DEADLINE_EXCEEDED);
    }
  }

  private static void importAs(String name, TestImage image) throws IOException {
    Path archive = node.folder("archives").resolve(name + ".tar");
    image.writeDockerArchive(archive, "test.invalid/" + name + ":1");
    try {
      node.cri().importImage(archive, "");
    } finally {
      Files.delete(archive);
    }
  }

  private static void run(String image, String command) {
    Cri cri = node.cri();
    PodSandboxConfig pod = node.pod(image).build();
    ContainerConfig config =
        node.container("main", command)
            .setImage(ImageSpec.newBuilder().setImage("test.invalid/" + image + ":1"))
            .build();
    cri.awaitExit(cri.run(cri.runPod(pod), config, pod));
  }

  /** An image whose layer the store does not have yet. */
  private static TestImage fresh(String name) {
    TarFile tar = new TarFile();
    byte[] content = new byte[300_000];
    new Random(name.hashCode()).nextBytes(content);
    tar.file(name, 0644, content);
    return new TestImage(List.of(tar.bytes()), "{}");
  }

  /** Half a layer may take a moment to be deleted. */
  private static void awaitStored(List<Path> before) {
    Waits.until(() -> stored().equals(before), "a refused image leaves nothing in the store");
  }

  private static List<Path> stored() {
    try (Stream<Path> files = Files.walk(node.root())) {
      return files.filter(file -> !file.toString().endsWith(".lock")).sorted().toList();
    } catch (IOException | UncheckedIOException e) {
      return List.of(); // something is being deleted just now: who waits looks again
    }
  }

  private static String relative(Path path) {
    return path.toString().substring(1);
  }
}
