package io.keelson.integration;

import static io.keelson.integration.Failures.code;
import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Status;
import io.keelson.integration.harness.Cri;
import io.keelson.integration.harness.Shell;
import io.keelson.integration.harness.TestNode;
import io.keelson.proto.cri.v1.Capability;
import io.keelson.proto.cri.v1.ContainerConfig;
import io.keelson.proto.cri.v1.ContainerStatusRequest;
import io.keelson.proto.cri.v1.IDMapping;
import io.keelson.proto.cri.v1.Int64Value;
import io.keelson.proto.cri.v1.Mount;
import io.keelson.proto.cri.v1.NamespaceMode;
import io.keelson.proto.cri.v1.NamespaceOption;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import io.keelson.proto.cri.v1.StatusRequest;
import io.keelson.proto.cri.v1.StatusResponse;
import io.keelson.proto.cri.v1.UserNamespace;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Pods whose root is nobody on the host. */
class UserNamespacesIT {

  private static final int ROOT = 200_000;
  private static final int GROUP = 300_000;

  @RegisterExtension static final TestNode node = TestNode.create();

  @Test
  void rootOfThePodIsNobodyOnTheHost() throws IOException {
    Cri cri = node.cri();
    PodSandboxConfig pod = pod("mapped", NamespaceOption.newBuilder());
    String podId = cri.runPod(pod);
    ContainerConfig.Builder admin = node.sleeper("main");
    admin
        .getLinuxBuilder()
        .getSecurityContextBuilder()
        .setCapabilities(Capability.newBuilder().addAddCapabilities("NET_ADMIN"));
    String id = cri.run(podId, admin.build(), pod);

    assertThat(cri.output(id, "id", "-u")).isEqualTo("0");
    assertThat(cri.output(id, "cat", "/proc/self/uid_map").strip().split(" +"))
        .containsExactly("0", Integer.toString(ROOT), "65536");
    assertThat(cri.output(id, "cat", "/proc/self/gid_map").strip().split(" +"))
        .containsExactly("0", Integer.toString(GROUP), "65536");
    assertThat(Files.getAttribute(Path.of("/proc/" + init(id)), "unix:uid")).isEqualTo(ROOT);
    assertThat(cri.output(id, "stat", "-c", "%u:%g", "/bin/busybox", "/etc/hosts", "/dev/shm"))
        .isEqualTo("0:0\n0:0\n0:0");
    cri.output(id, "sh", "-c", "touch /mine /etc/hosts /dev/shm/x && chown 5:6 /mine");
    assertThat(cri.output(id, "stat", "-c", "%u:%g", "/mine")).isEqualTo("5:6");
    Path mine = Path.of("/proc/" + init(id) + "/root/mine");
    assertThat(Files.getAttribute(mine, "unix:uid", LinkOption.NOFOLLOW_LINKS)).isEqualTo(ROOT + 5);
    assertThat(cri.exec(id, "ip", "link", "set", "eth0", "mtu", "1300").getExitCode())
        .as("the network belongs to the pod's root")
        .isZero();
    assertThat(cri.podStatus(podId).getNetwork().getIp()).isNotEmpty();
    assertThat(
            cri.podStatus(podId)
                .getLinux()
                .getNamespaces()
                .getOptions()
                .getUsernsOptions()
                .getMode())
        .isEqualTo(NamespaceMode.POD);

    String second = cri.run(podId, node.sleeper("second").build(), pod);
    assertThat(cri.output(second, "readlink", "/proc/self/ns/user"))
        .isEqualTo(cri.output(id, "readlink", "/proc/self/ns/user"))
        .isNotEqualTo(Files.readSymbolicLink(Path.of("/proc/self/ns/user")).toString());
  }

