package io.keelson.cni.plugin;

import static io.keelson.cni.plugin.CniFixture.withoutNetns;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.keelson.linux.Commands;
import io.keelson.linux.NamespaceType;
import io.keelson.linux.Namespaces;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import io.keelson.proto.cri.v1.PortMapping;
import io.keelson.sandbox.port.PodNetwork.Attachment;
import io.keelson.sandbox.port.PodNetwork.Pod;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The reference plugins, in a network namespace that stands for the host. */
class ReferencePluginsTest {

  private static final Path PLUGINS = Path.of("/usr/lib/cni");

  @TempDir Path folder;
  private CniFixture cni;
  private Path host;
  private Path pod;

  @BeforeEach
  void namespaces() throws IOException {
    for (String plugin : List.of("bridge", "host-local", "portmap")) {
      assumeTrue(Files.isExecutable(PLUGINS.resolve(plugin)), plugin + " is not installed");
    }
    cni = new CniFixture(folder);
    host = folder.resolve("host-netns");
    pod = folder.resolve("pod-netns");
    Namespaces.create(Map.of(NamespaceType.NET, host), null, Map.of());
    Namespaces.create(Map.of(NamespaceType.NET, pod), null, Map.of());
  }

  @AfterEach
  void unpin() throws IOException {
    Namespaces.unpin(pod);
    Namespaces.unpin(host);
  }

  @Test
  void podIsConnectedAndGoneWithoutTrace() throws IOException {
    Path leases = configure("[[{\"subnet\":\"10.97.0.0/24\"}]]");
    Pod wanted =
        new Pod(
            "0123abcd",
            Optional.of(pod),
            PodSandboxConfig.newBuilder()
                .addPortMappings(PortMapping.newBuilder().setHostPort(18080).setContainerPort(80))
                .build());
    try (CniNetwork network = CniNetwork.open(cni.settings(List.of(PLUGINS)))) {
      CniFixture.soon().until(() -> network.condition().message().isEmpty());
      Attachment attachment = onHost(() -> network.attach(wanted));
      assertThat(attachment.addresses()).containsExactly(InetAddress.ofLiteral("10.97.0.2"));
      assertThat(attachment.cniResult()).contains("\"cniVersion\":\"1.1.0\"", "\"eth0\"");
      assertThat(run(pod, "ip", "-o", "address", "show", "eth0")).contains("10.97.0.2/24");
      assertThat(run(host, "ip", "-o", "link", "show", "type", "veth")).isNotBlank();
      assertThat(run(host, "iptables-save", "-t", "nat")).contains("18080", "10.97.0.2");

      Namespaces.unpin(pod);
      onHost(
          () -> {
            network.detach(withoutNetns(wanted));
            return wanted;
          });
      // The kernel ends a namespace that nobody holds, and what is in it, in its own time.
      CniFixture.soon()
          .until(() -> run(host, "ip", "-o", "link", "show", "type", "veth").isBlank());
      assertThat(run(host, "iptables-save", "-t", "nat")).doesNotContain("18080");
      assertThat(leases.resolve("podnet/10.97.0.2")).doesNotExist();
      assertThat(network.isAttached("0123abcd")).isFalse();
    }
  }

  @Test
  void podHasAddressesOfBothFamiliesAndStandsTheCheck() throws IOException {
    configure("[[{\"subnet\":\"fd97::/64\"}],[{\"subnet\":\"10.97.0.0/24\"}]]");
    Pod wanted = new Pod("0123abcd", Optional.of(pod), PodSandboxConfig.getDefaultInstance());
    try (CniNetwork network = CniNetwork.open(cni.settings(List.of(PLUGINS)))) {
      Attachment attachment = onHost(() -> network.attach(wanted));
      assertThat(attachment.addresses())
          .containsExactly(InetAddress.ofLiteral("10.97.0.2"), InetAddress.ofLiteral("fd97::2"));
      onHost(
          () -> {
            network.check(wanted);
            return wanted;
          });
    }
  }

  /** These plugins do not know CNI 1.1 everywhere: the version is for the client to find out. */
  private Path configure(String ranges) throws IOException {
    Path leases = folder.resolve("leases");
    cni.configure(
        "10-net.conflist",
        """
        {"cniVersion":"0.4.0","cniVersions":["1.0.0","1.1.0"],"name":"podnet","plugins":[
          {"type":"bridge","bridge":"cni0","isGateway":true,"ipMasq":true,
           "ipam":{"type":"host-local","dataDir":"%s","ranges":%s}},
          {"type":"portmap","capabilities":{"portMappings":true}}]}\
        """
            .formatted(leases, ranges));
    return leases;
  }

  private <T> T onHost(Callable<T> work) throws IOException {
    return Namespaces.callIn(host, NamespaceType.NET, work);
  }

  private static String run(Path namespace, String... command) throws IOException {
    return Namespaces.callIn(
        namespace,
        NamespaceType.NET,
        () ->
            Commands.run(
                    List.of(command), System.getenv(), new byte[0], Duration.ofSeconds(10), 1 << 20)
                .stdoutText());
  }
}
