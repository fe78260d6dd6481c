package io.keelson.integration;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Status;
import io.keelson.integration.harness.Shell;
import io.keelson.integration.harness.TestDaemon;
import io.keelson.integration.harness.TestNode;
import io.keelson.integration.harness.VolumeCalls;
import io.keelson.linux.LoopDevices;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import io.keelson.proto.csi.v1.Snapshot;
import io.keelson.proto.csi.v1.VolumeCapability.AccessMode.Mode;
import io.keelson.proto.csi.v1.VolumeUsage;
import io.keelson.proto.node.v1.CsiVolume;
import io.keelson.proto.node.v1.ListDriversRequest;
import io.keelson.proto.node.v1.Publication;
import io.keelson.proto.node.v1.SnapshotBlocksRequest;
import io.keelson.proto.node.v1.VolumeSource;
import io.keelson.proto.node.v1.VolumeStatsRequest;
import io.keelson.proto.node.v1.VolumeStatus;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Volumes of the built-in CSI driver, from nothing to a file in a container and back. */
class VolumesIT {

  private static final String VOLUMES = "volumes.keelson.io/";
  private static final String MOUNTS = "mounts.keelson.io/";

  @RegisterExtension static final TestNode node = TestNode.create();

  private final VolumeCalls volumes = new VolumeCalls(node);

  static {
    node.set("volumes.probe_interval", "\"1s\"");
  }

  @AfterEach
  void noVolumeIsLeft() throws IOException {
    node.removeAllPods();
    for (VolumeStatus volume : volumes.list()) {
      volume.getPublicationsList().forEach(each -> volumes.unpublish(each.getId()));
      if (!volume.getName().isEmpty()) {
        volumes.delete(volume.getName());
      }
    }
    assertThat(volumes.list()).isEmpty();
    Path folder = node.localVolumes().resolve("volumes");
    if (Files.exists(folder)) {
      try (Stream<Path> left = Files.list(folder)) {
        assertThat(left).isEmpty();
      }
    }
  }

  @Test
  void whatAPodWritesTheNextOneReads() throws IOException {
    volumes.create("data", 16);
    PodSandboxConfig first =
        node.pod("writer").putAnnotations(VOLUMES + "d", "{\"volume\": \"data\"}").build();
    String podId = node.cri().runPod(first);
    String id =
        node.cri()
            .run(podId, node.sleeper("main").putAnnotations(MOUNTS + "d", "/data").build(), first);
    node.cri().output(id, "sh", "-c", "echo kept > /data/file; sync");
    assertThat(node.cri().output(id, "sh", "-c", "df -m /data | tail -1"))
        .as("a file system of its own, of the size that was asked for")
        .matches(".*\\s(1[0-6])\\s.*\\s/data");
    assertThat(node.cri().status(id).getMountsList())
        .anySatisfy(mount -> assertThat(mount.getContainerPath()).isEqualTo("/data"));
    assertThat(volumes.list().getFirst().getState()).isEqualTo("staged");
    node.cri().stopPod(podId);
    assertThat(volumes.list().getFirst().getState()).as("after the pod's end").isEqualTo("idle");

    PodSandboxConfig second =
        node.pod("reader").putAnnotations(VOLUMES + "d", "{\"volume\": \"data\"}").build();
    String reader =
        node.cri()
            .run(
                node.cri().runPod(second),
                node.sleeper("main").putAnnotations(MOUNTS + "d", "/deep/er/data:ro").build(),
                second);
    assertThat(node.cri().output(reader, "cat", "/deep/er/data/file")).isEqualTo("kept");
    assertThat(node.cri().exec(reader, "touch", "/deep/er/data/x").getExitCode()).isNotZero();
  }

  @Test
  void aRawBlockVolumeIsADevice() throws IOException {
    volumes.create(
        VolumeCalls.request("raw", VolumeCalls.LOCAL, 4)
            .setVolume(CsiVolume.newBuilder().setDriver(VolumeCalls.LOCAL).setBlock(true))
            .build());
    PodSandboxConfig pod =
        node.pod("block").putAnnotations(VOLUMES + "disk", "{\"volume\": \"raw\"}").build();
    String id =
        node.cri()
            .run(
                node.cri().runPod(pod),
                node.sleeper("main").putAnnotations(MOUNTS + "disk", "/dev/xvda").build(),
                pod);
    node.cri().output(id, "sh", "-c", "echo block-content > /dev/xvda");
    assertThat(node.cri().output(id, "head", "-c", "13", "/dev/xvda")).isEqualTo("block-content");
    assertThat(node.cri().output(id, "sh", "-c", "wc -c < /dev/xvda")).isEqualTo("4194304");
    node.removeAllPods();
    Path image = onlyImage();
    Waits.until(() -> loopDevices(image).isEmpty(), "no loop device of " + image);
    assertThat(
            new String(Files.readAllBytes(image), 0, 13, java.nio.charset.StandardCharsets.UTF_8))
        .isEqualTo("block-content");
  }

