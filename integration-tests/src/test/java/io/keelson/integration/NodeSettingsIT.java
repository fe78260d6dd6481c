package io.keelson.integration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.keelson.integration.harness.Cri;
import io.keelson.integration.harness.TestNode;
import io.keelson.proto.cri.v1.LinuxContainerResources;
import io.keelson.proto.cri.v1.NetworkConfig;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import io.keelson.proto.cri.v1.PodSandboxNetworkStatus;
import io.keelson.proto.cri.v1.PodSandboxStatusRequest;
import io.keelson.proto.cri.v1.RuntimeConfig;
import io.keelson.proto.cri.v1.StatusRequest;
import io.keelson.proto.cri.v1.UpdatePodSandboxResourcesRequest;
import io.keelson.proto.cri.v1.UpdateRuntimeConfigRequest;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What a kubelet tells the node: the pod CIDR, and a pod's resources; and what the node tells. */
class NodeSettingsIT {

  @RegisterExtension static final TestNode node = TestNode.create();

  private static void assign(String cidr) {
    node.cri()
        .runtime()
        .updateRuntimeConfig(
            UpdateRuntimeConfigRequest.newBuilder()
                .setRuntimeConfig(
                    RuntimeConfig.newBuilder()
                        .setNetworkConfig(NetworkConfig.newBuilder().setPodCidr(cidr)))
                .build());
  }

  private static String network() {
    return node.cri()
        .runtime()
        .status(StatusRequest.newBuilder().setVerbose(true).build())
        .getInfoOrThrow("network");
  }

  private static Status.Code codeOf(Runnable call) {
    try {
      call.run();
      return Status.Code.OK;
    } catch (StatusRuntimeException e) {
      return e.getStatus().getCode();
    }
  }

  @Test
  void podsGetAddressesOfThePodCidrAlsoAfterARestart() throws Exception {
    Cri cri = node.cri();
    String v4 = node.ipv4Prefix() + ".77.0/24";
    String v6 = node.ipv6Prefix() + ":77::/80";
    assign(v4 + "," + v6);
    String pod = cri.runPod(node.pod("assigned").build());
    PodSandboxNetworkStatus network = cri.podStatus(pod).getNetwork();
    assertThat(network.getIp()).startsWith(node.ipv4Prefix() + ".77.");
    assertThat(network.getAdditionalIps(0).getIp()).startsWith(node.ipv6Prefix() + ":77:");
    assertThat(network()).contains(v4, "built-in", "\"ready\":true");

    assign(v4 + "," + v6);
    assertThat(codeOf(() -> assign(node.ipv4Prefix() + ".78.0/24")))
        .as("a pod has an address of the old one")
        .isEqualTo(Status.Code.FAILED_PRECONDITION);
    assertThat(codeOf(() -> assign("no subnet"))).isEqualTo(Status.Code.INVALID_ARGUMENT);
    cri.stopPod(pod);
    cri.removePod(pod);

    node.restart();
    String later = cri.runPod(node.pod("later").build());
    assertThat(cri.podStatus(later).getNetwork().getIp()).startsWith(node.ipv4Prefix() + ".77.");
    cri.stopPod(later);
    cri.removePod(later);
    assign(node.ipv4Prefix() + ".78.0/24");
    String single = cri.runPod(node.pod("single").build());
    assertThat(cri.podStatus(single).getNetwork().getIp()).startsWith(node.ipv4Prefix() + ".78.");
    assertThat(cri.podStatus(single).getNetwork().getAdditionalIpsList()).isEmpty();
    cri.stopPod(single);
    cri.removePod(single);
    node.daemon().terminate();
    Files.delete(node.root().resolve("network/pod-cidr"));
  }

  @Test
  void aTemplateBecomesTheCniConfiguration() throws Exception {
    Path template = node.folder("template").resolve("net.tmpl");
    Files.writeString(
        template,
        """
        {"cniVersion": "1.0.0", "name": "t", "plugins": [{"type": "bridge", "ipam": {
        "type": "host-local", "ranges": {{.PodCIDRRanges}}, "routes": {{.Routes}} }}]}
        """);
    node.set("network.cni_conf_template", "\"" + template + "\"");
    node.writeConfiguration();
    node.restart();
    try {
      assign("10.9.8.0/24");
      Path made = node.cniConfigurations().resolve("10-keelson.conflist");
      assertThat(made)
          .content()
          .contains("[[{\"subnet\": \"10.9.8.0/24\"}]]", "[{\"dst\": \"0.0.0.0/0\"}]");
      Waits.until(() -> network().contains("\"source\":\"cni\""), "it is noticed");
      assertThat(network()).contains("\"name\":\"t\"", "bridge");
      Files.delete(made);
      Files.writeString(template, "{{.Unknown}}");
      assertThat(codeOf(() -> assign("10.9.8.0/24"))).isEqualTo(Status.Code.FAILED_PRECONDITION);
    } finally {
      node.set("network.cni_conf_template", "\"\"");
      node.writeConfiguration();
      node.daemon().terminate();
    }
  }

  @Test
  void aPodsNewResourcesAreKept() throws Exception {
    Cri cri = node.cri();
    PodSandboxConfig config = node.pod("resized").build();
    String pod = cri.runPod(config);
    cri.runtime()
        .updatePodSandboxResources(
            UpdatePodSandboxResourcesRequest.newBuilder()
                .setPodSandboxId(pod)
                .setResources(LinuxContainerResources.newBuilder().setCpuShares(777))
                .setOverhead(LinuxContainerResources.newBuilder().setCpuShares(33))
                .build());
    node.restart();
    assertThat(
            cri.runtime()
                .podSandboxStatus(
                    PodSandboxStatusRequest.newBuilder()
                        .setPodSandboxId(pod)
                        .setVerbose(true)
                        .build())
                .getInfoOrThrow("info"))
        .contains("\"cpu_shares\":\"777\"", "\"cpu_shares\":\"33\"");
    assertThat(cri.runPod(config)).as("a retry of the first request").isEqualTo(pod);
    assertThatThrownBy(
            () ->
                cri.runtime()
                    .updatePodSandboxResources(
                        UpdatePodSandboxResourcesRequest.newBuilder()
                            .setPodSandboxId("feedface")
                            .build()))
        .isInstanceOf(StatusRuntimeException.class)
        .hasMessageContaining("NOT_FOUND");
  }
}
