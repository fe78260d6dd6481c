package io.keelson.integration.benchmark;

import io.keelson.proto.cri.v1.ContainerConfig;
import io.keelson.proto.cri.v1.ContainerMetadata;
import io.keelson.proto.cri.v1.ContainerStatusRequest;
import io.keelson.proto.cri.v1.CreateContainerRequest;
import io.keelson.proto.cri.v1.ExecSyncRequest;
import io.keelson.proto.cri.v1.ImageSpec;
import io.keelson.proto.cri.v1.LinuxContainerConfig;
import io.keelson.proto.cri.v1.LinuxPodSandboxConfig;
import io.keelson.proto.cri.v1.ListContainersRequest;
import io.keelson.proto.cri.v1.ListPodSandboxRequest;
import io.keelson.proto.cri.v1.NamespaceMode;
import io.keelson.proto.cri.v1.NamespaceOption;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import io.keelson.proto.cri.v1.PodSandboxMetadata;
import io.keelson.proto.cri.v1.PodSandboxStatusRequest;
import io.keelson.proto.cri.v1.RemovePodSandboxRequest;
import io.keelson.proto.cri.v1.RunPodSandboxRequest;
import io.keelson.proto.cri.v1.StartContainerRequest;
import io.keelson.proto.cri.v1.StopPodSandboxRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * Runs the same pods on several runtimes in turn, pod by pod, and prints the median and the 99th
 * percentile of each call, and how many times as long as the first runtime each other one takes.
 * The pods are as a kubelet asks for them: network and ipc of the pod, a PID namespace for each
 * container.
 */
public final class SpeedBenchmark {

  private final List<Peer> peers;
  private final Map<String, Map<String, List<Long>>> nanos = new TreeMap<>();
  private final List<String> steps = new ArrayList<>();

  private SpeedBenchmark(List<Peer> peers) {
    this.peers = peers;
  }

  /** {@code PODS WARM-UP NAME[/HANDLER]=SOCKET=IMAGE…}. */
  @SuppressWarnings("SystemOut")
  public static void main(String[] arguments) {
    int pods = Integer.parseInt(arguments[0]);
    int warmUp = Integer.parseInt(arguments[1]);
    List<Peer> peers = new ArrayList<>();
    for (int i = 2; i < arguments.length; i++) {
      peers.add(Peer.parse(arguments[i]));
    }
    try {
      new SpeedBenchmark(peers).run(warmUp);
      SpeedBenchmark measured = new SpeedBenchmark(peers);
      measured.run(pods);
      System.out.print(measured.table());
    } finally {
      peers.forEach(Peer::close);
    }
  }

  private void run(int pods) {
    for (int i = 0; i < pods; i++) {
      for (Peer peer : peers) {
        runPod(peer, i);
      }
    }
  }

  private void runPod(Peer peer, int number) {
    PodSandboxConfig pod = pod(number);
    String podId =
        timed(
            peer,
            "RunPodSandbox",
            () ->
                peer.calls()
                    .runPodSandbox(
                        RunPodSandboxRequest.newBuilder()
                            .setConfig(pod)
                            .setRuntimeHandler(peer.handler())
                            .build())
                    .getPodSandboxId());
    long beforeCreate = System.nanoTime();
    String container =
        timed(
            peer,
            "CreateContainer",
            () ->
                peer.calls()
                    .createContainer(
                        CreateContainerRequest.newBuilder()
                            .setPodSandboxId(podId)
                            .setConfig(container(peer))
                            .setSandboxConfig(pod)
                            .build())
                    .getContainerId());
    timed(
        peer,
        "StartContainer",
        () ->
            peer.calls()
                .startContainer(
                    StartContainerRequest.newBuilder().setContainerId(container).build()));
    add(peer, "Create + Start", System.nanoTime() - beforeCreate);
    for (int i = 0; i < 2; i++) {
      timed(
          peer,
          "ExecSync true",
          () ->
              peer.calls()
                  .execSync(
                      ExecSyncRequest.newBuilder()
                          .setContainerId(container)
                          .addCmd("true")
                          .setTimeout(10)
                          .build()));
    }
    reads(peer, podId, container);
    timed(
        peer,
        "StopPodSandbox",
        () ->
            peer.calls()
                .stopPodSandbox(StopPodSandboxRequest.newBuilder().setPodSandboxId(podId).build()));
    timed(
        peer,
        "RemovePodSandbox",
        () ->
            peer.calls()
                .removePodSandbox(
                    RemovePodSandboxRequest.newBuilder().setPodSandboxId(podId).build()));
  }