  /** Some runtimes give what they have for standard input and output to the workload's user. */
  @Test
  void theNodesNullDeviceStaysTheNodes() throws IOException {
    Path device = Path.of("/dev/null");
    Files.setAttribute(device, "unix:uid", 0);
    Cri cri = node.cri();
    NamespaceOption.Builder shared = NamespaceOption.newBuilder().setPid(NamespaceMode.POD);
    for (PodSandboxConfig pod : List.of(pod("mapped", shared), node.pod("plain").build())) {
      String podId = cri.runPod(pod);
      ContainerConfig.Builder config =
          node.container("main", "sh", "-c", "cat; echo ended; while :; do sleep 1; done");
      config
          .getLinuxBuilder()
          .getSecurityContextBuilder()
          .setRunAsUser(Int64Value.newBuilder().setValue(1000));
      String id = cri.run(podId, config.build(), pod);
      assertThat(cri.output(id, "id", "-u")).isEqualTo("1000");
      assertThat(Shell.run(node.keelson("exec", id, "echo", "hello")).output())
          .isEqualTo("hello\n");
      assertThat(Shell.run(node.keelson("exec", "-t", id, "echo", "hello")).output())
          .isEqualTo("hello\r\n");
      assertThat(Files.getAttribute(device, "unix:uid")).isEqualTo(0);
      Waits.until(
          () -> node.log(pod.toBuilder(), "main").text("stdout").equals("ended\n"),
          "the end of the empty standard input");
    }
  }

  @Test
  void volumesWithAMappingShowTheirOwnersAndThoseWithoutNobody() throws IOException {
    Path volume = node.folder("volume");
    Path file = Files.createFile(volume.resolve("file"));
    Files.createDirectories(volume.resolve("below"));
    Shell.output("mount", "-t", "tmpfs", "below", volume.resolve("below").toString());
    try {
      Cri cri = node.cri();
      PodSandboxConfig pod = pod("volumes", NamespaceOption.newBuilder());
      String id =
          cri.run(
              cri.runPod(pod),
              node.sleeper("main")
                  .addMounts(mapped(volume, "/mapped"))
                  .addMounts(mapped(file, "/mapped-file").setReadonly(true))
                  .addMounts(mount(volume, "/plain"))
                  .build(),
              pod);
      assertThat(
              cri.output(
                  id,
                  "stat",
                  "-c",
                  "%u:%g",
                  "/mapped/file",
                  "/mapped-file",
                  "/mapped/below",
                  "/plain/file"))
          .isEqualTo("0:0\n0:0\n0:0\n65534:65534");
      cri.output(id, "touch", "/mapped/new");
      assertThat(Files.getAttribute(volume.resolve("new"), "unix:uid")).isEqualTo(0);
      assertThat(cri.exec(id, "touch", "/plain/new").getExitCode()).isNotZero();
      assertThat(cri.exec(id, "touch", "/mapped-file").getExitCode()).isNotZero();
      assertThat(cri.status(id).getMountsList())
          .anySatisfy(
              mount -> {
                assertThat(mount.getHostPath()).isEqualTo(volume.toString());
                assertThat(mount.getUidMappingsCount()).isEqualTo(1);
              });
      assertThat(Files.readString(Path.of("/proc/self/mountinfo")))
          .as("no mount of the volume stays on the host while the container runs")
          .doesNotContain(node.state() + "/containers/" + id);
    } finally {
      Shell.run(List.of("umount", "-l", volume.resolve("below").toString()));
    }
  }

  /** Red if such a volume appears as nobody's, or the caller is not told why it can't be had. */
  @Test
  void aVolumeWhoseFileSystemMapsNoOwnersIsRefused() throws IOException {
    Path volume = node.folder("unmappable");
    Shell.output("mount", "-t", "ramfs", "unmappable", volume.toString());
    try {
      Cri cri = node.cri();
      PodSandboxConfig pod = pod("unmappable", NamespaceOption.newBuilder());
      String podId = cri.runPod(pod);
      ContainerConfig container = node.sleeper("main").addMounts(mapped(volume, "/mapped")).build();
      assertThat(Failures.of(() -> cri.create(podId, container, pod)))
          .satisfies(
              failure -> {
                assertThat(failure.code()).isEqualTo(Status.Code.UNIMPLEMENTED);
                assertThat(failure.message()).contains("/mapped", volume.toString(), "map owners");
              });
    } finally {
      Shell.run(List.of("umount", "-l", volume.toString()));
    }
  }

