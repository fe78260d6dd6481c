package io.keelson.runtime.cli;

import io.keelson.proto.cri.v1.LinuxPodSandboxConfig;
import io.keelson.proto.cri.v1.LinuxSandboxSecurityContext;
import io.keelson.proto.cri.v1.NamespaceMode;
import io.keelson.proto.cri.v1.NamespaceOption;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import io.keelson.proto.cri.v1.PodSandboxMetadata;
import io.keelson.proto.cri.v1.SecurityProfile;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The pod that {@code keelson run} makes. */
final class PodFlags {

  enum Network {
    pod,
    host
  }

  @Option(
      names = {"-p", "--publish"},
      paramLabel = "HOST:CONTAINER",
      description = "Forward a port of the node: [ADDRESS:]HOST:CONTAINER[/udp|sctp]. Repeatable.")
  private List<String> ports = List.of();

  @Option(
      names = "--network",
      description = "pod for a network of its own, host for the node's. Default: pod.")
  private Network network = Network.pod;

  @Option(names = "--hostname", description = "Default: the name.")
  private @Nullable String hostname;

  @Option(names = "--runtime", description = "The OCI runtime, as named in the configuration.")
  private String runtime = "";

  @Option(names = "--namespace", description = "Default: ${DEFAULT-VALUE}.")
  private String namespace = "default";

  String runtime() {
    return runtime;
  }

  NamespaceOption namespaces() {
    return NamespaceOption.newBuilder()
        .setNetwork(network == Network.host ? NamespaceMode.NODE : NamespaceMode.POD)
        .setPid(NamespaceMode.CONTAINER)
        .build();
  }

  PodSandboxConfig config(String name, boolean privileged) {
    String uid = UUID.randomUUID().toString();
    Path logs = RunPod.LOGS.resolve(name + "_" + uid);
    LinuxSandboxSecurityContext security =
        LinuxSandboxSecurityContext.newBuilder()
            .setNamespaceOptions(namespaces())
            .setPrivileged(privileged)
            .setSeccomp(
                SecurityProfile.newBuilder()
                    .setProfileType(SecurityProfile.ProfileType.RuntimeDefault))
            .build();
    PodSandboxConfig.Builder config =
        PodSandboxConfig.newBuilder()
            .setMetadata(
                PodSandboxMetadata.newBuilder().setName(name).setNamespace(namespace).setUid(uid))
            .setLogDirectory(logs.toString())
            .putAnnotations(RunPod.LOG_FOLDER, logs.toString())
            .setLinux(LinuxPodSandboxConfig.newBuilder().setSecurityContext(security));
    if (network == Network.pod) {
      config.setHostname(hostname == null ? name : hostname);
    }
    ports.forEach(port -> config.addPortMappings(PortFlag.parse(port)));
    return config.build();
  }
}
