package io.keelson.integration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import io.keelson.integration.harness.Cri;
import io.keelson.integration.harness.DyingDaemon;
import io.keelson.integration.harness.MetricsEndpoint;
import io.keelson.integration.harness.PodMonitor;
import io.keelson.integration.harness.Shell;
import io.keelson.integration.harness.TestNode;
import io.keelson.integration.harness.VendorPlugin;
import io.keelson.proto.cri.v1.ContainerConfig;
import io.keelson.proto.cri.v1.LinuxContainerResources;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import io.keelson.proto.cri.v1.UpdateContainerResourcesRequest;
import io.keelson.proto.node.v1.AllocateDevicesRequest;
import io.keelson.proto.node.v1.AttachDevicesRequest;
import io.keelson.proto.node.v1.DetachDevicesRequest;
import io.keelson.proto.node.v1.ListResourcesRequest;
import io.keelson.proto.node.v1.ListResourcesResponse;
import io.keelson.proto.node.v1.NodeDevice;
import io.keelson.proto.node.v1.ReleaseDevicesRequest;
import io.keelson.proto.node.v1.WatchDevicesRequest;
import io.keelson.proto.podresources.v1.ContainerDevices;
import io.keelson.proto.podresources.v1.NUMANode;
import io.keelson.proto.podresources.v1.PodResources;
import io.keelson.proto.podresources.v1.TopologyInfo;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Devices that come to containers that run, and what the node tells of its devices. */
class HotplugIT {

  private static final String REQUEST = "devices.keelson.io/request";
  private static final String DISK = "unix.keelson.io/disk";
  private static final String LATER = "unix.keelson.io/later";
  private static final String PHONE = "usb.keelson.io/phone";
  private static final String SHARED = "usb.keelson.io/shared";
  private static final String LIST = "vendor.example/list";
  private static final String MAY_OPEN = "No such device or address";
  private static final String MAY_NOT_OPEN = "Operation not permitted";

  @RegisterExtension static final TestNode node = TestNode.bare();

  private static final DyingDaemon daemon = new DyingDaemon(node);
  private static final MetricsEndpoint metrics = MetricsEndpoint.of(node);

  private static Path dev;
  private static Path tree;

  @BeforeAll
  static void start() throws Exception {
    dev = node.folder("dev");
    tree = node.folder("tree");
    for (int i = 0; i < 2; i++) {
      Shell.output("mknod", dev.resolve("disk" + i).toString(), "c", "511", "" + (60 + i));
    }
    plugIn(5, 65);
    Path definitions = node.folder("devices.d");
    Files.writeString(
        definitions.resolve("test.toml"),
        """
        [[unix]]
        resource = "%s"
        paths = ["%s/disk*"]

        [[unix]]
        resource = "%s"
        paths = ["%s/later"]
        container_path = "/dev/later"
        owner = "5:6"
        mode = "0604"
        required = false

        [[usb]]
        resource = "%s"
        vendor = "18d1"
        root = "%s"

        [[usb]]
        resource = "%s"
        port = "2"
        root = "%s"
        shares = 2
        """
            .formatted(DISK, dev, LATER, dev, PHONE, tree, SHARED, tree));
    node.set("devices.look_interval", "\"200ms\"");
    node.set("devices.definitions_dir", "\"" + definitions + "\"");
    node.writeConfiguration();
    node.start();
  }

  private static void plugIn(int number, int minor) throws Exception {
    Path device = Files.createDirectories(tree.resolve("sys/bus/usb/devices/1-2"));
    Path bus = Files.createDirectories(tree.resolve("dev/bus/usb/001"));
    Files.writeString(device.resolve("idVendor"), "18d1");
    Files.writeString(device.resolve("idProduct"), "4ee7");
    Files.writeString(device.resolve("serial"), "0815");
    Files.writeString(device.resolve("busnum"), "1");
    Files.writeString(device.resolve("devnum"), "" + number);
    Shell.output("mknod", bus.resolve("%03d".formatted(number)).toString(), "c", "511", "" + minor);
  }