  private void reads(Peer peer, String podId, String container) {
    timed(
        peer,
        "PodSandboxStatus",
        () ->
            peer.calls()
                .podSandboxStatus(
                    PodSandboxStatusRequest.newBuilder().setPodSandboxId(podId).build()));
    timed(
        peer,
        "ContainerStatus",
        () ->
            peer.calls()
                .containerStatus(
                    ContainerStatusRequest.newBuilder().setContainerId(container).build()));
    timed(
        peer,
        "ListPodSandbox",
        () -> peer.calls().listPodSandbox(ListPodSandboxRequest.getDefaultInstance()));
    timed(
        peer,
        "ListContainers",
        () -> peer.calls().listContainers(ListContainersRequest.getDefaultInstance()));
  }

  private static PodSandboxConfig pod(int number) {
    String uid = UUID.randomUUID().toString();
    LinuxPodSandboxConfig.Builder linux = LinuxPodSandboxConfig.newBuilder();
    linux.getSecurityContextBuilder().setNamespaceOptions(namespaces());
    return PodSandboxConfig.newBuilder()
        .setMetadata(
            PodSandboxMetadata.newBuilder()
                .setName("speed-" + number)
                .setNamespace("benchmark")
                .setUid(uid))
        .setHostname("speed")
        .setLinux(linux)
        .build();
  }

  private static ContainerConfig container(Peer peer) {
    LinuxContainerConfig.Builder linux = LinuxContainerConfig.newBuilder();
    linux.getSecurityContextBuilder().setNamespaceOptions(namespaces());
    return ContainerConfig.newBuilder()
        .setMetadata(ContainerMetadata.newBuilder().setName("main"))
        .setImage(ImageSpec.newBuilder().setImage(peer.image()))
        .addCommand("sleep")
        .addArgs("600")
        .setLinux(linux)
        .build();
  }

  private static NamespaceOption namespaces() {
    return NamespaceOption.newBuilder().setPid(NamespaceMode.CONTAINER).build();
  }

  private <T> T timed(Peer peer, String step, Supplier<T> call) {
    long began = System.nanoTime();
    T answer = call.get();
    add(peer, step, System.nanoTime() - began);
    return answer;
  }

  private void add(Peer peer, String step, long duration) {
    if (!steps.contains(step)) {
      steps.add(step);
    }
    nanos
        .computeIfAbsent(step, _ -> new TreeMap<>())
        .computeIfAbsent(peer.name(), _ -> new ArrayList<>())
        .add(duration);
  }

  private String table() {
    StringBuilder text = new StringBuilder(String.format("%-18s", "milliseconds"));
    for (Peer peer : peers) {
      text.append(String.format("%30s", peer.name() + " p50 / p99"));
    }
    text.append('\n');
    for (String step : steps) {
      text.append(String.format("%-18s", step));
      double first = percentile(step, peers.getFirst(), 0.5);
      for (Peer peer : peers) {
        double median = percentile(step, peer, 0.5);
        String ratio = peer == peers.getFirst() ? "" : String.format(" (x %.1f)", median / first);
        text.append(
            String.format(
                "%30s",
                String.format("%.2f / %.2f%s", median, percentile(step, peer, 0.99), ratio)));
      }
      text.append('\n');
    }
    return text.toString();
  }

  private double percentile(String step, Peer peer, double share) {
    List<Long> sorted =
        nanos.getOrDefault(step, Map.of()).getOrDefault(peer.name(), List.of()).stream()
            .sorted()
            .toList();
    int index = (int) Math.min(sorted.size() - 1L, Math.round(share * (sorted.size() - 1)));
    return sorted.get(index) / (double) TimeUnit.MILLISECONDS.toNanos(1);
  }
}
