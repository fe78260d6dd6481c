package io.keelson.integration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import io.keelson.integration.harness.Cri;
import io.keelson.integration.harness.DyingDaemon;
import io.keelson.integration.harness.Patience;
import io.keelson.integration.harness.Shell;
import io.keelson.integration.harness.TestNode;
import io.keelson.integration.harness.VendorPlugin;
import io.keelson.proto.cri.v1.ContainerConfig;
import io.keelson.proto.cri.v1.LinuxContainerResources;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import io.keelson.proto.cri.v1.UpdateContainerResourcesRequest;
import io.keelson.proto.deviceplugin.v1beta1.AllocateRequest;
import io.keelson.proto.deviceplugin.v1beta1.AllocateResponse;
import io.keelson.proto.deviceplugin.v1beta1.ContainerAllocateResponse;
import io.keelson.proto.deviceplugin.v1beta1.Device;
import io.keelson.proto.deviceplugin.v1beta1.DevicePluginGrpc;
import io.keelson.proto.deviceplugin.v1beta1.DevicePluginOptions;
import io.keelson.proto.deviceplugin.v1beta1.Empty;
import io.keelson.proto.deviceplugin.v1beta1.ListAndWatchResponse;
import io.keelson.proto.node.v1.AllocateDevicesRequest;
import io.keelson.proto.node.v1.NodeDevice;
import io.keelson.proto.node.v1.ReleaseDevicesRequest;
import io.keelson.proto.pluginregistration.v1.InfoRequest;
import io.keelson.proto.pluginregistration.v1.PluginInfo;
import io.keelson.proto.pluginregistration.v1.RegistrationGrpc;
import io.keelson.sandbox.rpc.UnixServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Vendors' device plugins in processes of their own, and what their devices do in containers. */
class DevicePluginsIT {

  private static final String REQUEST = "devices.keelson.io/request";
  private static final String WIDGET = "vendor.example/widget";

  @RegisterExtension static final TestNode node = TestNode.create().withKubeletFolders();

  static {
    node.set("metrics.address", "\"unix:" + metricsSocket() + "\"");
  }

  private static final DyingDaemon daemon = new DyingDaemon(node);

  /** A character device that no driver answers for: who may open it gets ENXIO, others EPERM. */
  private static Path harmless;

  private static VendorPlugin plugin;

  @BeforeAll
  static void startPlugin() throws Exception {
    harmless = node.folder("dev").resolve("widget");
    Shell.output("mknod", harmless.toString(), "c", "511", "77");
    plugin = VendorPlugin.start(node, WIDGET, four());
    assertThat(node.root().resolve("device-plugins")).doesNotExist();
  }

  @AfterAll
  static void stopPlugin() {
    plugin.close();
  }