  @Test
  void devicesAreAttachedToAndDetachedFromARunningContainer() throws Exception {
    Cri cri = node.cri();
    PodSandboxConfig pod = node.pod("plug").build();
    String podId = cri.runPod(pod);
    String container = cri.run(podId, node.sleeper("main").build(), pod);
    String zero = dev.resolve("disk0").toString();
    assertThat(open(container, zero)).contains("No such file");

    Shell.Result attached = keelson("devices", "attach", container.substring(0, 12), DISK + "=1");
    assertThat(attached.exitCode()).as(attached.output()).isZero();
    assertThat(attached.output()).startsWith(DISK + " ");
    assertThat(open(container, zero)).contains(MAY_OPEN);
    assertThat(keelson("devices").output())
        .containsPattern("^RESOURCE +DEVICE +HEALTH +NUMA +HOLDER +ATTRIBUTES\n")
        .containsPattern(DISK + " +\\S+disk0 +healthy +- +it/plug/main +number:c 511:60 ");

    var _ =
        cri.devices()
            .attach(
                AttachDevicesRequest.newBuilder()
                    .setContainerId(container)
                    .setRequest(DISK + "=1")
                    .build());
    String one = dev.resolve("disk1").toString();
    assertThat(open(container, one)).contains(MAY_OPEN);
    assertThatThrownBy(
            () ->
                cri.devices()
                    .attach(
                        AttachDevicesRequest.newBuilder()
                            .setContainerId(container)
                            .setRequest(DISK + "=1")
                            .build()))
        .hasMessageContaining("RESOURCE_EXHAUSTED");

    String id = zero.substring(1).replace('/', '-');
    Shell.Result detached = keelson("devices", "detach", container.substring(0, 12), DISK, id);
    assertThat(detached.exitCode()).as(detached.output()).isZero();
    assertThat(keelson("devices").output())
        .containsPattern(DISK + " +" + id + " +healthy +- +- +number:c 511:60 ")
        .containsPattern(DISK + " +\\S+disk1 +healthy +- +it/plug/main +number:c 511:61 ");
    assertThat(open(container, zero)).contains("No such file");
    assertThat(openRemade(container, 60)).contains(MAY_NOT_OPEN);
    assertThat(open(container, one)).contains(MAY_OPEN);
    assertThat(open(container, "/dev/null")).isEmpty();
  }

  /** The OCI runtime writes all rules anew then: those of the making, and what came later. */
  @Test
  void rulesAreKeptWhenResourcesAreUpdated() throws Exception {
    Cri cri = node.cri();
    PodSandboxConfig pod = node.pod("update").build();
    String podId = cri.runPod(pod);
    ContainerConfig config = node.sleeper("main").putAnnotations(REQUEST, DISK).build();
    String container = cri.run(podId, config, pod);
    String zero = dev.resolve("disk0").toString();
    String one = dev.resolve("disk1").toString();
    update(container, 300);
    assertThat(open(container, zero)).contains(MAY_OPEN);
    assertThat(openRemade(container, 61)).contains(MAY_NOT_OPEN);

    Shell.Result attached = keelson("devices", "attach", container, DISK + "=1");
    assertThat(attached.exitCode()).as(attached.output()).isZero();
    update(container, 400);
    assertThat(open(container, zero)).contains(MAY_OPEN);
    assertThat(open(container, one)).contains(MAY_OPEN);
    assertThat(openRemade(container, 99)).contains(MAY_NOT_OPEN);
    assertThat(open(container, "/dev/null")).isEmpty();

    String id = one.substring(1).replace('/', '-');
    Shell.Result detached = keelson("devices", "detach", container, DISK, id);
    assertThat(detached.exitCode()).as(detached.output()).isZero();
    update(container, 500);
    assertThat(open(container, zero)).contains(MAY_OPEN);
    assertThat(openRemade(container, 61)).contains(MAY_NOT_OPEN);
  }

