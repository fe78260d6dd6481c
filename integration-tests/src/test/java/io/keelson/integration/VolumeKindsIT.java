package io.keelson.integration;

import static org.assertj.core.api.Assertions.assertThat;

import io.keelson.integration.harness.DockerPlugin;
import io.keelson.integration.harness.MetricsEndpoint;
import io.keelson.integration.harness.Shell;
import io.keelson.integration.harness.TestNode;
import io.keelson.integration.harness.VolumeCalls;
import io.keelson.proto.cri.v1.ContainerState;
import io.keelson.proto.cri.v1.ContainerStatsRequest;
import io.keelson.proto.cri.v1.ContainerStatus;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import io.keelson.proto.node.v1.DescribeStorageRequest;
import io.keelson.proto.node.v1.DescribeStorageResponse;
import io.keelson.proto.node.v1.DockerVolume;
import io.keelson.proto.node.v1.UnpublishVolumeRequest;
import io.keelson.proto.node.v1.VolumeProgress;
import io.keelson.proto.node.v1.VolumeSource;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Kinds of volumes beside those of CSI, and many volumes at once. */
class VolumeKindsIT {

  private static final String VOLUMES = "volumes.keelson.io/";
  private static final String MOUNTS = "mounts.keelson.io/";
  private static final int PODS = 50;

  @RegisterExtension static final TestNode node = TestNode.create();

  private static final MetricsEndpoint METRICS = MetricsEndpoint.of(node);

  private final VolumeCalls volumes = new VolumeCalls(node);

  static {
    node.set("volumes.measure_interval", "\"500ms\"");
  }

  @Test
  void memoryAndAFolderThatContainersShare() throws IOException {
    PodSandboxConfig pod =
        node.pod("shared")
            .putAnnotations(VOLUMES + "memory", "{\"tmpfs\": {\"sizeBytes\": 1048576}}")
            .putAnnotations(VOLUMES + "folder", "{\"sandboxPath\": {}}")
            .build();
    String podId = node.cri().runPod(pod);
    String one = container(podId, pod, "one");
    String two = container(podId, pod, "two");
    node.cri().output(one, "sh", "-c", "echo m > /memory/x; echo f > /folder/x");
    assertThat(node.cri().output(two, "cat", "/memory/x", "/folder/x")).isEqualTo("m\nf");
    assertThat(
            node.cri()
                .exec(one, "sh", "-c", "head -c 2000000 /dev/zero > /memory/large")
                .getExitCode())
        .as("beyond the limit")
        .isNotZero();
    node.killAndStart();
    assertThat(node.cri().output(two, "cat", "/memory/x", "/folder/x")).isEqualTo("m\nf");
    node.cri().stopPod(podId);
    assertThat(volumes.list()).isEmpty();
  }

  private static String container(String podId, PodSandboxConfig pod, String name) {
    return node.cri()
        .run(
            podId,
            node.sleeper(name)
                .putAnnotations(MOUNTS + "memory", "/memory")
                .putAnnotations(MOUNTS + "folder", "/folder")
                .build(),
            pod);
  }

  @Test
  void pathsOfTheHostByRules() throws IOException {
    Path made = node.folder("host").resolve("made/by/rule");
    PodSandboxConfig pod =
        node.pod("host")
            .putAnnotations(
                VOLUMES + "h",
                "{\"hostPath\": {\"path\": \"%s\", \"type\": \"TYPE_DIRECTORY_OR_CREATE\", \"mode\": \"0710\", \"uid\": 12, \"gid\": 34}}"
                    .formatted(made))
            .build();
    String id =
        node.cri()
            .run(
                node.cri().runPod(pod),
                node.sleeper("main").putAnnotations(MOUNTS + "h", "/h").build(),
                pod);
    assertThat(node.cri().output(id, "stat", "-c", "%a %u %g", "/h")).isEqualTo("710 12 34");
    assertThat(made).isDirectory();
    PodSandboxConfig wrong =
        node.pod("wrong")
            .putAnnotations(
                VOLUMES + "h",
                "{\"hostPath\": {\"path\": \"%s\", \"type\": \"TYPE_FILE\"}}".formatted(made))
            .build();
    assertThat(Failures.of(() -> node.cri().runPod(wrong)).message()).contains("TYPE_FILE");
  }

  @Test
  void secretsTouchNoDisk() throws IOException {
    Path folder = Files.createDirectories(node.secrets().resolve("login"));
    Files.writeString(folder.resolve("password"), "very-hidden-word");
    PodSandboxConfig pod =
        node.pod("secret")
            .putAnnotations(
                VOLUMES + "s", "{\"secret\": {\"name\": \"login\", \"mode\": \"0440\"}}")
            .build();
    String id =
        node.cri()
            .run(
                node.cri().runPod(pod),
                node.sleeper("main").putAnnotations(MOUNTS + "s", "/s").build(),
                pod);
    assertThat(node.cri().output(id, "cat", "/s/password")).isEqualTo("very-hidden-word");
    assertThat(node.cri().output(id, "stat", "-c", "%a", "/s/password")).isEqualTo("440");
    assertThat(node.cri().exec(id, "touch", "/s/x").getExitCode()).isNotZero();
    assertThat(node.cri().output(id, "cat", "/proc/self/mountinfo").lines())
        .filteredOn(line -> line.contains(" /s "))
        .singleElement()
        .satisfies(
            line ->
                assertThat(line)
                    .as("memory that is never swapped")
                    .contains(" - tmpfs ", "noswap"));
    Files.walkFileTree(node.base(), new Reader());
    assertThat(node.daemon().log()).doesNotContain("very-hidden-word");
  }

