package io.keelson.integration;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.keelson.integration.harness.MisbehavingDriver;
import io.keelson.integration.harness.Shell;
import io.keelson.integration.harness.TestDaemon;
import io.keelson.integration.harness.TestNode;
import io.keelson.integration.harness.VolumeCalls;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import io.keelson.proto.node.v1.Publication;
import io.keelson.proto.node.v1.VolumeStatus;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The daemon dies at each step of the journal of volumes. After its next start and the caller's
 * retry a volume is published once, and in the end nothing is mounted, staged, attached or
 * recorded.
 */
class VolumeFaultPointsIT {

  private static final Path SOURCES = Path.of("../csi-client/src/main/java/io/keelson/csi");
  private static final Pattern POINT = Pattern.compile("reached\\(\\s*\"([^\"]+)\"");

  @RegisterExtension static final TestNode node = TestNode.create();

  private static final MisbehavingDriver driver =
      new MisbehavingDriver(
          node.base().resolve("driver"), node.base().resolve("test").resolve("csi.sock"));

  private final VolumeCalls volumes = new VolumeCalls(node);
  private boolean died;

  static {
    node.set("volumes.drivers", "[\"" + node.base().resolve("test/csi.sock") + "\"]");
    node.set("volumes.call_timeout", "\"5s\"");
  }

  @BeforeAll
  static void startDriver() throws IOException {
    driver.start();
  }

  @AfterAll
  static void endDriver() {
    driver.close();
  }

  /** Every point that the volumes name, so that a new one is tested from its first day. */
  static Stream<String> points() throws IOException {
    try (Stream<Path> files = Files.walk(SOURCES)) {
      List<Path> sources = files.filter(file -> file.toString().endsWith(".java")).toList();
      Stream.Builder<String> points = Stream.builder();
      for (Path source : sources) {
        POINT.matcher(Files.readString(source)).results().forEach(m -> points.add(m.group(1)));
      }
      return points.build().distinct().sorted();
    }
  }

  @Test
  void allTransitionsHavePoints() throws IOException {
    assertThat(points().map(point -> point.substring(0, point.indexOf(':'))).distinct())
        .contains(
            "CreateVolume", "PublishVolume", "UnpublishVolume", "RetireVolume", "DeleteVolume");
    assertThat(points().count()).isGreaterThan(20);
  }

  @ParameterizedTest
  @MethodSource("points")
  void diesOnceInTheVolumesLife(String point) throws Exception {
    node.daemon().terminate();
    node.daemon().start(Map.of(TestDaemon.FAULT_POINT, point));
    node.daemon().awaitServing();
    node.cri().reconnect();

    String name = "v" + Integer.toHexString(point.hashCode());
    VolumeStatus made =
        survive(() -> volumes.create(VolumeCalls.request(name, MisbehavingDriver.NAME, 2).build()));
    assertThat(made.getSource().getCsi().getVolumeId()).isNotEmpty();
    PodSandboxConfig pod =
        node.pod("faulty")
            .putAnnotations("volumes.keelson.io/d", "{\"volume\": \"" + name + "\"}")
            .build();
    String podId = survive(() -> node.cri().runPod(pod));
    Waits.until(() -> publications().size() == 1, "one publication alone");
    Publication publication = publications().getFirst();
    assertThat(publication.getPodId()).isEqualTo(podId);
    assertThat(publication.getState()).isEqualTo("published");
    assertThat(mounts()).as("staged once, published once").hasSize(2);
    assertThat(mounts()).contains(publication.getPath());
    assertThat(driver.publishContextSeen()).isEqualTo("test-device");

    survive(() -> run(() -> node.cri().stopPod(podId)));
    Waits.until(() -> mounts().isEmpty(), "nothing is mounted any more");
    Waits.until(
        () -> volumes.list().stream().allMatch(each -> each.getState().equals("idle")),
        "the volume is idle");
    survive(() -> run(() -> node.cri().removePod(podId)));
    survive(() -> run(() -> volumes.delete(name)));
    assertThat(volumes.list()).isEmpty();
    assertThat(driver.attached()).as("attached").isZero();
    assertThat(node.base().resolve("driver/volumes")).isEmptyDirectory();
    assertThat(died).as("the daemon has died at " + point).isTrue();
  }

  private List<Publication> publications() {
    return volumes.list().stream()
        .flatMap(volume -> volume.getPublicationsList().stream())
        .toList();
  }

  private static List<String> mounts() {
    String prefix = node.root().resolve("volumes") + "/";
    return Shell.output("cat", "/proc/self/mountinfo")
        .lines()
        .map(line -> line.split(" ", -1)[4])
        .filter(target -> target.startsWith(prefix))
        .toList();
  }

  /** Makes a call; if the daemon dies in it, starts the daemon again and makes it once more. */
  private <T extends @Nullable Object> T survive(Callable<T> call) throws Exception {
    try {
      return call.call();
    } catch (StatusRuntimeException e) {
      if (died || e.getStatus().getCode() != Status.Code.UNAVAILABLE) {
        throw e;
      }
      node.daemon().awaitEnd();
      died = true;
      node.daemon().start();
      node.cri().reconnect();
      return call.call();
    }
  }

  private static @Nullable Void run(Runnable call) {
    call.run();
    return null;
  }
}
