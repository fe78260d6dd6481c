package io.keelson.integration;

import static io.keelson.integration.Failures.code;
import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Status;
import io.keelson.integration.harness.Cri;
import io.keelson.integration.harness.TestNode;
import io.keelson.proto.cri.v1.ContainerConfig;
import io.keelson.proto.cri.v1.ContainerState;
import io.keelson.proto.cri.v1.DNSConfig;
import io.keelson.proto.cri.v1.NamespaceMode;
import io.keelson.proto.cri.v1.NamespaceOption;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What a container shares with its pod, with the host and with nobody, and the pod's own files. */
class NamespacesIT {

  @RegisterExtension static final TestNode node = TestNode.create();

  @Test
  void containersOfAPodShareNetworkIpcAndHostnameAndNothingElse() throws IOException {
    Cri cri = node.cri();
    PodSandboxConfig pod = node.pod("shared").build();
    String podId = cri.runPod(pod);
    String one = cri.run(podId, withPid("one", NamespaceMode.CONTAINER), pod);
    String two = cri.run(podId, withPid("two", NamespaceMode.CONTAINER), pod);

    for (String type : new String[] {"net", "ipc", "uts"}) {
      assertThat(namespace(one, type)).isEqualTo(namespace(two, type)).isNotEqualTo(ours(type));
    }
    for (String type : new String[] {"pid", "mnt"}) {
      assertThat(namespace(one, type)).isNotEqualTo(namespace(two, type)).isNotEqualTo(ours(type));
    }
    assertThat(cri.output(one, "hostname")).isEqualTo("shared");
    cri.output(one, "sh", "-c", "echo seen > /dev/shm/file");
    assertThat(cri.output(two, "cat", "/dev/shm/file")).isEqualTo("seen");
    assertThat(cri.output(one, "df", "-m", "/dev/shm")).contains(" 64 ");
    assertThat(cri.output(one, "grep", " /dev/shm ", "/proc/mounts"))
        .contains("rw,nosuid,nodev,noexec");
    assertThat(cri.output(one, "cat", "/proc/1/comm")).isEqualTo("sh");
  }

  @Test
  void aSharedPidNamespaceShowsAllProcessesAndStopsOneContainerAlone() {
    Cri cri = node.cri();
    PodSandboxConfig pod = node.pod("pids").build();
    String podId = cri.runPod(pod);
    String one =
        cri.run(
            podId,
            pid(node.container("one", "sh", "-c", "sleep 5551; true"), NamespaceMode.POD),
            pod);
    String two = cri.run(podId, withPid("two", NamespaceMode.POD), pod);

    assertThat(namespace(one, "pid")).isEqualTo(namespace(two, "pid"));
    Waits.until(() -> cri.output(two, "ps").contains("sleep 5551"), "it sleeps");
    cri.stop(one, 0);
    assertThat(cri.status(one).getState()).isEqualTo(ContainerState.CONTAINER_EXITED);
    assertThat(cri.output(two, "ps")).as("all of the container has ended").doesNotContain("5551");
    assertThat(cri.status(two).getState()).isEqualTo(ContainerState.CONTAINER_RUNNING);
  }

  @Test
  void anotherContainersPidNamespaceCanBeJoined() {
    Cri cri = node.cri();
    PodSandboxConfig pod = node.pod("target").build();
    String podId = cri.runPod(pod);
    String target = cri.run(podId, withPid("target", NamespaceMode.CONTAINER), pod);
    ContainerConfig.Builder debug = node.sleeper("debug");
    debug
        .getLinuxBuilder()
        .getSecurityContextBuilder()
        .setNamespaceOptions(
            NamespaceOption.newBuilder().setPid(NamespaceMode.TARGET).setTargetId(target));
    String joined = cri.run(podId, debug.build(), pod);
    assertThat(namespace(joined, "pid")).isEqualTo(namespace(target, "pid"));
    cri.stop(joined, 2);
    assertThat(cri.status(target).getState()).isEqualTo(ContainerState.CONTAINER_RUNNING);

    PodSandboxConfig other = node.pod("other").build();
    String otherId = cri.runPod(other);
    assertThat(code(() -> cri.run(otherId, debug.build(), other)))
        .as("a target in another pod")
        .isNotEqualTo(Status.Code.OK);
  }

