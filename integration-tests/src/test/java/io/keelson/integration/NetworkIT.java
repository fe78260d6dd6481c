package io.keelson.integration;

import static io.keelson.integration.Failures.code;
import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Status;
import io.keelson.integration.harness.Cri;
import io.keelson.integration.harness.Patience;
import io.keelson.integration.harness.Shell;
import io.keelson.integration.harness.TestNode;
import io.keelson.proto.cri.v1.LinuxSandboxSecurityContext;
import io.keelson.proto.cri.v1.NamespaceMode;
import io.keelson.proto.cri.v1.NamespaceOption;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import io.keelson.proto.cri.v1.PodSandboxState;
import io.keelson.proto.cri.v1.PodSandboxStatus;
import io.keelson.proto.cri.v1.PortMapping;
import io.keelson.proto.cri.v1.Protocol;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The built-in bridge network, seen from the host and from pods. */
class NetworkIT {

  private static final String WEB = "httpd -f -p 80 -h /www";

  @RegisterExtension static final TestNode node = TestNode.create();

  @Test
  void podsAreReachedOverIpv4AndIpv6AndReachEachOther() throws Exception {
    Cri cri = node.cri();
    PodSandboxConfig web = node.pod("web").build();
    PodSandboxConfig client = node.pod("client").build();
    String webId = cri.runPod(web);
    String clientId = cri.runPod(client);
    cri.run(
        webId, node.container("web", "sh", "-c", WEB.replace("-p 80", "-p [::]:80")).build(), web);
    String caller = cri.run(clientId, node.sleeper("client").build(), client);

    PodSandboxStatus status = cri.podStatus(webId);
    String ipv4 = status.getNetwork().getIp();
    String ipv6 = status.getNetwork().getAdditionalIps(0).getIp();
    assertThat(MainPathIT.get("http://" + ipv4 + "/")).isEqualTo("hello from the pod\n");
    assertThat(MainPathIT.get("http://[" + ipv6 + "]/")).isEqualTo("hello from the pod\n");
    assertThat(cri.output(caller, "wget", "-q", "-O", "-", "http://" + ipv4 + "/"))
        .isEqualTo("hello from the pod");
    assertThat(cri.output(caller, "wget", "-q", "-O", "-", "http://[" + ipv6 + "]/"))
        .isEqualTo("hello from the pod");
  }

  @Test
  void hostPortsLeadToThePodAndGoWithIt() throws Exception {
    Cri cri = node.cri();
    int port = freePort();
    PodSandboxConfig pod =
        node.pod("ports")
            .addPortMappings(
                PortMapping.newBuilder()
                    .setProtocol(Protocol.TCP)
                    .setContainerPort(80)
                    .setHostPort(port))
            .build();
    String podId = cri.runPod(pod);
    String container = cri.run(podId, node.container("web", "sh", "-c", WEB).build(), pod);

    assertThat(MainPathIT.get("http://127.0.0.1:" + port + "/")).isEqualTo("hello from the pod\n");
    assertThat(MainPathIT.get("http://" + bridgeAddress() + ":" + port + "/"))
        .isEqualTo("hello from the pod\n");
    assertThat(
            cri.output(
                container, "wget", "-q", "-O", "-", "http://" + bridgeAddress() + ":" + port + "/"))
        .as("the pod reaches itself by its host port")
        .isEqualTo("hello from the pod");

    node.killAndStart();
    assertThat(MainPathIT.get("http://127.0.0.1:" + port + "/"))
        .as("after a new start of the daemon")
        .isEqualTo("hello from the pod\n");
    PodSandboxConfig rival =
        node.pod("rival").addAllPortMappings(pod.getPortMappingsList()).build();
    assertThat(code(() -> cri.runPod(rival))).as("the port is taken").isNotEqualTo(Status.Code.OK);

    cri.stopPod(podId);
    assertThat(code(() -> cri.runPod(rival)))
        .as("the port is free again")
        .isEqualTo(Status.Code.OK);
  }