  @Test
  void aFileSystemGrows() {
    volumes.create("grows", 16);
    volumes.publish("grows", VolumeCalls.named("grows"));
    long before = totalBytes("grows");
    volumes.unpublish("grows");
    assertThat(volumes.expand("grows", 48 * VolumeCalls.MIB).getCapacityBytes())
        .isEqualTo(48 * VolumeCalls.MIB);
    volumes.publish("grows", VolumeCalls.named("grows"));
    assertThat(totalBytes("grows")).isGreaterThan(2 * before);
  }

  @Test
  void aDeviceGrowsWhileItIsInUse() {
    volumes.create(
        VolumeCalls.request("device", VolumeCalls.LOCAL, 4)
            .setVolume(CsiVolume.newBuilder().setDriver(VolumeCalls.LOCAL).setBlock(true))
            .build());
    Publication device = volumes.publish("device", VolumeCalls.named("device"));
    volumes.expand("device", 12 * VolumeCalls.MIB);
    assertThat(Shell.output("blockdev", "--getsize64", device.getPath()).strip())
        .isEqualTo(Long.toString(12 * VolumeCalls.MIB));
  }

  @Test
  void aSnapshotAndACloneHoldWhatWasThere() throws IOException {
    volumes.create("origin", 16);
    Path path = Path.of(volumes.publish("o", VolumeCalls.named("origin")).getPath());
    Files.writeString(path.resolve("file"), "then");
    String snapshot = snapshot("origin", "s1");
    Files.writeString(path.resolve("file"), "now");
    volumes.create(
        VolumeCalls.request("restored", VolumeCalls.LOCAL, 16).setFromSnapshotId(snapshot).build());
    volumes.create(
        VolumeCalls.request("clone", VolumeCalls.LOCAL, 32).setFromVolume("origin").build());

    Path restored = Path.of(volumes.publish("r", VolumeCalls.named("restored")).getPath());
    Path clone = Path.of(volumes.publish("c", VolumeCalls.named("clone")).getPath());
    assertThat(restored.resolve("file")).hasContent("then");
    assertThat(clone.resolve("file")).hasContent("now");
    VolumeCalls.deleteSnapshot(node, VolumeCalls.LOCAL, snapshot);
  }

  @Test
  void theBlocksOfSnapshotsAreTold() throws IOException {
    volumes.create(
        VolumeCalls.request("blocks", VolumeCalls.LOCAL, 4)
            .setVolume(CsiVolume.newBuilder().setDriver(VolumeCalls.LOCAL).setBlock(true))
            .build());
    String device = volumes.publish("b", VolumeCalls.named("blocks")).getPath();
    write(device, 1);
    String first = snapshot("blocks", "first");
    write(device, 1);
    write(device, 3);
    String second = snapshot("blocks", "second");
    assertThat(blocks(second, "")).containsExactly("1048576 65536", "3145728 65536");
    assertThat(blocks(second, first)).containsExactly("3145728 65536");
    assertThat(keelson("blocks", second, "--base", first)).containsPattern("3145728 +65536");
    VolumeCalls.deleteSnapshot(node, VolumeCalls.LOCAL, first);
    VolumeCalls.deleteSnapshot(node, VolumeCalls.LOCAL, second);
  }

  /** 64 KiB that are no zeros. */
  private static void write(String device, long mib) {
    Shell.output(
        "sh",
        "-c",
        "yes | dd of=%s bs=64k count=1 seek=%d iflag=fullblock conv=notrunc,fsync"
            .formatted(device, mib * 16));
  }

  private static List<String> blocks(String snapshot, String base) {
    List<String> blocks = new ArrayList<>();
    node.cri()
        .volumes()
        .snapshotBlocks(
            SnapshotBlocksRequest.newBuilder()
                .setDriver(VolumeCalls.LOCAL)
                .setSnapshotId(snapshot)
                .setBaseSnapshotId(base)
                .build())
        .forEachRemaining(
            some ->
                some.getBlocksList()
                    .forEach(each -> blocks.add(each.getByteOffset() + " " + each.getSizeBytes())));
    return blocks;
  }