  @Test
  void theHostsNamespacesAreGivenWhereAsked() throws IOException {
    Cri cri = node.cri();
    PodSandboxConfig.Builder builder = node.pod("host-namespaces");
    NamespaceOption options =
        NamespaceOption.newBuilder().setIpc(NamespaceMode.NODE).setPid(NamespaceMode.NODE).build();
    builder.getLinuxBuilder().getSecurityContextBuilder().setNamespaceOptions(options);
    PodSandboxConfig pod = builder.build();
    ContainerConfig.Builder container = node.sleeper("main");
    container.getLinuxBuilder().getSecurityContextBuilder().setNamespaceOptions(options);
    String id = cri.run(cri.runPod(pod), container.build(), pod);

    assertThat(namespace(id, "ipc")).isEqualTo(ours("ipc"));
    assertThat(namespace(id, "pid")).isEqualTo(ours("pid"));
    assertThat(namespace(id, "net")).isNotEqualTo(ours("net"));
    cri.stop(id, 0);
    assertThat(cri.status(id).getState()).isEqualTo(ContainerState.CONTAINER_EXITED);
  }

  /**
   * Red if a container sees the host's tree of control groups where version 2 can hide it, or if a
   * privileged one does not. Version 1 has one namespace for all, as with containerd.
   */
  @Test
  void controlGroupsAreAContainersOwnOnVersion2UnlessPrivileged() throws IOException {
    Cri cri = node.cri();
    boolean unified = Files.exists(Path.of("/sys/fs/cgroup/cgroup.controllers"));
    PodSandboxConfig.Builder builder = node.pod("cgroup-namespace");
    builder.getLinuxBuilder().getSecurityContextBuilder().setPrivileged(true);
    PodSandboxConfig pod = builder.build();
    String podId = cri.runPod(pod);
    String plain = cri.run(podId, node.sleeper("plain").build(), pod);
    ContainerConfig.Builder all = node.sleeper("privileged");
    all.getLinuxBuilder().getSecurityContextBuilder().setPrivileged(true);
    String privileged = cri.run(podId, all.build(), pod);

    assertThat(namespace(privileged, "cgroup")).isEqualTo(ours("cgroup"));
    assertThat(cri.output(privileged, "cat", "/proc/1/cgroup")).contains(privileged);
    if (unified) {
      assertThat(namespace(plain, "cgroup")).isNotEqualTo(ours("cgroup"));
      assertThat(cri.output(plain, "cat", "/proc/1/cgroup")).isEqualTo("0::/");
    } else {
      assertThat(namespace(plain, "cgroup")).isEqualTo(ours("cgroup"));
      assertThat(cri.output(plain, "cat", "/proc/1/cgroup")).contains(plain);
    }
  }

  @Test
  void namesAreResolvedAsThePodSays() throws IOException {
    Cri cri = node.cri();
    PodSandboxConfig pod =
        node.pod("dns")
            .setDnsConfig(
                DNSConfig.newBuilder()
                    .addServers("192.0.2.53")
                    .addServers("2001:db8::53")
                    .addSearches("it.svc.cluster.local")
                    .addSearches("cluster.local")
                    .addOptions("ndots:5"))
            .build();
    String id = cri.run(cri.runPod(pod), node.sleeper("main").build(), pod);
    assertThat(cri.output(id, "cat", "/etc/resolv.conf"))
        .isEqualTo(
            """
            search it.svc.cluster.local cluster.local
            nameserver 192.0.2.53
            nameserver 2001:db8::53
            options ndots:5\
            """
                .strip());

    PodSandboxConfig plain = node.pod("dns-of-host").build();
    String other = cri.run(cri.runPod(plain), node.sleeper("main").build(), plain);
    Path host = Path.of("/etc/resolv.conf");
    assertThat(cri.output(other, "cat", "/etc/resolv.conf"))
        .isEqualTo(Files.exists(host) ? Files.readString(host).strip() : "");
  }

  @Test
  void hostnameIsInTheFileTheKernelAndTheEnvironment() {
    Cri cri = node.cri();
    PodSandboxConfig pod = node.pod("name").setHostname("db-0").build();
    String id = cri.run(cri.runPod(pod), node.sleeper("main").build(), pod);
    assertThat(cri.output(id, "cat", "/etc/hostname")).isEqualTo("db-0");
    assertThat(cri.output(id, "hostname")).isEqualTo("db-0");
    assertThat(cri.output(id, "sh", "-c", "echo $HOSTNAME")).isEqualTo("db-0");
  }

