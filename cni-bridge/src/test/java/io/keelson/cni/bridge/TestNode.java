package io.keelson.cni.bridge;

import io.keelson.linux.Commands;
import io.keelson.linux.KernelThreads;
import io.keelson.linux.NamespaceType;
import io.keelson.linux.Namespaces;
import io.keelson.linux.netlink.RouteSocket;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import io.keelson.proto.cri.v1.PortMapping;
import io.keelson.proto.cri.v1.Protocol;
import io.keelson.sandbox.port.PodNetwork.Pod;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Stream;

/**
 * A host of a test's own: a network namespace in which the network runs as on a node, and pods on
 * it. All of it is gone when closed.
 */
final class TestNode implements AutoCloseable {

  private final Path directory;
  private final Path host;
  private final Map<String, Path> netns = new HashMap<>();

  TestNode() throws IOException {
    directory = Files.createTempDirectory("keelson-node");
    host = directory.resolve("host");
    Namespaces.create(Map.of(NamespaceType.NET, host), null, Map.of());
  }

  /** Work for which this namespace is the host. */
  interface HostWork {
    void run(BridgeNetwork network) throws Exception;
  }

  /** Runs a network as one life of the daemon: what it leaves is there for the next. */
  void run(NetworkSettings settings, HostWork work) throws IOException {
    call(
        () -> {
          try (KernelThreads threads = new KernelThreads(4);
              BridgeNetwork network =
                  new BridgeNetwork(settings, directory.resolve("network"), threads)) {
            work.run(network);
          }
          return true;
        });
  }

  void run(HostWork work) throws IOException {
    run(NetworkSettings.defaults(), work);
  }

  <T> T call(Callable<T> work) throws IOException {
    return Namespaces.callIn(host, NamespaceType.NET, work);
  }

  Path leases() {
    return directory.resolve("network/leases");
  }

  /** A pod with a namespace of its own; the number makes the id. */
  Pod pod(int number, PortMapping... ports) throws IOException {
    return pod(number, Map.of(), ports);
  }

  Pod pod(int number, Map<String, String> sysctls, PortMapping... ports) throws IOException {
    String id = "1%012x".formatted(number) + "0".repeat(51);
    Path pin = directory.resolve("pod" + number);
    Namespaces.create(Map.of(NamespaceType.NET, pin), null, sysctls);
    netns.put(id, pin);
    PodSandboxConfig config =
        PodSandboxConfig.newBuilder().addAllPortMappings(List.of(ports)).build();
    return new Pod(id, Optional.of(pin), config);
  }

  /** Ends the pod's namespace, as a reboot does, and gives the pod as it is seen after. */
  Pod withoutNamespace(Pod pod) throws IOException {
    Namespaces.unpin(pod.netns().orElseThrow());
    netns.remove(pod.sandboxId());
    return new Pod(pod.sandboxId(), Optional.empty(), pod.config());
  }

  <T> T in(Pod pod, Callable<T> work) throws IOException {
    return Namespaces.callIn(pod.netns().orElseThrow(), NamespaceType.NET, work);
  }

  /** The output of a program on the host. */
  String sh(String command) throws IOException {
    return call(() -> shell(command));
  }

  static String shell(String command) throws IOException {
    Commands.Output output =
        Commands.run(
            List.of("sh", "-c", command + " 2>&1"),
            Map.of(),
            new byte[0],
            Duration.ofSeconds(20),
            1 << 20);
    return output.stdoutText();
  }

  /** Ids of the pods that hold addresses on disk. */
  List<String> holders() throws IOException {
    try (Stream<Path> files = Files.list(directory.resolve("network/leases"))) {
      return files.map(file -> String.valueOf(file.getFileName())).toList();
    }
  }

  /** Names of the pods' links on the host. */
  List<String> podLinks() throws IOException {
    return call(
        () -> {
          try (RouteSocket socket = RouteSocket.open()) {
            return socket.links().stream()
                .map(link -> link.name())
                .filter(name -> name.startsWith("k1"))
                .toList();
          }
        });
  }

  static PortMapping port(Protocol protocol, String hostIp, int hostPort, int podPort) {
    return PortMapping.newBuilder()
        .setProtocol(protocol)
        .setHostIp(hostIp)
        .setHostPort(hostPort)
        .setContainerPort(podPort)
        .build();
  }

  @Override
  public void close() throws IOException {
    for (Path pin : netns.values()) {
      Namespaces.unpin(pin);
    }
    Namespaces.unpin(host);
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }
}
