package io.keelson.cni.plugin;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.keelson.proto.cri.v1.DNSConfig;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import io.keelson.proto.cri.v1.PodSandboxMetadata;
import io.keelson.proto.cri.v1.PortMapping;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.port.PodNetwork.Pod;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * Says of a pod what plugins expect to hear of it: the arguments and capabilities that Kubernetes
 * runtimes agree on (CNI CONVENTIONS.md, "Well-known Capabilities" and "CNI_ARGS").
 */
final class PodParameters {

  private static final String INTERFACE = "eth0";

  private PodParameters() {}

  /**
   * @throws InvalidRequestException if the pod's metadata or annotations can't be told to a plugin
   */
  static AttachmentParameters of(Pod pod) {
    PodSandboxMetadata metadata = pod.config().getMetadata();
    Map<String, String> arguments = new LinkedHashMap<>();
    arguments.put("IgnoreUnknown", "1");
    arguments.put("K8S_POD_NAMESPACE", metadata.getNamespace());
    arguments.put("K8S_POD_NAME", metadata.getName());
    arguments.put("K8S_POD_INFRA_CONTAINER_ID", pod.sandboxId());
    arguments.put("K8S_POD_UID", metadata.getUid());
    return new AttachmentParameters(
        pod.sandboxId(),
        pod.netns().map(Object::toString).orElse(""),
        INTERFACE,
        join(arguments),
        capabilities(pod.config()));
  }

  /** For a pod of which no more is known than its id. */
  static AttachmentParameters of(String sandboxId) {
    return new AttachmentParameters(
        sandboxId,
        "",
        INTERFACE,
        "IgnoreUnknown=1;K8S_POD_INFRA_CONTAINER_ID=" + sandboxId,
        Json.object());
  }

  private static String join(Map<String, String> arguments) {
    StringBuilder text = new StringBuilder();
    arguments.forEach(
        (key, value) -> {
          // it would become an argument of its own, such as an address that the pod asks for
          if (value.chars().anyMatch(c -> c == ';' || c == '=' || c == 0)) {
            throw new InvalidRequestException(
                "the pod's metadata can't be given to CNI plugins: "
                    + key
                    + " \""
                    + value
                    + "\" must not contain ';', '=' or NUL");
          }
          text.append(text.isEmpty() ? "" : ";").append(key).append('=').append(value);
        });
    return text.toString();
  }

  private static ObjectNode capabilities(PodSandboxConfig config) {
    ObjectNode capabilities = Json.object();
    ObjectNode annotations = Json.object();
    config.getAnnotationsMap().forEach(annotations::put);
    capabilities.set("io.kubernetes.cri.pod-annotations", annotations);
    ArrayNode ports = portMappings(config);
    if (!ports.isEmpty()) {
      capabilities.set("portMappings", ports);
    }
    Optional<ObjectNode> bandwidth = PodBandwidth.of(config.getAnnotationsMap());
    bandwidth.ifPresent(limits -> capabilities.set("bandwidth", limits));
    if (config.hasDnsConfig()) {
      capabilities.set("dns", dns(config.getDnsConfig()));
    }
    String cgroup = config.getLinux().getCgroupParent();
    if (!cgroup.isEmpty()) {
      capabilities.put("cgroupPath", cgroup);
    }
    return capabilities;
  }

  private static ArrayNode portMappings(PodSandboxConfig config) {
    ArrayNode ports = Json.object().arrayNode();
    for (PortMapping mapping : config.getPortMappingsList()) {
      if (mapping.getHostPort() <= 0) {
        continue;
      }
      ports
          .addObject()
          .put("hostPort", mapping.getHostPort())
          .put("containerPort", mapping.getContainerPort())
          .put("protocol", mapping.getProtocol().name().toLowerCase(Locale.ROOT))
          .put("hostIP", mapping.getHostIp());
    }
    return ports;
  }

  private static ObjectNode dns(DNSConfig config) {
    ObjectNode dns = Json.object();
    putAll(dns.putArray("servers"), config.getServersList());
    putAll(dns.putArray("searches"), config.getSearchesList());
    putAll(dns.putArray("options"), config.getOptionsList());
    return dns;
  }

  private static void putAll(ArrayNode array, Collection<String> values) {
    values.forEach(array::add);
  }
}