  /** Looks for the secret; the daemon may take files and folders away meanwhile. */
  private static final class Reader extends SimpleFileVisitor<Path> {
    @Override
    public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
      try {
        if (attributes.isRegularFile() && isOnDisk(file)) {
          assertThat(new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1))
              .as(file.toString())
              .doesNotContain("very-hidden-word");
        }
        return FileVisitResult.CONTINUE;
      } catch (IOException e) {
        return goneElseThrow(file, e);
      }
    }

    @Override
    public FileVisitResult visitFileFailed(Path file, IOException e) throws IOException {
      return goneElseThrow(file, e);
    }

    @Override
    public FileVisitResult postVisitDirectory(Path folder, @Nullable IOException e)
        throws IOException {
      return e == null ? FileVisitResult.CONTINUE : goneElseThrow(folder, e);
    }

    private static FileVisitResult goneElseThrow(Path file, IOException e) throws IOException {
      if (Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
        throw e;
      }
      return FileVisitResult.CONTINUE;
    }
  }

  /** A file of the node that the administrator has not put there. */
  private static boolean isOnDisk(Path file) {
    try {
      return !file.startsWith(node.secrets())
          && Files.getFileStore(file).equals(Files.getFileStore(node.base()));
    } catch (IOException e) {
      return false; // gone meanwhile
    }
  }

  @Test
  void volumesOfADockerPlugin() throws IOException {
    Path socket = Files.createDirectories(node.dockerPlugins()).resolve("rex.sock");
    try (DockerPlugin plugin = DockerPlugin.start(socket, node.folder("docker-volumes"))) {
      PodSandboxConfig pod =
          node.pod("docker")
              .putAnnotations(
                  VOLUMES + "d",
                  "{\"docker\": {\"driver\": \"rex\", \"name\": \"vol1\", \"create\": true}}")
              .build();
      String podId = node.cri().runPod(pod);
      String id =
          node.cri()
              .run(podId, node.sleeper("main").putAnnotations(MOUNTS + "d", "/d").build(), pod);
      node.cri().output(id, "sh", "-c", "echo kept > /d/file");
      assertThat(node.folder("docker-volumes").resolve("vol1/file")).hasContent("kept\n");
      assertThat(plugin.mounted()).hasSize(1);
      node.cri().stopPod(podId);
      assertThat(plugin.mounted()).isEmpty();
      assertThat(volumes.list()).isEmpty();
    }
  }

  @Test
  void aDockerPluginIsToldAllAndMayDie() throws IOException {
    Path socket = Files.createDirectories(node.dockerPlugins()).resolve("gluster.sock");
    Path folder = node.folder("gluster");
    VolumeSource source =
        VolumeSource.newBuilder()
            .setDocker(
                DockerVolume.newBuilder()
                    .setDriver("gluster")
                    .setName("vol1")
                    .putOptions("replicas", "3")
                    .putOptions("Password", "open-sesame"))
            .build();
    try (DockerPlugin plugin = DockerPlugin.start(socket, folder)) {
      plugin.refuse("Mount", "pass=open-sesame: the bricks are offline");
      assertThat(Failures.of(() -> volumes.publish("one", source)).message())
          .contains("gluster", "Mount", "pass=***: the bricks are offline");
      assertThat(volumes.list()).isEmpty();
      plugin.refuse("Mount", "");
      volumes.publish("one", source);
      volumes.publish("two", source);
      assertThat(plugin.mounted()).as("each by its id").containsExactlyInAnyOrder("one", "two");
      assertThat(plugin.calls())
          .startsWith("Plugin.Activate {}")
          .containsOnlyOnce("Plugin.Activate {}")
          .filteredOn(call -> call.startsWith("Create "))
          .as("made once, with its options")
          .singleElement()
          .satisfies(
              call ->
                  assertThat(call)
                      .contains("\"vol1\"", "\"replicas\":\"3\"", "\"Password\":\"open-sesame\""));
      assertThat(volumes.list().toString()).contains("replicas").doesNotContain("open-sesame");
      DescribeStorageResponse storage =
          node.cri()
              .volumes()
              .describeStorage(
                  DescribeStorageRequest.newBuilder().setDriver("docker/gluster").build());
      assertThat(storage.getScope()).isEqualTo("global");
      assertThat(storage.getVolumesList())
          .singleElement()
          .satisfies(it -> assertThat(it.getVolumeId()).isEqualTo("vol1"));
      volumes.unpublish("one");
      assertThat(plugin.mounted()).containsExactly("two");
    }
    Iterator<VolumeProgress> unpublishing =
        node.cri()
            .volumes()
            .unpublishVolume(UnpublishVolumeRequest.newBuilder().setId("two").build());
    VolumeProgress step = unpublishing.next();
    while (step.getMessage().isEmpty()) {
      step = unpublishing.next();
    }
    assertThat(step.getMessage()).as("the plugin has died").contains("gluster");
    try (DockerPlugin again = DockerPlugin.start(socket, folder)) {
      assertThat(VolumeCalls.last(unpublishing).getGone()).isTrue();
      assertThat(again.calls()).startsWith("Plugin.Activate {}");
    }
    assertThat(volumes.list()).isEmpty();
  }

  @Test
  void whoWritesMoreThanItMayIsEnded() {
    PodSandboxConfig pod = node.pod("greedy").build();
    String id =
        node.cri()
            .run(
                node.cri().runPod(pod),
                node.container(
                        "main",
                        "sh",
                        "-c",
                        "head -c 400000 /dev/urandom > /some; while [ ! -e /go ]; do sleep 0.1;"
                            + " done; head -c 3000000 /dev/urandom > /large; sleep 3600")
                    .putAnnotations("quota.keelson.io/writable-layer-bytes", "1000000")
                    .build(),
                pod);
    Waits.until(
        () -> used(id) >= 400_000 && used(id) < 1_000_000, "what it has written is in its usage");
    assertThat(node.cri().status(id).getState()).isEqualTo(ContainerState.CONTAINER_RUNNING);
    node.cri().output(id, "touch", "/go");
    ContainerStatus ended = node.cri().awaitExit(id);
    assertThat(ended.getReason()).isEqualTo("DiskLimitExceeded");
    assertThat(ended.getMessage()).contains("the limit is 1000000 bytes");
  }

  private static long used(String container) {
    return node.cri()
        .runtime()
        .containerStats(ContainerStatsRequest.newBuilder().setContainerId(container).build())
        .getStats()
        .getWritableLayer()
        .getUsedBytes()
        .getValue();
  }

  @Test
  void aLimitOfASharedFolderOutlivesTheDaemon() throws IOException {
    PodSandboxConfig pod =
        node.pod("limited")
            .putAnnotations(VOLUMES + "folder", "{\"sandboxPath\": {\"sizeBytes\": 1000000}}")
            .build();
    String id =
        node.cri()
            .run(
                node.cri().runPod(pod),
                node.sleeper("main").putAnnotations(MOUNTS + "folder", "/folder").build(),
                pod);
    node.killAndStart();
    node.cri().output(id, "sh", "-c", "head -c 300000 /dev/urandom > /folder/some");
    String publication = volumes.list().getFirst().getPublications(0).getId();
    String sample = "keelson_disk_used_bytes{id=\"" + publication + "\",}";
    Waits.until(
        () -> {
          String metrics = METRICS.get("/metrics");
          return metrics.contains(sample) && MetricsEndpoint.value(metrics, sample) >= 300_000;
        },
        "it is measured");
    assertThat(Shell.run(node.keelson("volumes", "stats", publication)).output())
        .as("of the limit, by measuring")
        .containsPattern("bytes +977KiB +(29|3)[0-9]+KiB");
    // It may be ended before it has written all.
    var _ = node.cri().exec(id, "sh", "-c", "head -c 3000000 /dev/urandom > /folder/large");
    assertThat(node.cri().awaitExit(id).getReason()).isEqualTo("DiskLimitExceeded");
  }

  /** Fifty pods with two volumes each, at the same time. */
  @Test
  void manyPodsAtOnce() throws Exception {
    long began = System.nanoTime();
    List<Future<String>> running = new ArrayList<>();
    try (ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < PODS; i++) {
        PodSandboxConfig pod =
            node.pod("many" + i)
                .putAnnotations(
                    VOLUMES + "folder",
                    "{\"csi\": {\"driver\": \"local.csi.keelson.io\", \"ephemeral\": true}}")
                .putAnnotations(
                    VOLUMES + "image",
                    "{\"csi\": {\"driver\": \"local.csi.keelson.io\", \"ephemeral\": true,"
                        + " \"volumeContext\": {\"size\": \"2097152\"}}}")
                .build();
        running.add(executor.submit(() -> node.cri().runPod(pod)));
      }
    }
    for (Future<String> each : running) {
      each.get();
    }
    System.err.printf(
        "%d pods with 2 volumes each: %d ms%n", PODS, (System.nanoTime() - began) / 1_000_000);
    assertThat(volumes.list()).hasSize(2 * PODS);
    assertThat(volumes.list()).allSatisfy(each -> assertThat(each.getTrouble()).isEmpty());
    try (ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
      for (Future<String> each : running) {
        executor.execute(() -> node.cri().removePod(each.resultNow()));
      }
    }
    assertThat(volumes.list()).isEmpty();
    assertThat(node.localVolumes().resolve("volumes")).isEmptyDirectory();
  }
}