  private static void update(String container, long cpuShares) {
    var _ =
        node.cri()
            .runtime()
            .updateContainerResources(
                UpdateContainerResourcesRequest.newBuilder()
                    .setContainerId(container)
                    .setLinux(LinuxContainerResources.newBuilder().setCpuShares(cpuShares))
                    .build());
  }

  /** What a container hears that makes itself the node of a device, and opens it. */
  private static String openRemade(String container, int minor) {
    String path = "/tmp/remade" + minor;
    var _ = node.cri().exec(container, "mknod", path, "c", "511", "" + minor);
    return open(container, path);
  }

  /** Its plugin still names a node that the host has no more. */
  @Test
  void aDeviceThatWasPulledOutIsTakenFromItsContainer() throws Exception {
    Cri cri = node.cri();
    PodSandboxConfig pod = node.pod("pulled").build();
    String podId = cri.runPod(pod);
    Path host = dev.resolve("fleeting");
    Shell.output("mknod", host.toString(), "c", "511", "64");
    String resource = "vendor.example/fleeting";
    try (VendorPlugin _ =
        VendorPlugin.start(
            node, resource, "device f Healthy", "node " + host + " /dev/fleeting rw")) {
      ContainerConfig config = node.sleeper("main").putAnnotations(REQUEST, resource).build();
      String container = cri.run(podId, config, pod);
      assertThat(open(container, "/dev/fleeting")).contains(MAY_OPEN);

      Files.delete(host);
      Shell.Result other = keelson("devices", "attach", container, DISK);
      assertThat(other.exitCode()).as(other.output()).isZero();
      Shell.Result detached = keelson("devices", "detach", container, resource);
      assertThat(detached.exitCode()).as(detached.output()).isZero();
      assertThat(open(container, "/dev/fleeting")).contains("No such file");
      assertThat(openRemade(container, 64)).contains(MAY_NOT_OPEN);
      assertThat(open(container, dev.resolve("disk0").toString())).contains(MAY_OPEN);
      assertThat(cri.devicesOf(resource)).hasSize(1).noneMatch(NodeDevice::hasHolder);
    } finally {
      Files.deleteIfExists(host);
    }
  }

  static Stream<String> pointsOfHotplug() throws IOException {
    Path sources = Path.of("../device-plugins/src/main/java/io/keelson/device");
    return Stream.concat(
        Stream.of("Devices:held", "Devices:answered"),
        DyingDaemon.points(sources.resolve("container")));
  }

  /** Half of a coming is undone, half of a going is done, before anybody asks again. */
  @ParameterizedTest
  @MethodSource("pointsOfHotplug")
  void killedWhileDevicesComeAndGo(String point) throws Exception {
    Cri cri = node.cri();
    PodSandboxConfig pod = node.pod("killed").build();
    String podId = cri.runPod(pod);
    ContainerConfig config = node.sleeper("main").putAnnotations(REQUEST, LATER).build();
    String container = cri.run(podId, config, pod);
    String zero = dev.resolve("disk0").toString();
    daemon.dieAt(point);
    daemon.survive(
        () -> {
          assertHasNone(container);
          return cri.devices()
              .attach(
                  AttachDevicesRequest.newBuilder()
                      .setContainerId(container)
                      .setRequest(DISK)
                      .build());
        });
    assertThat(holders(cri.devices().listResources(ListResourcesRequest.getDefaultInstance())))
        .as("the disk, and what it had before")
        .containsExactly("it/killed/main", "it/killed/main");
    assertThat(open(container, zero)).contains(MAY_OPEN);
    assertThat(openRemade(container, 61)).contains(MAY_NOT_OPEN);
    DetachDevicesRequest detach =
        DetachDevicesRequest.newBuilder().setContainerId(container).setResource(DISK).build();
    var _ = daemon.survive(() -> cri.devices().detach(detach));
    assertHasNone(container);
    assertThat(daemon.hasDied()).as("the daemon has died at " + point).isTrue();
  }