  private String snapshot(String volume, String name) {
    Snapshot snapshot = volumes.snapshot(volume, name);
    assertThat(snapshot.getReadyToUse()).isTrue();
    return snapshot.getSnapshotId();
  }

  @Test
  void theControllerTellsOfAVolumeThatIsNotWell() throws IOException {
    volumes.create("ill", 4);
    assertThat(keelson("show", "ill")).contains("vol-", "4.0MiB", "the content is there");
    Path image = onlyImage();
    Path elsewhere = image.resolveSibling("elsewhere");
    Files.move(image, elsewhere);
    assertThat(keelson("show", "ill")).contains("not well: the content is gone");
    Waits.until(() -> keelson().contains("not well (controller): the content is gone"), "listed");
    Files.move(elsewhere, image);
    Waits.until(() -> !keelson().contains("not well"), "it is well again");
  }

  @Test
  void anEphemeralVolumeGoesWithItsPod() throws IOException {
    PodSandboxConfig pod =
        node.pod("inline")
            .putAnnotations(
                VOLUMES + "scratch",
                "{\"csi\": {\"driver\": \"local.csi.keelson.io\", \"ephemeral\": true,"
                    + " \"fsGroup\": 4711, \"volumeContext\": {\"size\": \"8388608\"}}}")
            .build();
    String podId = node.cri().runPod(pod);
    String id =
        node.cri()
            .run(
                podId,
                node.sleeper("main").putAnnotations(MOUNTS + "scratch", "/scratch").build(),
                pod);
    node.cri().output(id, "touch", "/scratch/file");
    assertThat(node.cri().output(id, "stat", "-c", "%g", "/scratch", "/scratch/file"))
        .as("the group of the folder and of what is made in it")
        .isEqualTo("4711\n4711");
    assertThat(node.localVolumes().resolve("volumes")).isNotEmptyDirectory();
    node.cri().stopPod(podId);
    assertThat(node.localVolumes().resolve("volumes")).isEmptyDirectory();
  }

  @Test
  void publishedTwiceIsPublishedOnce() {
    volumes.create(
        VolumeCalls.request("twice", VolumeCalls.LOCAL, 8)
            .setVolume(
                CsiVolume.newBuilder()
                    .setDriver(VolumeCalls.LOCAL)
                    .setAccessMode(Mode.SINGLE_NODE_MULTI_WRITER))
            .build());
    VolumeSource source = VolumeCalls.named("twice");
    Publication one = volumes.publish("same", source);
    assertThat(volumes.publish("same", source)).isEqualTo(one);
    Publication other = volumes.publish("other", source.toBuilder().setReadOnly(true).build());
    assertThat(other.getPath()).isNotEqualTo(one.getPath());
    assertThat(mountsAt(one.getPath())).isEqualTo(1);
    assertThat(Failures.code(() -> volumes.delete("twice")))
        .isEqualTo(Status.Code.FAILED_PRECONDITION);
    volumes.unpublish("same");
    volumes.unpublish("same");
    assertThat(mountsAt(one.getPath())).isZero();
    assertThat(mountsAt(other.getPath())).isEqualTo(1);
  }

  @Test
  void aVolumeForOnePodIsRefusedToTheSecond() {
    volumes.create("alone", 8);
    String holder =
        node.cri()
            .runPod(
                node.pod("holder")
                    .putAnnotations(VOLUMES + "d", "{\"volume\": \"alone\"}")
                    .build());
    assertRefused("{\"volume\": \"alone\"}", holder);
  }

  @Test
  void aKilledDaemonFindsItsVolumesAgain() throws IOException {
    volumes.create("stays", 16);
    PodSandboxConfig pod =
        node.pod("survivor").putAnnotations(VOLUMES + "d", "{\"volume\": \"stays\"}").build();
    String podId = node.cri().runPod(pod);
    String id =
        node.cri()
            .run(podId, node.sleeper("main").putAnnotations(MOUNTS + "d", "/data").build(), pod);
    List<VolumeStatus> before = volumes.list();
    node.killAndStart();
    assertThat(volumes.list()).isEqualTo(before);
    node.cri().output(id, "touch", "/data/after");
    node.cri().remove(id);
    String again =
        node.cri()
            .run(podId, node.sleeper("main").putAnnotations(MOUNTS + "d", "/data").build(), pod);
    assertThat(node.cri().output(again, "ls", "/data")).contains("after");
  }