  @Test
  void aVolumeCanBeMappedInAPodWithTheHostsUsers() throws IOException {
    Path volume = node.folder("mapped-on-host");
    Files.createFile(volume.resolve("file"));
    Cri cri = node.cri();
    PodSandboxConfig pod = node.pod("host-users").build();
    String id =
        cri.run(
            cri.runPod(pod), node.sleeper("main").addMounts(mapped(volume, "/data")).build(), pod);
    assertThat(cri.output(id, "stat", "-c", "%u:%g", "/data/file")).isEqualTo(ROOT + ":" + GROUP);
  }

  @Test
  void theHostsNetworkWithUsersOfItsOwn() throws IOException {
    Cri cri = node.cri();
    NamespaceOption.Builder options =
        NamespaceOption.newBuilder()
            .setNetwork(NamespaceMode.NODE)
            .setIpc(NamespaceMode.NODE)
            .setPid(NamespaceMode.CONTAINER);
    PodSandboxConfig pod = pod("host-network", options);
    ContainerConfig.Builder container = node.sleeper("main");
    container
        .getLinuxBuilder()
        .getSecurityContextBuilder()
        .setNamespaceOptions(pod.getLinux().getSecurityContext().getNamespaceOptions());
    String id = cri.run(cri.runPod(pod), container.build(), pod);
    assertThat(cri.output(id, "readlink", "/proc/self/ns/net"))
        .isEqualTo(Files.readSymbolicLink(Path.of("/proc/self/ns/net")).toString());
    assertThat(cri.output(id, "cat", "/proc/self/uid_map")).contains("" + ROOT);
    assertThat(cri.output(id, "ls", "/sys/class/net")).contains("lo");
    assertThat(cri.exec(id, "touch", "/sys/kernel/mm/x").getExitCode()).isNotZero();
    assertThat(cri.exec(id, "ip", "link", "set", "lo", "mtu", "60000").getExitCode())
        .as("the host's network is not the pod's root's")
        .isNotZero();
  }

  @Test
  void aSharedPidNamespaceWithUsersOfItsOwn() {
    Cri cri = node.cri();
    PodSandboxConfig pod = pod("shared-pids", NamespaceOption.newBuilder());
    ContainerConfig.Builder container = node.sleeper("main");
    container
        .getLinuxBuilder()
        .getSecurityContextBuilder()
        .setNamespaceOptions(NamespaceOption.newBuilder().setPid(NamespaceMode.POD));
    String podId = cri.runPod(pod);
    String id = cri.run(podId, container.build(), pod);
    assertThat(cri.output(id, "cat", "/proc/1/comm")).startsWith("catatonit");
    assertThat(cri.output(id, "cat", "/proc/1/uid_map")).contains("" + ROOT);
  }

  @Test
  void aRestartOfTheDaemonChangesNothing() throws IOException {
    Cri cri = node.cri();
    PodSandboxConfig pod = pod("restarted", NamespaceOption.newBuilder());
    String podId = cri.runPod(pod);
    String before = cri.run(podId, node.sleeper("before").build(), pod);
    String created =
        cri.create(
            podId,
            node.sleeper("created").addMounts(mapped(node.folder("v"), "/data")).build(),
            pod);
    node.killAndStart();
    cri.start(created);
    String after = cri.run(podId, node.sleeper("after").build(), pod);
    assertThat(cri.output(after, "readlink", "/proc/self/ns/user"))
        .isEqualTo(cri.output(before, "readlink", "/proc/self/ns/user"));
    assertThat(cri.output(created, "stat", "-c", "%u", "/data")).isEqualTo("0");
  }