  @Test
  void sysctlsAreThePodsOwn() throws IOException {
    Cri cri = node.cri();
    PodSandboxConfig.Builder builder = node.pod("sysctl");
    builder
        .getLinuxBuilder()
        .putSysctls("net.ipv4.ip_local_port_range", "20000 20100")
        .putSysctls("kernel.shm_rmid_forced", "1");
    PodSandboxConfig pod = builder.build();
    String id = cri.run(cri.runPod(pod), node.sleeper("main").build(), pod);
    assertThat(cri.output(id, "cat", "/proc/sys/net/ipv4/ip_local_port_range"))
        .isEqualTo("20000\t20100");
    assertThat(cri.output(id, "cat", "/proc/sys/kernel/shm_rmid_forced")).isEqualTo("1");
    assertThat(cri.output(id, "cat", "/proc/sys/net/ipv4/ip_unprivileged_port_start"))
        .isEqualTo("0");
    assertThat(Files.readString(Path.of("/proc/sys/net/ipv4/ip_local_port_range")))
        .doesNotContain("20100");

    PodSandboxConfig.Builder host = node.pod("sysctl-of-host");
    host.getLinuxBuilder().putSysctls("vm.overcommit_memory", "1");
    assertThat(code(() -> cri.runPod(host.build()))).isEqualTo(Status.Code.INVALID_ARGUMENT);
    PodSandboxConfig.Builder climbing = node.pod("sysctl-climbs");
    climbing.getLinuxBuilder().putSysctls("net/../vm/overcommit_memory", "1");
    assertThat(code(() -> cri.runPod(climbing.build()))).isEqualTo(Status.Code.INVALID_ARGUMENT);
  }

  @Test
  void sysctlsOfNamespacesThatAreTheHostsAreRefused() throws IOException {
    String before = Files.readString(Path.of("/proc/sys/net/ipv4/ip_forward"));
    for (Map.Entry<String, NamespaceOption.Builder> setting :
        Map.of(
                "net.ipv4.ip_forward",
                NamespaceOption.newBuilder().setNetwork(NamespaceMode.NODE),
                "kernel.shm_rmid_forced",
                NamespaceOption.newBuilder().setIpc(NamespaceMode.NODE),
                "fs.mqueue.msg_max",
                NamespaceOption.newBuilder().setIpc(NamespaceMode.NODE),
                "kernel.pid_max",
                NamespaceOption.newBuilder())
            .entrySet()) {
      PodSandboxConfig.Builder pod = node.pod("sysctl-of-host");
      pod.getLinuxBuilder()
          .putSysctls(setting.getKey(), "1")
          .getSecurityContextBuilder()
          .setNamespaceOptions(setting.getValue());
      assertThat(code(() -> node.cri().runPod(pod.build())))
          .as(setting.getKey())
          .isEqualTo(Status.Code.INVALID_ARGUMENT);
    }
    assertThat(Files.readString(Path.of("/proc/sys/net/ipv4/ip_forward"))).isEqualTo(before);

    PodSandboxConfig.Builder unsafe = node.pod("unsafe-sysctl");
    unsafe
        .getLinuxBuilder()
        .putSysctls("net.core.somaxconn", "777")
        .putSysctls("kernel.msgmax", "7777");
    String id =
        node.cri()
            .run(node.cri().runPod(unsafe.build()), node.sleeper("main").build(), unsafe.build());
    assertThat(
            node.cri().output(id, "cat", "/proc/sys/net/core/somaxconn", "/proc/sys/kernel/msgmax"))
        .isEqualTo("777\n7777");
    PodSandboxConfig.Builder none = node.pod("no-such-sysctl");
    none.getLinuxBuilder().putSysctls("net.no.such", "1");
    assertThat(code(() -> node.cri().runPod(none.build()))).isNotEqualTo(Status.Code.OK);
  }

  private static ContainerConfig withPid(String name, NamespaceMode mode) {
    return pid(node.sleeper(name), mode);
  }

  private static ContainerConfig pid(ContainerConfig.Builder container, NamespaceMode mode) {
    container
        .getLinuxBuilder()
        .getSecurityContextBuilder()
        .setNamespaceOptions(NamespaceOption.newBuilder().setPid(mode));
    return container.build();
  }

  private static String namespace(String container, String type) {
    return node.cri().output(container, "readlink", "/proc/self/ns/" + type);
  }

  private static String ours(String type) throws IOException {
    return Files.readSymbolicLink(Path.of("/proc/self/ns", type)).toString();
  }
}
