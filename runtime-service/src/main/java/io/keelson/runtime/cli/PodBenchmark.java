package io.keelson.runtime.cli;

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
import io.keelson.proto.cri.v1.RuntimeServiceGrpc.RuntimeServiceBlockingStub;
import io.keelson.proto.cri.v1.StartContainerRequest;
import io.keelson.proto.cri.v1.StopPodSandboxRequest;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * The same pods on several runtimes in turn, pod by pod, as a kubelet asks for them: network and
 * ipc of the pod, a PID namespace for each container. A pod that a failed call leaves behind is
 * removed.
 */
final class PodBenchmark {

  private static final String CREATE_AND_START = "Create + Start";

  private final List<BenchPeer> peers;
  private final Map<String, Map<BenchPeer, List<Long>>> nanos = new LinkedHashMap<>();

  PodBenchmark(List<BenchPeer> peers) {
    this.peers = List.copyOf(peers);
  }

  void run(int pods) {
    for (int i = 0; i < pods; i++) {
      for (BenchPeer peer : peers) {
        runPod(peer, i);
      }
    }
  }

  private void runPod(BenchPeer peer, int number) {
    RuntimeServiceBlockingStub calls = peer.client().runtime();
    PodSandboxConfig pod = pod(number);
    RunPodSandboxRequest run =
        RunPodSandboxRequest.newBuilder().setConfig(pod).setRuntimeHandler(peer.handler()).build();
    String podId = timed(peer, "RunPodSandbox", () -> calls.runPodSandbox(run)).getPodSandboxId();
    RemovePodSandboxRequest remove =
        RemovePodSandboxRequest.newBuilder().setPodSandboxId(podId).build();
    try {
      String container = startContainer(peer, calls, podId, pod);
      exec(peer, calls, container);
      read(peer, calls, podId, container);
      StopPodSandboxRequest stop =
          StopPodSandboxRequest.newBuilder().setPodSandboxId(podId).build();
      timed(peer, "StopPodSandbox", () -> calls.stopPodSandbox(stop));
    } catch (RuntimeException e) {
      calls.removePodSandbox(remove);
      throw e;
    }
    timed(peer, "RemovePodSandbox", () -> calls.removePodSandbox(remove));
  }

  private String startContainer(
      BenchPeer peer, RuntimeServiceBlockingStub calls, String podId, PodSandboxConfig pod) {
    CreateContainerRequest create =
        CreateContainerRequest.newBuilder()
            .setPodSandboxId(podId)
            .setConfig(container(peer))
            .setSandboxConfig(pod)
            .build();
    long began = System.nanoTime();
    String id =
        timed(peer, "CreateContainer", () -> calls.createContainer(create)).getContainerId();
    StartContainerRequest start = StartContainerRequest.newBuilder().setContainerId(id).build();
    timed(peer, "StartContainer", () -> calls.startContainer(start));
    add(peer, CREATE_AND_START, System.nanoTime() - began);
    return id;
  }

  private void exec(BenchPeer peer, RuntimeServiceBlockingStub calls, String container) {
    ExecSyncRequest request =
        ExecSyncRequest.newBuilder()
            .setContainerId(container)
            .addCmd("true")
            .setTimeout(10)
            .build();
    for (int i = 0; i < 2; i++) {
      timed(peer, "ExecSync true", () -> calls.execSync(request));
    }
  }

  private void read(
      BenchPeer peer, RuntimeServiceBlockingStub calls, String podId, String container) {
    PodSandboxStatusRequest pod =
        PodSandboxStatusRequest.newBuilder().setPodSandboxId(podId).build();
    ContainerStatusRequest status =
        ContainerStatusRequest.newBuilder().setContainerId(container).build();
    timed(peer, "PodSandboxStatus", () -> calls.podSandboxStatus(pod));
    timed(peer, "ContainerStatus", () -> calls.containerStatus(status));
    timed(
        peer,
        "ListPodSandbox",
        () -> calls.listPodSandbox(ListPodSandboxRequest.getDefaultInstance()));
    timed(
        peer,
        "ListContainers",
        () -> calls.listContainers(ListContainersRequest.getDefaultInstance()));
  }

  private static PodSandboxConfig pod(int number) {
    LinuxPodSandboxConfig.Builder linux = LinuxPodSandboxConfig.newBuilder();
    linux.getSecurityContextBuilder().setNamespaceOptions(namespaces());
    return PodSandboxConfig.newBuilder()
        .setMetadata(
            PodSandboxMetadata.newBuilder()
                .setName("bench-" + number)
                .setNamespace("bench")
                .setUid(UUID.randomUUID().toString()))
        .setHostname("bench")
        .setLinux(linux)
        .build();
  }

  private static ContainerConfig container(BenchPeer peer) {
    LinuxContainerConfig.Builder linux = LinuxContainerConfig.newBuilder();
    linux.getSecurityContextBuilder().setNamespaceOptions(namespaces());
    return ContainerConfig.newBuilder()
        .setMetadata(ContainerMetadata.newBuilder().setName("main"))
        .setImage(
            ImageSpec.newBuilder()
                .setImage(peer.image())
                // CRI-O makes no container without it.
                .setUserSpecifiedImage(peer.image()))
        .addCommand("sleep")
        .addArgs("600")
        .setLinux(linux)
        .build();
  }

  private static NamespaceOption namespaces() {
    return NamespaceOption.newBuilder().setPid(NamespaceMode.CONTAINER).build();
  }

  private <T> T timed(BenchPeer peer, String step, Supplier<T> call) {
    long began = System.nanoTime();
    T answer = call.get();
    add(peer, step, System.nanoTime() - began);
    return answer;
  }

  private void add(BenchPeer peer, String step, long duration) {
    nanos
        .computeIfAbsent(step, _ -> new LinkedHashMap<>())
        .computeIfAbsent(peer, _ -> new ArrayList<>())
        .add(duration);
  }

  /** A row for each step and runtime; the last column tells how many times as long it took. */
  Table table() {
    Table table = new Table("CALL", "RUNTIME", "MEDIAN", "P99", "TIMES");
    nanos.forEach(
        (step, byPeer) -> {
          double first = percentile(byPeer.getOrDefault(peers.getFirst(), List.of()), 0.5);
          byPeer.forEach(
              (peer, durations) -> {
                double median = percentile(durations, 0.5);
                table.row(
                    step,
                    peer.name(),
                    milliseconds(median),
                    milliseconds(percentile(durations, 0.99)),
                    String.format(Locale.ROOT, "%.1f", median / first));
              });
        });
    return table;
  }

  private static double percentile(List<Long> durations, double share) {
    if (durations.isEmpty()) {
      return Double.NaN;
    }
    List<Long> sorted = durations.stream().sorted().toList();
    return sorted.get((int) Math.round(share * (sorted.size() - 1)));
  }

  private static String milliseconds(double nanos) {
    return String.format(Locale.ROOT, "%.2f", nanos / TimeUnit.MILLISECONDS.toNanos(1));
  }
}