  /** Of the disks. */
  private static void assertHasNone(String container) {
    assertThat(node.cri().devicesOf(DISK)).hasSize(2).noneMatch(NodeDevice::hasHolder);
    assertThat(open(container, dev.resolve("disk0").toString())).contains("No such file");
    assertThat(openRemade(container, 60)).contains(MAY_NOT_OPEN);
  }

  /** Who asks again after a failure asks for the same, and nothing is held for nobody. */
  @Test
  void whatCanNotBeAttachedOrDetachedChangesNothing() throws Exception {
    Cri cri = node.cri();
    PodSandboxConfig pod = node.pod("stuck").build();
    String podId = cri.runPod(pod);
    ContainerConfig.Builder config = node.sleeper("main");
    config.getLinuxBuilder().getSecurityContextBuilder().setReadonlyRootfs(true);
    String container = cri.run(podId, config.build(), pod);
    AttachDevicesRequest attach =
        AttachDevicesRequest.newBuilder().setContainerId(container).setRequest(DISK).build();

    assertThatThrownBy(() -> cri.devices().attach(attach)).hasMessageContaining("EROFS");
    assertThat(node.root().resolve("devices/allocations")).isEmptyDirectory();
    var _ = cri.exec(container, "mknod", "/dev/zeroth", "c", "511", "60");
    assertThat(open(container, "/dev/zeroth")).contains(MAY_NOT_OPEN);

    String other = cri.run(podId, node.sleeper("other").build(), pod);
    var _ = cri.devices().attach(attach.toBuilder().setContainerId(other).build());
    String zero = dev.resolve("disk0").toString();
    String notItsOwn = dev.resolve("disk1").toString().substring(1).replace('/', '-');
    assertThatThrownBy(
            () ->
                cri.devices()
                    .detach(
                        DetachDevicesRequest.newBuilder()
                            .setContainerId(other)
                            .setResource(DISK)
                            .addDeviceIds(notItsOwn)
                            .build()))
        .hasMessageContaining("NOT_FOUND");
    assertThat(open(other, zero)).contains(MAY_OPEN);

    cri.stop(container, 0);
    assertThatThrownBy(() -> cri.devices().attach(attach))
        .hasMessageContaining("FAILED_PRECONDITION");
    cri.stop(other, 0);
    cri.remove(other);
    assertThat(node.root().resolve("devices/allocations")).isEmptyDirectory();
  }

  /** Who asks again may not have heard that it was done. */
  @Test
  void whatWasDetachedMayBeDetachedAgain() throws Exception {
    Cri cri = node.cri();
    PodSandboxConfig pod = node.pod("again").build();
    String podId = cri.runPod(pod);
    ContainerConfig config = node.sleeper("main").putAnnotations(REQUEST, DISK + "=2").build();
    String container = cri.run(podId, config, pod);
    String zero = dev.resolve("disk0").toString().substring(1).replace('/', '-');
    String one = dev.resolve("disk1").toString().substring(1).replace('/', '-');
    DetachDevicesRequest all =
        DetachDevicesRequest.newBuilder().setContainerId(container).setResource(DISK).build();
    DetachDevicesRequest first = all.toBuilder().addDeviceIds(zero).build();
    DetachDevicesRequest both = first.toBuilder().addDeviceIds(one).build();
    for (DetachDevicesRequest request : List.of(first, first, both, both, all, all)) {
      var _ = cri.devices().detach(request);
    }
    assertHasNone(container);
    assertThatThrownBy(
            () -> cri.devices().detach(both.toBuilder().addDeviceIds("not-its-own").build()))
        .hasMessageContaining("NOT_FOUND");
    assertThatThrownBy(() -> cri.devices().detach(all.toBuilder().setResource(LATER).build()))
        .hasMessageContaining("NOT_FOUND");
    cri.stop(container, 0);
    cri.remove(container);
    assertThat(node.root().resolve("devices/withdrawn")).isEmptyDirectory();
  }

