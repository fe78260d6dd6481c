package io.keelson.sandbox.port;

import io.keelson.linux.NamespaceType;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What an adapter may know of a pod sandbox.
 *
 * @param id the sandbox's id, 64 hexadecimal digits
 * @param config as the caller gave it
 * @param handler the OCI runtime of its containers
 * @param stateDirectory holds the pod's files: {@code hosts}, {@code hostname}, {@code resolv.conf}
 *     and the tmpfs {@code shm}
 * @param namespaces where each namespace that the pod owns is pinned, or {@code /proc/PID/ns/pid}
 *     of its holder; a namespace that is not here is the host's, or (pid, mount) each container's
 *     own
 * @param addresses of the pod's own interface, IPv4 first; empty with the host's network and before
 *     the network is set up
 */
public record PodContext(
    String id,
    PodSandboxConfig config,
    RuntimeHandler handler,
    Path stateDirectory,
    Map<NamespaceType, Path> namespaces,
    List<String> addresses) {

  public PodContext {
    namespaces = Map.copyOf(namespaces);
    addresses = List.copyOf(addresses);
  }

  /** The same pod with these addresses. */
  public PodContext withAddresses(List<String> known) {
    return new PodContext(id, config, handler, stateDirectory, namespaces, known);
  }

  /** The pod's own user namespace; empty if it has the host's. */
  public Optional<PodUserNamespace> userNamespace() {
    Path file = namespaces.get(NamespaceType.USER);
    return file == null ? Optional.empty() : PodUserNamespace.of(config, file);
  }

  /** The shared memory of the pod's containers, a tmpfs on the host. */
  public Path shm() {
    return stateDirectory.resolve("shm");
  }

  public Path hosts() {
    return stateDirectory.resolve("hosts");
  }

  public Path hostname() {
    return stateDirectory.resolve("hostname");
  }

  public Path resolvConf() {
    return stateDirectory.resolve("resolv.conf");
  }
}
