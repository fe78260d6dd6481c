package io.keelson.sandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keelson.proto.cri.v1.NamespaceMode;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import io.keelson.sandbox.error.InvalidRequestException;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PodSysctlsTest {

  @Test
  void aPodMayBindLowPortsAndPing() {
    assertThat(PodSysctls.of(pod(Map.of())))
        .containsEntry("net.ipv4.ip_unprivileged_port_start", "0")
        .containsEntry("net.ipv4.ping_group_range", "0 2147483647");
  }

  @Test
  void thePodsOwnValueWins() {
    assertThat(PodSysctls.of(pod(Map.of("net.ipv4.ip_unprivileged_port_start", "1024"))))
        .containsEntry("net.ipv4.ip_unprivileged_port_start", "1024");
  }

  @Test
  void slashesSeparateToo() {
    assertThat(PodSysctls.of(pod(Map.of("net/ipv4/conf/eth0.1/forwarding", "1"))))
        .containsEntry("net.ipv4.conf.eth0/1.forwarding", "1");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "vm.swappiness",
        "kernel.panic",
        "kernel.shm_rmid_forced_not",
        "fs.file-max",
        "net/../../vm/swappiness",
        "net..ipv4",
        ""
      })
  void whatWouldChangeTheHostIsRefused(String name) {
    assertThatThrownBy(() -> PodSysctls.of(pod(Map.of(name, "1"))))
        .isInstanceOf(InvalidRequestException.class);
  }

  @Test
  void networkSettingsOnTheHostsNetworkAreRefused() {
    PodSandboxConfig.Builder pod = pod(Map.of("net.core.somaxconn", "9")).toBuilder();
    pod.getLinuxBuilder()
        .getSecurityContextBuilder()
        .getNamespaceOptionsBuilder()
        .setNetwork(NamespaceMode.NODE);

    assertThatThrownBy(() -> PodSysctls.of(pod.build()))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("net.core.somaxconn");
  }

  @Test
  void ipcSettingsOnTheHostsIpcAreRefused() {
    PodSandboxConfig.Builder pod = pod(Map.of("kernel.msgmax", "9000")).toBuilder();
    pod.getLinuxBuilder()
        .getSecurityContextBuilder()
        .getNamespaceOptionsBuilder()
        .setIpc(NamespaceMode.NODE);

    assertThatThrownBy(() -> PodSysctls.of(pod.build()))
        .isInstanceOf(InvalidRequestException.class);
  }

  private static PodSandboxConfig pod(Map<String, String> sysctls) {
    PodSandboxConfig.Builder pod = PodSandboxConfig.newBuilder();
    pod.getLinuxBuilder().putAllSysctls(sysctls);
    return pod.build();
  }
}