  @Test
  void otherRuntimesToo() {
    Cri cri = node.cri();
    PodSandboxConfig pod = pod("by-runc", NamespaceOption.newBuilder());
    String id =
        cri.run(
            cri.runPod(pod, "runc"),
            node.sleeper("main").addMounts(mapped(node.folder("runc"), "/data")).build(),
            pod);
    assertThat(cri.output(id, "stat", "-c", "%u", "/data", "/bin")).isEqualTo("0\n0");
    assertThat(cri.output(id, "cat", "/proc/1/uid_map")).contains("" + ROOT);
  }

  @Test
  void whatCannotBeIsRefused() {
    Cri cri = node.cri();
    IDMapping range = range(ROOT);
    UserNamespace.Builder good = users();
    for (UserNamespace.Builder bad :
        List.of(
            good.clone().addUids(range),
            good.clone().clearGids(),
            good.clone().setUids(0, range.toBuilder().setContainerId(1)),
            good.clone().setGids(0, range.toBuilder().setLength(0)),
            good.clone().setMode(NamespaceMode.NODE),
            good.clone().setMode(NamespaceMode.CONTAINER),
            good.clone().setMode(NamespaceMode.TARGET))) {
      PodSandboxConfig.Builder pod = node.pod("refused");
      pod.getLinuxBuilder()
          .getSecurityContextBuilder()
          .setNamespaceOptions(NamespaceOption.newBuilder().setUsernsOptions(bad));
      assertThat(code(() -> cri.runPod(pod.build())))
          .as(bad.toString())
          .isEqualTo(Status.Code.INVALID_ARGUMENT);
    }

    PodSandboxConfig pod = pod("other-users", NamespaceOption.newBuilder());
    String podId = cri.runPod(pod);
    ContainerConfig.Builder container = node.sleeper("main");
    for (UserNamespace.Builder other :
        List.of(
            UserNamespace.newBuilder().setMode(NamespaceMode.NODE),
            good.clone().setUids(0, range(ROOT + 1)))) {
      container
          .getLinuxBuilder()
          .getSecurityContextBuilder()
          .getNamespaceOptionsBuilder()
          .setUsernsOptions(other);
      assertThat(code(() -> cri.create(podId, container.build(), pod)))
          .as("not the pod's: " + other)
          .isEqualTo(Status.Code.INVALID_ARGUMENT);
    }
  }

  @Test
  void theStatusTellsThatItCanBeHad() {
    StatusResponse status = node.cri().runtime().status(StatusRequest.getDefaultInstance());
    assertThat(status.getRuntimeHandlersList())
        .isNotEmpty()
        .allSatisfy(handler -> assertThat(handler.getFeatures().getUserNamespaces()).isTrue());
    assertThat(status.getFeatures().getUserNamespacesHostNetwork()).isTrue();
  }

  private static PodSandboxConfig pod(String name, NamespaceOption.Builder options) {
    PodSandboxConfig.Builder pod = node.pod(name);
    pod.getLinuxBuilder()
        .getSecurityContextBuilder()
        .setNamespaceOptions(options.setUsernsOptions(users()));
    return pod.build();
  }

  private static UserNamespace.Builder users() {
    return UserNamespace.newBuilder()
        .setMode(NamespaceMode.POD)
        .addUids(range(ROOT))
        .addGids(range(GROUP));
  }

  private static IDMapping range(int first) {
    return IDMapping.newBuilder().setContainerId(0).setHostId(first).setLength(65536).build();
  }

  private static Mount.Builder mount(Path source, String target) {
    return Mount.newBuilder().setHostPath(source.toString()).setContainerPath(target);
  }

  private static Mount.Builder mapped(Path source, String target) {
    return mount(source, target).addUidMappings(range(ROOT)).addGidMappings(range(GROUP));
  }

  private static long init(String container) {
    String info =
        node.cri()
            .runtime()
            .containerStatus(
                ContainerStatusRequest.newBuilder()
                    .setContainerId(container)
                    .setVerbose(true)
                    .build())
            .getInfoMap()
            .toString();
    return Long.parseLong(info.replaceAll("(?s).*\"?pid\"?[=:] *\"?([0-9]+).*", "$1"));
  }
}
