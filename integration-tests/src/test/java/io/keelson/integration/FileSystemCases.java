package io.keelson.integration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;

import io.keelson.integration.harness.MetricsEndpoint;
import io.keelson.integration.harness.Shell;
import io.keelson.integration.harness.TestNode;
import io.keelson.integration.harness.VolumeCalls;
import io.keelson.linux.ProjectQuota;
import io.keelson.proto.cri.v1.ContainerStatsRequest;
import io.keelson.proto.cri.v1.ExecSyncResponse;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import io.keelson.proto.csi.v1.VolumeUsage;
import io.keelson.proto.node.v1.CsiVolume;
import io.keelson.proto.node.v1.ExpandVolumeRequest;
import io.keelson.proto.node.v1.Publication;
import io.keelson.proto.node.v1.VolumeStatsRequest;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/**
 * What a kernel with quotas does with a node whose root folder is a file system of its own, mounted
 * with {@code prjquota}: writers beyond a limit get an error, also after the daemon was killed, and
 * what was limited leaves no limit behind. Skipped where the kernel has no quotas.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class FileSystemCases {

  private static final String VOLUMES = "volumes.keelson.io/";
  private static final String MOUNTS = "mounts.keelson.io/";
  private static final long MIB = VolumeCalls.MIB;

  private final TestNode node;
  private final String type;
  private final List<String> mkfs;
  private final long smallest;
  private final VolumeCalls volumes;
  private final MetricsEndpoint metrics;

  /**
   * @param node not started yet
   * @param smallest the least that a file system of this type takes, MiB
   * @param mkfs makes a file system of this type that keeps quotas
   */
  FileSystemCases(TestNode node, String type, long smallest, String... mkfs) {
    this.node = node.set("volumes.local_driver_dir", "\"" + node.root() + "/local-volumes\"");
    this.type = type;
    this.smallest = smallest;
    this.mkfs = List.of(mkfs);
    this.volumes = new VolumeCalls(node);
    this.metrics = MetricsEndpoint.of(node);
  }

  @BeforeAll
  void mount() throws IOException {
    Path plain = mount(node.base().resolve("test"), "defaults");
    assertThat(ProjectQuota.isEnforced(plain)).as("mounted without prjquota").isFalse();
    Shell.output("umount", plain.toString());
    Files.delete(node.base().resolve("test.image"));
    assertThat(ProjectQuota.isEnforced(mount(node.root(), "prjquota"))).isTrue();
    for (String folder : List.of("volumes", "snapshots")) { // the driver's own, which stay
      Files.createDirectories(node.root().resolve("local-volumes").resolve(folder));
    }
    node.start();
  }

  private Path mount(Path at, String option) throws IOException {
    Path image = node.base().resolve(at.getFileName() + ".image");
    try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
      file.setLength(4 * smallest * MIB);
    }
    Files.createDirectories(at);
    try {
      Shell.output(with(mkfs, image.toString()));
      Shell.output("mount", "-t", type, "-o", "loop," + option, image.toString(), at.toString());
    } catch (UncheckedIOException | AssertionError e) {
      abort("there is no " + type + " with quotas here: " + e.getMessage());
    }
    return at;
  }

  private static String[] with(List<String> command, String word) {
    return Stream.concat(command.stream(), Stream.of(word)).toArray(String[]::new);
  }

  @Test
  void aWritableLayerIsHeldToItsLimit() throws IOException {
    PodSandboxConfig pod = node.pod("layer").build();
    String id =
        node.cri()
            .run(
                node.cri().runPod(pod),
                node.sleeper("main")
                    .putAnnotations("quota.keelson.io/writable-layer-bytes", "" + 4 * MIB)
                    .build(),
                pod);
    int project = ProjectQuota.projectOf(node.root().resolve("rootfs/" + id + "/upper"));
    // What overlayfs makes in its work folder and moves: a file copied up, a whiteout, a rename.
    node.cri()
        .output(
            id,
            "sh",
            "-c",
            "echo x >> /etc/passwd; rm /etc/group; mkdir /a; mv /a /b; mv /etc/passwd /b/p;"
                + " echo y > /etc/group; ln /b/p /b/q");
    assertRefused(id, "/large");
    Waits.until(() -> layerBytes(id) >= 3 * MIB, "what it has written is in its statistics");
    assertThat(layerBytes(id)).isLessThanOrEqualTo(4 * MIB + 64 * 1024);
    assertTold(id, 4 * MIB);

    node.killAndStart();
    assertRefused(id, "/again");
    node.cri().output(id, "rm", "-f", "/large", "/again"); // xfs may refuse the name already
    node.cri().output(id, "sh", "-c", "head -c 2000000 /dev/zero > /fits");
    assertTold(id, 4 * MIB);
    assertThat(node.cri().status(id).getState().name()).isEqualTo("CONTAINER_RUNNING");
    node.removeAllPods();
    assertFree(project);
  }

  private long layerBytes(String id) {
    return node.cri()
        .runtime()
        .containerStats(ContainerStatsRequest.newBuilder().setContainerId(id).build())
        .getStats()
        .getWritableLayer()
        .getUsedBytes()
        .getValue();
  }

  @Test
  void aSharedFolderIsHeldToItsLimit() throws IOException {
    PodSandboxConfig pod =
        node.pod("folder")
            .putAnnotations(VOLUMES + "f", "{\"sandboxPath\": {\"sizeBytes\": " + 2 * MIB + "}}")
            .build();
    String podId = node.cri().runPod(pod);
    String id =
        node.cri().run(podId, node.sleeper("main").putAnnotations(MOUNTS + "f", "/f").build(), pod);
    String publication = podId + ".f";
    int project = ProjectQuota.projectOf(Path.of(publicationOf(publication).getPath()));
    assertRefused(id, "/f/large");
    node.killAndStart();
    assertRefused(id, "/f/large");
    assertTold(publication, 2 * MIB);
    VolumeUsage usage = usage(publication);
    assertThat(usage.getTotal()).isEqualTo(2 * MIB);
    assertThat(usage.getUsed()).isBetween(MIB, 2 * MIB);
    assertThat(usage.getAvailable()).isEqualTo(usage.getTotal() - usage.getUsed());
    node.removeAllPods();
    assertFree(project);
  }

  private Publication publicationOf(String id) {
    return volumes.list().stream()
        .flatMap(volume -> volume.getPublicationsList().stream())
        .filter(each -> each.getId().equals(id))
        .findFirst()
        .orElseThrow();
  }

  /** The driver makes folders where the file system can limit them. */
  @Test
  void aVolumeOfTheLocalDriverIsHeldToItsSize() throws IOException {
    volumes.create("v", 2);
    PodSandboxConfig pod = withVolume("v");
    String id = run(pod);
    node.cri().output(id, "sh", "-c", "head -c 1000000 /dev/zero > /v/kept");
    int project =
        ProjectQuota.projectOf(Path.of(volumes.list().getFirst().getPublications(0).getPath()));
    assertRefused(id, "/v/large");
    node.killAndStart();
    assertRefused(id, "/v/large");
    assertThat(usage("v").getTotal()).isEqualTo(2 * MIB);
    assertThat(usage("v").getUsed()).isBetween(MIB, 2 * MIB);
    expand("v", 8);
    node.cri().output(id, "sh", "-c", "head -c 4000000 /dev/zero > /v/large");
    assertThat(usage("v").getTotal()).isEqualTo(8 * MIB);

    // A clone has files before it has a limit.
    node.cri().output(id, "rm", "/v/large");
    volumes.create(VolumeCalls.request("clone", VolumeCalls.LOCAL, 2).setFromVolume("v").build());
    String other = run(withVolume("clone"));
    assertRefused(other, "/v/large");
    node.cri().output(other, "rm", "/v/large", "/v/kept");
    Waits.until(() -> usage("clone").getUsed() < MIB, "what was deleted is not counted any more");
    node.removeAllPods();
    volumes.delete("clone");
    volumes.delete("v");
    assertFree(project);
  }

  @Test
  void aMountedFileSystemGrows() throws IOException {
    volumes.create(
        VolumeCalls.request("image", VolumeCalls.LOCAL, smallest)
            .setVolume(
                CsiVolume.newBuilder()
                    .setDriver(VolumeCalls.LOCAL)
                    .setFsType(type)
                    .addMountFlags("noatime"))
            .putParameters("layout", "image")
            .build());
    String id = run(withVolume("image"));
    assertThat(node.cri().output(id, "cat", "/proc/self/mountinfo").lines())
        .filteredOn(line -> line.contains(" /v "))
        .singleElement()
        .satisfies(line -> assertThat(line).contains(",noatime", " - " + type + " "));
    long before = usage("image").getTotal();
    node.cri().output(id, "sh", "-c", "head -c 1000000 /dev/zero > /v/kept");
    expand("image", smallest * 2);
    assertThat(usage("image").getTotal()).isGreaterThan(before + smallest * MIB * 3 / 4);
    assertThat(Long.parseLong(node.cri().output(id, "sh", "-c", "df -k /v | awk 'END {print $2}'")))
        .isEqualTo(usage("image").getTotal() / 1024);
    assertThat(node.cri().output(id, "sh", "-c", "wc -c < /v/kept")).isEqualTo("1000000");
    node.removeAllPods();
    volumes.delete("image");
  }

  private void expand(String volume, long mib) {
    VolumeCalls.last(
        node.cri()
            .volumes()
            .expandVolume(
                ExpandVolumeRequest.newBuilder().setName(volume).setSizeBytes(mib * MIB).build()));
  }

  private PodSandboxConfig withVolume(String volume) {
    return node.pod("user")
        .putAnnotations(VOLUMES + "v", "{\"volume\": \"" + volume + "\"}")
        .build();
  }

  private String run(PodSandboxConfig pod) {
    return node.cri()
        .run(
            node.cri().runPod(pod),
            node.sleeper("main").putAnnotations(MOUNTS + "v", "/v").build(),
            pod);
  }

  private VolumeUsage usage(String name) {
    return node
        .cri()
        .volumes()
        .volumeStats(VolumeStatsRequest.newBuilder().setName(name).build())
        .getUsageList()
        .stream()
        .filter(each -> each.getUnit() == VolumeUsage.Unit.BYTES)
        .findFirst()
        .orElseThrow();
  }

  /** More than any limit here, by a container's root, which has no CAP_SYS_RESOURCE. */
  private void assertRefused(String container, String file) {
    ExecSyncResponse written =
        node.cri().exec(container, "sh", "-c", "dd if=/dev/zero of=" + file + " bs=64k count=160");
    assertThat(written.getExitCode()).as("dd beyond the limit").isNotZero();
    assertThat(written.getStderr().toStringUtf8())
        .containsAnyOf("Disk quota exceeded", "No space left on device");
  }

  private void assertTold(String id, long limit) throws IOException {
    String all = metrics.get("/metrics");
    assertThat(MetricsEndpoint.value(all, "keelson_disk_limit_bytes{id=\"" + id + "\",}"))
        .isEqualTo((double) limit);
    assertThat(MetricsEndpoint.value(all, "keelson_disk_used_bytes{id=\"" + id + "\",}"))
        .isBetween(limit / 4.0, (double) limit);
  }

  private void assertFree(int project) {
    assertThat(project).as("a project of the daemon's").isGreaterThan(0x4b00_0000 - 1);
    Waits.until(
        () -> {
          try {
            return ProjectQuota.usage(node.root(), project).equals(new ProjectQuota.Usage(0, 0, 0));
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        },
        "project " + project + " has no limit and no files");
  }
}