  @Test
  void hostNetworkPodsHaveNoAddressOfTheirOwn() throws Exception {
    Cri cri = node.cri();
    PodSandboxConfig.Builder builder = node.pod("host-network");
    NamespaceOption options = NamespaceOption.newBuilder().setNetwork(NamespaceMode.NODE).build();
    builder
        .getLinuxBuilder()
        .setSecurityContext(LinuxSandboxSecurityContext.newBuilder().setNamespaceOptions(options));
    PodSandboxConfig pod = builder.build();
    String podId = cri.runPod(pod);
    var container = node.sleeper("main");
    container.getLinuxBuilder().getSecurityContextBuilder().setNamespaceOptions(options);
    String id = cri.run(podId, container.build(), pod);

    assertThat(cri.podStatus(podId).getNetwork().getIp()).isEmpty();
    assertThat(cri.podStatus(podId).getLinux().getNamespaces().getOptions().getNetwork())
        .isEqualTo(NamespaceMode.NODE);
    assertThat(cri.output(id, "readlink", "/proc/self/ns/net"))
        .isEqualTo(Files.readSymbolicLink(Path.of("/proc/self/ns/net")).toString());
    assertThat(cri.output(id, "cat", "/etc/hosts") + "\n")
        .isEqualTo(Files.readString(Path.of("/etc/hosts")));
  }

  @Test
  void aHundredPodsRunListAndStop() throws Exception {
    Cri cri = node.cri();
    List<PodSandboxConfig> pods = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      pods.add(node.pod("many-" + i).build());
    }
    List<String> ids = inParallel(pods, cri::runPod);

    Set<String> addresses = new HashSet<>();
    for (String id : ids) {
      PodSandboxStatus status = cri.podStatus(id);
      assertThat(status.getState()).isEqualTo(PodSandboxState.SANDBOX_READY);
      addresses.add(status.getNetwork().getIp());
      addresses.add(status.getNetwork().getAdditionalIps(0).getIp());
    }
    assertThat(addresses).hasSize(200);
    long begin = System.nanoTime();
    for (int i = 0; i < 50; i++) {
      assertThat(cri.pods()).hasSize(100);
    }
    assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Patience.ofSeconds(30));

    inParallel(
        ids,
        id -> {
          cri.stopPod(id);
          cri.removePod(id);
          return id;
        });
    assertThat(cri.pods()).isEmpty();
  }

  @Test
  void aBridgeThatSomebodyHasDeletedIsMadeAgain() throws Exception {
    Cri cri = node.cri();
    String first = cri.runPod(node.pod("before").build());
    Shell.output("ip", "link", "delete", node.bridge());

    PodSandboxConfig pod = node.pod("after").build();
    String podId = cri.runPod(pod);
    cri.run(podId, node.container("web", "sh", "-c", WEB).build(), pod);
    assertThat(MainPathIT.get("http://" + cri.podStatus(podId).getNetwork().getIp() + "/"))
        .isEqualTo("hello from the pod\n");
    cri.removePod(first);
  }

  @Test
  void aNetworkNamespaceThatSomebodyHasDeletedHindersNoRemoval() {
    Cri cri = node.cri();
    String podId = cri.runPod(node.pod("lost").build());
    Path netns = node.base().resolve("netns/keelson-" + podId);
    assertThat(netns).exists();
    Shell.output("umount", "-l", netns.toString());
    Shell.output("rm", netns.toString());

    cri.stopPod(podId);
    cri.removePod(podId);
    assertThat(cri.pods()).isEmpty();
  }

  private static String bridgeAddress() {
    return node.ipv4Prefix() + ".0.1";
  }

  private static int freePort() throws Exception {
    try (ServerSocket socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }

  private interface Call<A, B> {
    B of(A argument) throws Exception;
  }

  private static <A, B> List<B> inParallel(List<A> arguments, Call<A, B> call) throws Exception {
    try (ExecutorService executor = Executors.newFixedThreadPool(8)) {
      List<Future<B>> futures = new ArrayList<>();
      for (A argument : arguments) {
        futures.add(executor.submit(() -> call.of(argument)));
      }
      List<B> results = new ArrayList<>();
      for (Future<B> future : futures) {
        results.add(future.get());
      }
      return results;
    }
  }
}