  /** File systems of a user namespace open no device: the nodes are mounts there. */
  @Test
  void devicesComeToAndGoFromAPodWithAUserNamespace() throws Exception {
    Cri cri = node.cri();
    PodSandboxConfig.Builder pod =
        node.pod("users").putAnnotations("devices.keelson.io/owner", "77:78");
    pod.getLinuxBuilder().getSecurityContextBuilder().setNamespaceOptions(TestNode.OWN_USERS);
    String podId = cri.runPod(pod.build());
    ContainerConfig.Builder config = node.sleeper("main").putAnnotations(REQUEST, LATER);
    config.getLinuxBuilder().getSecurityContextBuilder().setNamespaceOptions(TestNode.OWN_USERS);
    String container = cri.run(podId, config.build(), pod.build());

    var _ =
        cri.devices()
            .attach(
                AttachDevicesRequest.newBuilder()
                    .setContainerId(container)
                    .setRequest(DISK)
                    .build());
    String zero = dev.resolve("disk0").toString();
    assertThat(open(container, zero)).contains(MAY_OPEN);
    assertThat(cri.output(container, "ls", "-ln", zero)).matches("c.* 77 +78 +511, +60 .*");
    assertThat(keelson("devices", "detach", container, DISK).exitCode()).isZero();
    assertThat(open(container, zero)).contains("No such file");
    assertThat(cri.output(container, "cat", "/proc/self/mounts")).doesNotContain("disk0");

    // In the runtime's tmpfs, which belongs to the namespace.
    Shell.output("mknod", dev.resolve("later").toString(), "c", "511", "62");
    Waits.until(() -> open(container, "/dev/later").contains(MAY_OPEN), "the device");
    Files.delete(dev.resolve("later"));
    Waits.until(() -> open(container, "/dev/later").contains("No such file"), "its end");
  }

  @Test
  void aDeviceThatIsWaitedForComesWhenItIsThere() throws Exception {
    Cri cri = node.cri();
    PodSandboxConfig pod = node.pod("wait").build();
    String podId = cri.runPod(pod);
    ContainerConfig config = node.sleeper("main").putAnnotations(REQUEST, LATER + "=1").build();
    String container = cri.run(podId, config, pod);
    assertThat(open(container, "/dev/later")).contains("No such file");

    Path host = dev.resolve("later");
    Shell.output("mknod", host.toString(), "c", "511", "70");
    Waits.until(() -> open(container, "/dev/later").contains(MAY_OPEN), "the node");
    assertThat(cri.output(container, "ls", "-ln", "/dev/later")).matches("crw----r--.* 5 +6 .*");
    Files.delete(host);
    Waits.until(() -> open(container, "/dev/later").contains("No such file"), "its end");
  }

  @Test
  void aUsbDeviceThatComesBackUnderAnotherNumberIsInItsContainerAgain() throws Exception {
    Cri cri = node.cri();
    PodSandboxConfig pod = node.pod("usb").build();
    String podId = cri.runPod(pod);
    ContainerConfig config =
        node.sleeper("main").putAnnotations(REQUEST, PHONE + "=serial:0815").build();
    String container = cri.run(podId, config, pod);
    assertThat(open(container, "/dev/bus/usb/001/005")).contains(MAY_OPEN);

    Files.delete(tree.resolve("sys/bus/usb/devices/1-2/serial"));
    Files.delete(tree.resolve("dev/bus/usb/001/005"));
    Waits.until(
        () -> open(container, "/dev/bus/usb/001/005").contains("No such file"), "it is out");
    Waits.until(
        () -> openRemade(container, 65).contains(MAY_NOT_OPEN), "its number may be another's");
    plugIn(9, 69);
    Waits.until(() -> open(container, "/dev/bus/usb/001/009").contains(MAY_OPEN), "it is back");
    assertThat(openRemade(container, 65)).as("its old number").contains(MAY_NOT_OPEN);
    plugOutForTheNext();
  }

