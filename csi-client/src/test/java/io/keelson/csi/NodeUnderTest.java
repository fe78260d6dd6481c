package io.keelson.csi;

import io.keelson.csi.driver.CallMetrics;
import io.keelson.csi.driver.CallPolicy;
import io.keelson.csi.driver.Endpoint;
import io.keelson.csi.driver.Operation;
import io.keelson.csi.driver.TlsFiles;
import io.keelson.csi.volume.PublicationRequest;
import io.keelson.linux.KernelThreads;
import io.keelson.linux.MountInfo;
import io.keelson.linux.Mounts;
import io.keelson.proto.csi.v1.CapacityRange;
import io.keelson.proto.csi.v1.VolumeCapability.AccessMode.Mode;
import io.keelson.proto.node.v1.CreateVolumeRequest;
import io.keelson.proto.node.v1.CsiVolume;
import io.keelson.proto.node.v1.Publication;
import io.keelson.proto.node.v1.VolumeSource;
import io.keelson.proto.node.v1.VolumeStatus;
import io.keelson.sandbox.rpc.UnixChannels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * The volumes of a node and a {@link TestDriver} that its configuration names. It can be killed at
 * a fault point, and a new life begun with what it left.
 */
final class NodeUnderTest implements BeforeEachCallback, AfterEachCallback {

  static final long MIB = 1 << 20;

  /** The end of a life: nothing of the daemon's catches it. */
  static final class Killed extends Error {
    private static final long serialVersionUID = 1L;

    Killed(String step) {
      super(step);
    }
  }

  private static final Duration LONGEST_WAIT = Duration.ofSeconds(30);

  private final CallPolicy policy;
  private final UnixChannels channels = new UnixChannels();
  private final KernelThreads threads = new KernelThreads(4);
  private final AtomicReference<String> deadly = new AtomicReference<>("");
  private Path top = Path.of("/nowhere");
  private Optional<TestDriver> driver = Optional.empty();
  private Optional<NodeVolumes> volumes = Optional.empty();

  NodeUnderTest() {
    this(Duration.ofSeconds(10));
  }

  /**
   * @param callTimeout for one try of a call to the driver
   */
  NodeUnderTest(Duration callTimeout) {
    this(callTimeout, CallPolicy.COURTESY);
  }

  /**
   * @param callTimeout for one try of a call to the driver
   * @param courtesy how long a change waits for a question
   */
  NodeUnderTest(Duration callTimeout, Duration courtesy) {
    this.policy =
        new CallPolicy(
            callTimeout,
            Duration.ofSeconds(20),
            Duration.ofMillis(1),
            Duration.ofMillis(20),
            courtesy);
  }

  @Override
  public void beforeEach(ExtensionContext context) throws IOException {
    top = Files.createTempDirectory("volumes").toRealPath();
    Files.createDirectories(secrets());
    driver = Optional.of(new TestDriver(top.resolve("csi.sock")));
    driver().start();
    start();
  }

  @Override
  public void afterEach(ExtensionContext context) throws IOException {
    volumes.ifPresent(NodeVolumes::close);
    driver().close();
    channels.close();
    threads.close();
    for (Path mount : mounts().reversed()) {
      Mounts.detach(mount);
    }
    try (Stream<Path> files = Files.walk(top)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }

  TestDriver driver() {
    return driver.orElseThrow();
  }

  NodeVolumes volumes() {
    return volumes.orElseThrow();
  }

  /** A folder of secrets, each of which is a folder. */
  Path secrets() {
    return top.resolve("secrets");
  }

  /** Where the node keeps its records. */
  Path root() {
    return top.resolve("root");
  }

  private void start() throws IOException {
    NodeVolumes opened =
        NodeVolumes.open(
            new VolumeSettings(
                root(),
                top.resolve("state"),
                List.of(new Endpoint.UnixSocket(driver().socket())),
                TlsFiles.NONE,
                Optional.of(secrets()),
                List.of(),
                policy,
                Duration.ofHours(1),
                false,
                false,
                top.resolve("built-in"),
                "node",
                "0",
                0,
                false,
                Duration.ofHours(1)),
            channels,
            threads,
            CallMetrics.NONE,
            step -> {
              if (step.equals(deadly.get())) {
                deadly.set("");
                throw new Killed(step);
              }
            });
    volumes = Optional.of(opened);
    opened.start();
    opened.volumes().recover(Set.of());
  }

  /** The next one that comes to the step dies there. */
  void dieAt(String step) {
    deadly.set(step);
  }

  /** A new life, with the records of the one before. */
  void restart() throws IOException {
    volumes().close();
    start();
  }

  VolumeStatus create(String name, Mode mode) throws IOException {
    return create(request(name).setVolume(csi().setAccessMode(mode)).build());
  }

  VolumeStatus create(String name) throws IOException {
    return create(request(name).build());
  }

  VolumeStatus create(CreateVolumeRequest request) throws IOException {
    return volumes().provisioning().create(request, Operation.Listener.NONE);
  }

  static CreateVolumeRequest.Builder request(String name) {
    return CreateVolumeRequest.newBuilder()
        .setName(name)
        .setCapacity(CapacityRange.newBuilder().setRequiredBytes(MIB))
        .setVolume(csi());
  }

  static CsiVolume.Builder csi() {
    return CsiVolume.newBuilder().setDriver(TestDriver.NAME);
  }

  void delete(String name) throws IOException {
    volumes().provisioning().delete(name, Operation.Listener.NONE);
  }

  static VolumeSource named(String name) {
    return VolumeSource.newBuilder().setVolume(name).build();
  }

  Publication publish(String id, String name) throws IOException {
    return publish(id, named(name));
  }

  Publication publish(String id, VolumeSource source) throws IOException {
    return volumes()
        .volumes()
        .publish(PublicationRequest.ofNode(id, source), Operation.Listener.NONE);
  }

  void unpublish(String id) throws IOException {
    volumes().volumes().unpublish(id, Operation.Listener.NONE);
  }

  VolumeStatus status(String name) {
    return volumes().volumes().provisioned().status(name);
  }

  /** Where volumes are mounted, in the order in which they were. */
  List<Path> mounts() throws IOException {
    return MountInfo.read().stream()
        .map(MountInfo::mountPoint)
        .filter(point -> point.startsWith(top))
        .toList();
  }

  static void await(String what, BooleanSupplier condition) throws InterruptedException {
    long end = System.nanoTime() + LONGEST_WAIT.toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() > end) {
        throw new AssertionError("waited in vain: " + what);
      }
      Thread.sleep(10);
    }
  }
}