  @Test
  void theCommandLineDoesItAll() throws IOException {
    assertThat(keelson("create", "cli", "--size", "8m")).isEqualTo("cli");
    String path = keelson("publish", "p", "cli");
    Files.writeString(Path.of(path, "file"), "kept");
    assertThat(keelson("stats", "p")).contains("bytes", "inodes");
    String snapshot = keelson("snapshot", "cli", "first");
    assertThat(keelson("create", "restored", "--from-snapshot", snapshot, "--size", "8m"))
        .isEqualTo("restored");
    assertThat(Path.of(keelson("publish", "q", "restored"), "file")).hasContent("kept");
    assertThat(keelson("drivers")).contains(VolumeCalls.LOCAL, "ready");
    assertThat(keelson("unpublish", "p")).isEqualTo("p");
    assertThat(keelson("expand", "cli", "16m")).isEqualTo("16.0MiB");
    assertThat(keelson()).contains("cli", "16.0MiB", "restored", VolumeCalls.LOCAL);
    keelson("unpublish", "q");
    keelson("rm-snapshot", snapshot);
    assertThat(keelson("rm", "cli", "restored").lines()).containsExactly("cli", "restored");
    assertThat(keelson()).doesNotContain("cli");
  }

  private static String keelson(String... words) {
    return Shell.output(
            Stream.concat(
                    Stream.of(
                        TestDaemon.installation().resolve("bin/keelson").toString(),
                        "--socket",
                        node.socket().toString(),
                        "volumes"),
                    Stream.of(words))
                .toArray(String[]::new))
        .strip();
  }

  @Test
  void wrongWishesAreRefusedWithTheirReason() {
    assertRefused("{\"volume\": \"nowhere\"}", "nowhere");
    assertRefused("{\"tmpfs\": {\"colour\": 1}}", "colour");
    assertRefused("{}", "no kind");
    assertRefused("{\"csi\": {\"driver\": \"local.csi.keelson.io\"}}", "volumeId");
    assertRefused(
        "{\"csi\": {\"driver\": \"local.csi.keelson.io\", \"volumeId\": \"vol-none\"}}",
        "vol-none");
    PodSandboxConfig pod = node.pod("plain").build();
    String podId = node.cri().runPod(pod);
    assertThat(
            Failures.of(
                    () ->
                        node.cri()
                            .create(
                                podId,
                                node.sleeper("main").putAnnotations(MOUNTS + "x", "/x").build(),
                                pod))
                .message())
        .contains("volumes.keelson.io/x");
    assertThat(volumes.list()).isEmpty();
  }

  @Test
  void driversTellWhatTheyCanDo() {
    volumes.create("any", 4);
    assertThat(
            node.cri()
                .volumes()
                .listDrivers(ListDriversRequest.getDefaultInstance())
                .getDriversList())
        .singleElement()
        .satisfies(
            driver -> {
              assertThat(driver.getName()).isEqualTo(VolumeCalls.LOCAL);
              assertThat(driver.getState()).isEqualTo("ready");
              assertThat(driver.getCapabilitiesList()).contains("NODE_STAGE_UNSTAGE_VOLUME");
            });
  }

  private void assertRefused(String annotation, String word) {
    PodSandboxConfig pod = node.pod("refused").putAnnotations(VOLUMES + "v", annotation).build();
    assertThat(Failures.of(() -> node.cri().runPod(pod)).message()).contains(word);
  }

  private static long totalBytes(String volume) {
    return node
        .cri()
        .volumes()
        .volumeStats(VolumeStatsRequest.newBuilder().setName(volume).build())
        .getUsageList()
        .stream()
        .filter(usage -> usage.getUnit() == VolumeUsage.Unit.BYTES)
        .mapToLong(VolumeUsage::getTotal)
        .sum();
  }

  private int mountsAt(String path) {
    return Collections.frequency(volumes.mounts(), path);
  }

  private static List<?> loopDevices(Path image) {
    try {
      return LoopDevices.all(image);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Path onlyImage() throws IOException {
    try (Stream<Path> files = Files.walk(node.localVolumes())) {
      return files.filter(file -> file.endsWith("image")).findFirst().orElseThrow();
    }
  }
}