  private static void plugOutForTheNext() throws Exception {
    Files.delete(tree.resolve("dev/bus/usb/001/009"));
    plugIn(5, 65);
  }

  @Test
  void devicesAreReservedForAContainerToComeAndWatched() throws Exception {
    Cri cri = node.cri();
    PodSandboxConfig pod = node.pod("ahead").build();
    Iterator<ListResourcesResponse> watch =
        cri.devices().watchDevices(WatchDevicesRequest.getDefaultInstance());
    assertThat(holders(watch.next())).isEmpty();
    AllocateDevicesRequest request =
        AllocateDevicesRequest.newBuilder()
            .setPodUid(pod.getMetadata().getUid())
            .setPodNamespace("it")
            .setPodName("ahead")
            .setContainer("main")
            .setRequest(DISK + "=1")
            .build();
    assertThat(cri.devices().allocate(request)).isEqualTo(cri.devices().allocate(request));
    List<String> holders = List.of();
    while (holders
        .isEmpty()) { // until then there may be word of what an earlier test has unplugged
      holders = holders(watch.next());
    }
    assertThat(holders).containsExactly("it/ahead/main");

    String podId = cri.runPod(pod);
    String container = cri.run(podId, node.sleeper("main").build(), pod);
    assertThat(open(container, dev.resolve("disk0").toString())).contains(MAY_OPEN);

    try (PodMonitor monitor = PodMonitor.of(node)) {
      assertThat(monitor.pod("ahead").getContainers(0).getDevicesList())
          .extracting(ContainerDevices::getResourceName)
          .containsExactly(DISK);
      assertThat(monitor.pods()).extracting(PodResources::getName).containsExactly("ahead");
    }
    cri.remove(container);
    var _ = cri.devices().allocate(request);
    var _ =
        cri.devices()
            .release(
                ReleaseDevicesRequest.newBuilder()
                    .setPodUid(pod.getMetadata().getUid())
                    .setContainer("main")
                    .build());
    assertThat(node.root().resolve("devices/allocations")).isEmptyDirectory();
  }

  /** What its holder has it keeps, and everybody is told the same of it. */
  @Test
  void aPluginsListGrowsAndShrinks() throws Exception {
    Cri cri = node.cri();
    PodSandboxConfig pod = node.pod("list").build();
    String podId = cri.runPod(pod);
    try (VendorPlugin plugin =
            VendorPlugin.start(node, LIST, "device x Healthy 0", "device y Healthy 1");
        PodMonitor monitor = PodMonitor.of(node)) {
      plugin.says("device x Healthy 0", "device y Healthy 1", "device z Healthy 1");
      awaitList("x free", "y free", "z free");
      String wish = LIST + "=id:z, " + LIST + "=id:y";
      String container =
          cri.run(podId, node.sleeper("main").putAnnotations(REQUEST, wish).build(), pod);
      awaitList("x free", "y held", "z held");

      plugin.says("device x Unhealthy 0", "device z Healthy 1");
      awaitList("x ill", "y held, ill", "z held");
      plugin.says("device x Healthy 0", "device z Healthy 1");
      awaitList("x free", "y held, ill", "z held");
      assertThat(keelson("devices").output())
          .containsPattern(LIST + " +x +healthy +0 +- ")
          .containsPattern(LIST + " +z +healthy +1 +it/list/main ")
          .containsPattern(LIST + " +y +unhealthy +- +it/list/main ");
      PodResources told = monitor.pod("list");
      assertThat(told.getContainersList()).hasSize(1);
      assertThat(told.getContainers(0).getName()).isEqualTo("main");
      assertThat(told.getContainers(0).getDevicesList()).containsExactly(devices(1, "z", "y"));
      assertThat(monitor.pods()).containsExactly(told);
      assertThat(monitor.allocatable())
          .filteredOn(devices -> devices.getResourceName().equals(LIST))
          .containsExactly(devices(0, "x"), devices(1, "z"));
      ContainerConfig late = node.sleeper("late").putAnnotations(REQUEST, LIST + "=id:y").build();
      assertThatThrownBy(() -> cri.create(podId, late, pod))
          .hasMessageContaining("RESOURCE_EXHAUSTED");

      cri.stop(container, 0);
      cri.remove(container);
      awaitList("x free", "z free");
      assertThatThrownBy(() -> monitor.pod("list")).hasMessageContaining("NOT_FOUND");

      plugin.says("device x Healthy 0", "refuse no widgets today");
      awaitList("x free");
      ContainerConfig refused = node.sleeper("refused").putAnnotations(REQUEST, LIST).build();
      assertThatThrownBy(() -> cri.create(podId, refused, pod))
          .hasMessageContaining("no widgets today");
      String text = metrics.get("/metrics");
      for (String cause : List.of("ResourceExhausted", "OperationFailed")) {
        String failures = "keelson_device_allocation_failures_total{cause=\"" + cause + "\",}";
        assertThat(MetricsEndpoint.value(text, failures)).as(cause).isPositive();
      }
    }
  }

