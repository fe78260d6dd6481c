package io.keelson.runtime.server;

import io.keelson.proto.cri.v1.ContainerStatsRequest;
import io.keelson.proto.cri.v1.ContainerStatsResponse;
import io.keelson.proto.cri.v1.ListContainerStatsRequest;
import io.keelson.proto.cri.v1.ListContainerStatsResponse;
import io.keelson.proto.cri.v1.ListMetricDescriptorsResponse;
import io.keelson.proto.cri.v1.ListPodSandboxStatsRequest;
import io.keelson.proto.cri.v1.ListPodSandboxStatsResponse;
import io.keelson.proto.cri.v1.PodSandboxMetrics;
import io.keelson.proto.cri.v1.PodSandboxStatsRequest;
import io.keelson.proto.cri.v1.PodSandboxStatsResponse;
import io.keelson.sandbox.stats.Stats;
import java.io.IOException;
import java.util.List;

/** The calls of RuntimeService about what pods and containers use. */
public final class StatsCalls {

  private final Stats stats;

  public StatsCalls(Stats stats) {
    this.stats = stats;
  }

  ContainerStatsResponse container(ContainerStatsRequest request) throws IOException {
    return ContainerStatsResponse.newBuilder()
        .setStats(stats.container(Requests.containerId(request.getContainerId())))
        .build();
  }

  ListContainerStatsResponse containers(ListContainerStatsRequest request) throws IOException {
    return ListContainerStatsResponse.newBuilder()
        .addAllStats(stats.containers(request.getFilter()))
        .build();
  }

  PodSandboxStatsResponse pod(PodSandboxStatsRequest request) throws IOException {
    return PodSandboxStatsResponse.newBuilder()
        .setStats(stats.pod(Requests.podId(request.getPodSandboxId())))
        .build();
  }

  ListPodSandboxStatsResponse pods(ListPodSandboxStatsRequest request) throws IOException {
    return ListPodSandboxStatsResponse.newBuilder()
        .addAllStats(stats.pods(request.getFilter()))
        .build();
  }

  ListMetricDescriptorsResponse metricDescriptors() {
    return ListMetricDescriptorsResponse.newBuilder()
        .addAllDescriptors(stats.metrics().descriptors())
        .build();
  }

  List<PodSandboxMetrics> podMetrics() throws IOException {
    return stats.metrics().pods();
  }
}