  private static String[] four(String... more) {
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      lines.add("device w" + i + " Healthy");
    }
    lines.add("node " + harmless + " /dev/widget rw");
    lines.add("mount /usr/share /opt/widget");
    lines.add("pre-start");
    lines.addAll(List.of(more));
    return lines.toArray(String[]::new);
  }

  @Test
  void aContainerGetsWhatThePluginAnswersAndNothingElse() throws Exception {
    Cri cri = node.cri();
    PodSandboxConfig pod = node.pod("widgets").build();
    String podId = cri.runPod(pod);
    String with = cri.run(podId, asking("with", 2), pod);
    String without = cri.run(podId, node.sleeper("without").build(), pod);

    assertThat(cri.output(with, "sh", "-c", "echo $WIDGETS")).isEqualTo("w0,w1");
    assertThat(cri.output(with, "ls", "-l", "/dev/widget")).matches("c.* 511, +77 .*");
    assertThat(cri.exec(with, "touch", "/opt/widget/x").getStderr().toStringUtf8())
        .contains("Read-only file system");
    assertThat(opened(with)).contains("No such device or address");
    assertThat(cri.output(without, "ls", "/dev")).doesNotContain("widget");
    var _ = cri.exec(without, "mknod", "/tmp/widget", "c", "511", "77");
    assertThat(openedAt(without, "/tmp/widget")).contains("Operation not permitted");

    // The rule is kept after an update of resources.
    var _ =
        cri.runtime()
            .updateContainerResources(
                UpdateContainerResourcesRequest.newBuilder()
                    .setContainerId(with)
                    .setLinux(LinuxContainerResources.newBuilder().setCpuShares(512))
                    .build());
    assertThat(opened(with)).contains("No such device or address");
  }

  @Test
  void notEnoughIsResourceExhaustedWithTheHolders() throws Exception {
    Cri cri = node.cri();
    PodSandboxConfig pod = node.pod("greedy").build();
    String podId = cri.runPod(pod);
    String first = cri.create(podId, asking("first", 3), pod);

    assertThatThrownBy(() -> cri.create(podId, asking("second", 2), pod))
        .isInstanceOfSatisfying(
            StatusRuntimeException.class,
            e -> {
              assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
              assertThat(e.getStatus().getDescription())
                  .contains("container second of pod it/greedy asks for " + WIDGET + "=2")
                  .contains("1 of 4 are free")
                  .contains("w0 by it/greedy/first");
            });
    cri.remove(first);
    cri.create(podId, asking("second", 4), pod);
  }

  @Test
  void aPodsOwnDevicesAreForAllOfItsContainersAndFreeWhenItStops() throws Exception {
    Cri cri = node.cri();
    PodSandboxConfig pod = node.pod("whole").putAnnotations(REQUEST, WIDGET + "=4").build();
    String podId = cri.runPod(pod);
    String one = cri.run(podId, node.sleeper("one").build(), pod);
    String two = cri.run(podId, node.sleeper("two").build(), pod);
    assertThat(cri.output(one, "sh", "-c", "echo $WIDGETS")).isEqualTo("w0,w1,w2,w3");
    assertThat(cri.output(two, "sh", "-c", "echo $WIDGETS")).isEqualTo("w0,w1,w2,w3");

    assertThatThrownBy(
            () -> cri.runPod(node.pod("other").putAnnotations(REQUEST, WIDGET + "=1").build()))
        .hasMessageContaining("RESOURCE_EXHAUSTED")
        .hasMessageContaining("held: w0 by it/whole");
    cri.stopPod(podId);
    cri.runPod(node.pod("next").putAnnotations(REQUEST, WIDGET + "=4").build());
  }

  @Test
  void healthPreferenceAndPreStartAreThePlugins() throws Exception {
    Cri cri = node.cri();
    PodSandboxConfig pod = node.pod("wishes").build();
    String podId = cri.runPod(pod);
    VendorPlugin choosy =
        VendorPlugin.start(
            node,
            "vendor.example/choosy",
            "device a Healthy",
            "device b Healthy",
            "device c Healthy",
            "device d Unhealthy",
            "prefer-last",
            "pre-start");
    try (choosy) {
      ContainerConfig config =
          node.sleeper("main").putAnnotations(REQUEST, "vendor.example/choosy=2").build();
      String container = cri.run(podId, config, pod);
      assertThat(cri.output(container, "sh", "-c", "echo $WIDGETS")).isEqualTo("c,b");
      assertThat(choosy.calls()).containsExactly("prefer a,b,c", "allocate c,b", "pre-start c,b");
    }
  }

  @Test
  void aPluginThatCrashesComesBackAndTheDaemonToo() throws Exception {
    Cri cri = node.cri();
    PodSandboxConfig pod = node.pod("crashes").build();
    String podId = cri.runPod(pod);
    String keeps = cri.run(podId, asking("keeps", 1), pod);

    plugin.kill();
    plugin.start(); // the next request waits for it
    String second = cri.run(podId, asking("second", 1), pod);
    assertThat(cri.output(second, "sh", "-c", "echo $WIDGETS")).isEqualTo("w1");
    assertThat(metrics())
        .containsPattern(
            "keelson_device_plugin_restarts_total\\{resource=\"" + WIDGET + "\",} [1-9]");

    node.killAndStart(); // not registered yet is not gone
    String third = cri.run(podId, asking("third", 1), pod);
    assertThat(cri.output(third, "sh", "-c", "echo $WIDGETS")).isEqualTo("w2");
    assertThat(opened(keeps)).contains("No such device or address");
    cri.remove(keeps);
    String fourth = cri.run(podId, asking("fourth", 2), pod);
    assertThat(cri.output(fourth, "sh", "-c", "echo $WIDGETS")).isEqualTo("w0,w3");
  }

  static Stream<String> pointsOfAnAllocation() throws IOException {
    return DyingDaemon.points(
        Path.of("../device-plugins/src/main/java/io/keelson/device/allocation"));
  }

  /** Nothing is lost and nothing is held by nobody, wherever the daemon dies. */
  @ParameterizedTest
  @MethodSource("pointsOfAnAllocation")
  void killedAtAStepOfAnAllocation(String point) throws Exception {
    Cri cri = node.cri();
    PodSandboxConfig pod = node.pod("killed").build();
    String podId = cri.runPod(pod);
    daemon.dieAt(point);
    String id = daemon.survive(() -> cri.create(podId, asking("main", 3), pod));
    assertThat(allocations()).hasSize(1);
    daemon.survive(() -> cri.remove(id));
    assertThat(allocations()).isEmpty();
    assertThat(daemon.hasDied()).as("the daemon has died at " + point).isTrue();
    cri.create(podId, asking("all", 4), pod);
  }

  /** The creation fails with the call's name, or goes on without a preference; none is lost. */
  @ParameterizedTest
  @ValueSource(strings = {"prefer", "allocate", "pre-start"})
  void aPluginThatDiesWithinACallKeepsNoDevice(String call) throws Exception {
    Cri cri = node.cri();
    PodSandboxConfig pod = node.pod("dies").build();
    String podId = cri.runPod(pod);
    String[] well = {"device a Healthy", "device b Healthy", "prefer-last", "pre-start"};
    try (VendorPlugin slow =
            VendorPlugin.start(
                node,
                "vendor.example/slow",
                Stream.concat(Stream.of(well), Stream.of("delay 20000 " + call))
                    .toArray(String[]::new));
        ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
      ContainerConfig config =
          node.sleeper("main").putAnnotations(REQUEST, "vendor.example/slow=1").build();
      Future<String> creation = executor.submit(() -> cri.create(podId, config, pod));
      Waits.until(() -> slow.calls().stream().anyMatch(line -> line.startsWith(call)), "the call");
      slow.kill();
      slow.says(well);
      slow.start();
      try {
        String id = creation.get();
        assertThat(call).isEqualTo("prefer");
        cri.start(id);
        assertThat(cri.output(id, "sh", "-c", "echo $WIDGETS")).isEqualTo("a");
        cri.stop(id, 0);
        cri.remove(id);
      } catch (ExecutionException e) {
        // Without a preference the plugin may be asked for more before its end is known.
        assertThat(e)
            .hasMessageContaining("vendor.example/slow [")
            .hasMessageContaining("can't be allocated: ")
            .hasMessageContaining(
                call.equals("pre-start") ? "PreStartContainer of the plugin" : "Allocate of the");
      }
      assertThat(allocations()).isEmpty();
      String id =
          cri.run(
              podId,
              config.toBuilder().putAnnotations(REQUEST, "vendor.example/slow=2").build(),
              pod);
      assertThat(cri.output(id, "sh", "-c", "echo $WIDGETS")).isEqualTo("a,b");
    }
  }

  /** What a person sees who watches. */
  @Test
  void devicesWatchShowsEachChange() throws Exception {
    Path seen = node.folder("watch").resolve("output");
    try (VendorPlugin plug =
        VendorPlugin.start(node, "vendor.example/watched", "device x Healthy 1")) {
      Process watch =
          new ProcessBuilder(node.keelson("devices", "watch"))
              .redirectErrorStream(true)
              .redirectOutput(seen.toFile())
              .start();
      try {
        awaitLine(seen, "vendor.example/watched +x +healthy +1 +- .*");
        plug.says("device x Unhealthy 1");
        awaitLine(seen, "vendor.example/watched +x +unhealthy +1 +- .*");
        plug.says("device x Healthy 1");
        PodSandboxConfig pod =
            node.pod("holder").putAnnotations(REQUEST, "vendor.example/watched=1").build();
        Waits.until(
            () -> node.cri().devicesOf("vendor.example/watched").getFirst().getHealthy(),
            "it is well again");
        String podId = node.cri().runPod(pod);
        awaitLine(seen, "vendor.example/watched +x +healthy +1 +it/holder .*");
        plug.kill();
        awaitLine(seen, "vendor.example/watched +x +plugin gone +1 +it/holder .*");
        node.cri().stopPod(podId);
        assertThat(watch.isAlive()).isTrue();
      } finally {
        watch.destroyForcibly().waitFor();
      }
    }
  }

  private static void awaitLine(Path output, String pattern) {
    Waits.until(
        () -> {
          try {
            return Files.readAllLines(output).stream().anyMatch(line -> line.matches(pattern));
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        },
        pattern);
  }

  /** As drivers do, instead of calling Register. */
  @Test
  void aPluginMayRegisterByASocketInTheWatchedFolder() throws Exception {
    Path socket = node.pluginRegistrations().resolve("widgets.sock");
    String resource = "vendor.example/folder";
    try (UnixServer _ =
        UnixServer.start(
            socket, List.of(new WatchedRegistration(resource, socket), new OneDevice()))) {
      Waits.until(
          () -> node.cri().devicesOf(resource).stream().anyMatch(NodeDevice::getHealthy),
          "its device");
      PodSandboxConfig pod = node.pod("folder").build();
      String podId = node.cri().runPod(pod);
      ContainerConfig config = node.sleeper("main").putAnnotations(REQUEST, resource).build();
      String container = node.cri().run(podId, config, pod);
      assertThat(node.cri().output(container, "sh", "-c", "echo $ONE")).isEqualTo("only");
      assertThatThrownBy(
              () ->
                  node.cri()
                      .create(
                          podId,
                          node.sleeper("other").putAnnotations(REQUEST, resource).build(),
                          pod))
          .hasMessageContaining("RESOURCE_EXHAUSTED");
      assertThat(node.root().resolve("plugins_registry")).doesNotExist();
      assertThat(metrics())
          .contains("keelson_devices{resource=\"%s\",state=\"held\",} 1.0".formatted(resource))
          .contains("keelson_device_allocations_total{resource=\"%s\",} 1.0".formatted(resource))
          .containsPattern(
              "keelson_device_allocation_failures_total\\{cause=\"ResourceExhausted\",} [1-9]");
    }
    Waits.until(
        () ->
            metrics()
                .contains(
                    "keelson_devices{resource=\"%s\",state=\"held\",} 1.0".formatted(resource)),
        "who holds it is still told");
  }

  private static String metricsSocket() {
    return node.base().resolve("metrics.sock").toString();
  }

  private static String metrics() {
    return Shell.output("curl", "-s", "--unix-socket", metricsSocket(), "http://node/metrics");
  }

  private static final class WatchedRegistration extends RegistrationGrpc.RegistrationImplBase {

    private final PluginInfo info;

    WatchedRegistration(String resource, Path socket) {
      info =
          PluginInfo.newBuilder()
              .setType("DevicePlugin")
              .setName(resource)
              .setEndpoint(socket.toString())
              .addSupportedVersions("v1beta1")
              .build();
    }

    @Override
    public void getInfo(InfoRequest request, StreamObserver<PluginInfo> observer) {
      observer.onNext(info);
      observer.onCompleted();
    }
  }

  private static final class OneDevice extends DevicePluginGrpc.DevicePluginImplBase {

    @Override
    public void getDevicePluginOptions(
        Empty request, StreamObserver<DevicePluginOptions> observer) {
      observer.onNext(DevicePluginOptions.getDefaultInstance());
      observer.onCompleted();
    }

    @Override
    public void listAndWatch(Empty request, StreamObserver<ListAndWatchResponse> observer) {
      observer.onNext(
          ListAndWatchResponse.newBuilder()
              .addDevices(Device.newBuilder().setID("only").setHealth("Healthy"))
              .build());
    }

    @Override
    public void allocate(AllocateRequest request, StreamObserver<AllocateResponse> observer) {
      observer.onNext(
          AllocateResponse.newBuilder()
              .addContainerResponses(
                  ContainerAllocateResponse.newBuilder()
                      .putEnvs("ONE", request.getContainerRequests(0).getDevicesIds(0)))
              .build());
      observer.onCompleted();
    }
  }

  @Test
  void manyAtOnceShareFourWidgets() throws Exception {
    Cri cri = node.cri();
    PodSandboxConfig pod = node.pod("many").build();
    String podId = cri.runPod(pod);
    List<Future<Integer>> all = new ArrayList<>();
    try (ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < 24; i++) {
        String name = "c" + i;
        all.add(
            executor.submit(
                () -> {
                  try {
                    cri.remove(cri.create(podId, asking(name, 1), pod));
                    return 1;
                  } catch (StatusRuntimeException e) {
                    assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
                    return 0;
                  }
                }));
      }
    }
    int made = 0;
    for (Future<Integer> one : all) {
      made += one.get();
    }
    assertThat(made).isGreaterThanOrEqualTo(4);
    assertThat(allocations()).isEmpty();
    cri.create(podId, asking("last", 4), pod);
  }

  /** Each asks until it gets one, looks whether it is alone with it, and gives it back. */
  @Test
  void twoHundredAtOnceShareSixteen() throws Exception {
    String resource = "vendor.example/few";
    String[] sixteen =
        IntStream.range(0, 16).mapToObj(i -> "device f" + i + " Healthy").toArray(String[]::new);
    Map<String, String> holders = new ConcurrentHashMap<>();
    List<Future<?>> all = new ArrayList<>();
    try (VendorPlugin _ = VendorPlugin.start(node, resource, sixteen);
        ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
      long started = System.nanoTime();
      for (int i = 0; i < 200; i++) {
        String uid = "many-" + i;
        all.add(
            executor.submit(
                () -> {
                  String id = allocateOne(resource, uid);
                  assertThat(holders.putIfAbsent(id, uid)).as("who else has " + id).isNull();
                  assertThat(holders.remove(id)).isEqualTo(uid);
                  release(uid);
                }));
      }
      for (Future<?> one : all) {
        one.get();
      }
      assertThat(Duration.ofNanos(System.nanoTime() - started)).isLessThan(Patience.ofSeconds(60));
      assertThat(node.cri().devicesOf(resource))
          .hasSize(16)
          .allMatch(device -> device.getHealthy() && !device.hasHolder());
      assertThat(allocations()).isEmpty();
      assertThat(allocate(resource + "=16", "last")).hasSize(16).doesNotHaveDuplicates();
      release("last");
    }
  }

  private static String allocateOne(String resource, String uid) {
    while (true) {
      try {
        List<String> ids = allocate(resource, uid);
        assertThat(ids).hasSize(1);
        return ids.getFirst();
      } catch (StatusRuntimeException e) {
        assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
        Waits.sleep(Duration.ofMillis(150));
      }
    }
  }

  private static List<String> allocate(String request, String uid) {
    return node.cri()
        .devices()
        .allocate(
            AllocateDevicesRequest.newBuilder()
                .setPodUid(uid)
                .setContainer("main")
                .setRequest(request)
                .build())
        .getAllocated(0)
        .getDeviceIdsList();
  }

  private static void release(String uid) {
    var _ =
        node.cri()
            .devices()
            .release(
                ReleaseDevicesRequest.newBuilder().setPodUid(uid).setContainer("main").build());
  }

  @Test
  void cdiDevicesByNameAnnotationAndAnswer() throws Exception {
    Cri cri = node.cri();
    Path spec = Path.of("/var/run/cdi/keelson-it-" + ProcessHandle.current().pid() + ".yaml");
    Files.createDirectories(spec.getParent());
    String kind = "it" + ProcessHandle.current().pid() + ".example/thing";
    Files.writeString(
        spec,
        """
        cdiVersion: 0.6.0
        kind: %s
        devices:
          - name: one
            containerEdits:
              env: [ONE=1]
              deviceNodes: [{path: /dev/one, hostPath: %s}]
          - name: two
            containerEdits: {env: [TWO=2]}
          - name: three
            containerEdits: {env: [THREE=3]}
        """
            .formatted(kind, harmless));
    try {
      plugin.says(four("cdi " + kind + "=three"));
      PodSandboxConfig pod = node.pod("cdi").build();
      String podId = cri.runPod(pod);
      ContainerConfig config =
          asking("main", 1).toBuilder()
              .addCDIDevices(io.keelson.proto.cri.v1.CDIDevice.newBuilder().setName(kind + "=one"))
              .putAnnotations("cdi.k8s.io/test", kind + "=two")
              .build();
      String container = cri.run(podId, config, pod);
      assertThat(cri.output(container, "sh", "-c", "echo $ONE$TWO$THREE")).isEqualTo("123");
      assertThat(openedAt(container, "/dev/one")).contains("No such device or address");

      String later =
          cri.create(
              podId,
              node.sleeper("later")
                  .addCDIDevices(
                      io.keelson.proto.cri.v1.CDIDevice.newBuilder().setName(kind + "=two"))
                  .build(),
              pod);
      Files.writeString(spec, Files.readString(spec).replace("TWO=2", "SECOND=3"));
      node.restart();
      cri.start(later);
      assertThat(cri.output(later, "sh", "-c", "echo $TWO:$SECOND")).isEqualTo(":3");
    } finally {
      plugin.says(four());
      Files.deleteIfExists(spec);
    }
  }

  private static ContainerConfig asking(String name, int widgets) {
    return node.sleeper(name).putAnnotations(REQUEST, WIDGET + "=" + widgets).build();
  }

  private static String opened(String container) {
    return openedAt(container, "/dev/widget");
  }

  private static String openedAt(String container, String path) {
    return node.cri().exec(container, "cat", path).getStderr().toStringUtf8();
  }

  private static List<String> allocations() throws Exception {
    try (Stream<Path> files = Files.list(node.root().resolve("devices/allocations"))) {
      return files.map(Path::toString).toList();
    }
  }
}