  private static ContainerDevices devices(long numaNode, String... ids) {
    return ContainerDevices.newBuilder()
        .setResourceName(LIST)
        .addAllDeviceIds(List.of(ids))
        .setTopology(TopologyInfo.newBuilder().addNodes(NUMANode.newBuilder().setID(numaNode)))
        .build();
  }

  /** As a caller is told it, and as the metrics count it. */
  private static void awaitList(String... wanted) {
    Waits.until(() -> list().equals(List.of(wanted)), LIST + " has " + List.of(wanted));
    String text = metrics.get("/metrics");
    Map.of("free", " free", "held", " held", "unusable", " ill")
        .forEach(
            (state, word) ->
                assertThat(
                        MetricsEndpoint.value(
                            text,
                            "keelson_devices{resource=\"%s\",state=\"%s\",}"
                                .formatted(LIST, state)))
                    .as(state)
                    .isEqualTo(
                        (double)
                            Stream.of(wanted)
                                .filter(device -> device.startsWith(word, 1))
                                .count()));
  }

  private static List<String> list() {
    return node.cri().devicesOf(LIST).stream()
        .map(device -> device.getId() + " " + state(device))
        .sorted()
        .toList();
  }

  private static String state(NodeDevice device) {
    if (device.hasHolder()) {
      return device.getHealthy() ? "held" : "held, ill";
    }
    return device.getHealthy() ? "free" : "ill";
  }

  /** With two at once, and the ids tell. */
  @Test
  void aUsbDeviceIsSharedAsConfigured() throws Exception {
    Cri cri = node.cri();
    for (String name : List.of("one", "two")) {
      PodSandboxConfig pod = node.pod(name).build();
      ContainerConfig config =
          node.sleeper("main").putAnnotations(REQUEST, SHARED + "=serial:0815").build();
      String container = cri.run(cri.runPod(pod), config, pod);
      assertThat(open(container, "/dev/bus/usb/001/005")).contains(MAY_OPEN);
    }
    assertThat(cri.devicesOf(SHARED))
        .extracting(NodeDevice::getId, device -> device.getHolder().getPodName())
        .containsExactly(tuple("18d1:4ee7:0815::0", "one"), tuple("18d1:4ee7:0815::1", "two"));
  }

  private static List<String> holders(ListResourcesResponse answer) {
    return answer.getResourcesList().stream()
        .flatMap(resource -> resource.getDevicesList().stream())
        .filter(device -> device.hasHolder())
        .map(
            device ->
                device.getHolder().getPodNamespace()
                    + "/"
                    + device.getHolder().getPodName()
                    + "/"
                    + device.getHolder().getContainer())
        .toList();
  }

  private static String open(String container, String path) {
    return node.cri().exec(container, "cat", path).getStderr().toStringUtf8();
  }

  private static Shell.Result keelson(String... words) {
    return Shell.run(node.keelson(words));
  }
}
