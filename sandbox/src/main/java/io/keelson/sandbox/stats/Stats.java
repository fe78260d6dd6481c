package io.keelson.sandbox.stats;

import io.keelson.linux.cgroup.Cgroups;
import io.keelson.proto.cri.v1.ContainerStats;
import io.keelson.proto.cri.v1.ContainerStatsFilter;
import io.keelson.proto.cri.v1.LinuxPodSandboxStats;
import io.keelson.proto.cri.v1.PodSandboxStats;
import io.keelson.proto.cri.v1.PodSandboxStatsFilter;
import io.keelson.sandbox.port.Provisioner;
import io.keelson.sandbox.stats.NetworkSampler.Traffic;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * The figures of pods and containers (CRI v1, the Stats calls of RuntimeService): cgroups and
 * network no older than a second, writable layers as old as they are dear to measure. Safe for use
 * by many threads; takes no lock that a change of a pod could wait for.
 */
public final class Stats {

  private final StatsSource source;
  private final Samplers samplers;
  private final Metrics metrics;

  /**
   * @param root where writable layers are kept
   */
  public Stats(StatsSource source, Cgroups cgroups, Provisioner provisioner, Path root)
      throws IOException {
    this.source = source;
    this.samplers = new Samplers(source, cgroups, provisioner, root);
    this.metrics = new Metrics(source, samplers, cgroups);
  }

  /** The same figures and more of them, by the names that cAdvisor gave them. */
  public Metrics metrics() {
    return metrics;
  }

  /**
   * Of one container; of one that does not run only what it has written.
   *
   * @throws io.keelson.sandbox.error.NotFoundException for an unknown id
   */
  public ContainerStats container(String id) throws IOException {
    return stats(source.container(id), deadline(Samplers.ONE_PATIENCE));
  }

  /** Of the containers that run and match. */
  public List<ContainerStats> containers(ContainerStatsFilter filter) throws IOException {
    samplers.forgetTheGone();
    long deadline = deadline(Samplers.LIST_PATIENCE);
    List<ContainerStats> answer = new ArrayList<>();
    for (StatsSource.Container container : source.running()) {
      if (matches(filter, container)) {
        answer.add(stats(container, deadline));
      }
    }
    return answer;
  }

  /**
   * Of one pod.
   *
   * @throws io.keelson.sandbox.error.NotFoundException for an unknown id
   */
  public PodSandboxStats pod(String id) throws IOException {
    StatsSource.Pod pod = source.pod(id);
    return stats(List.of(pod), deadline(Samplers.ONE_PATIENCE)).getFirst();
  }

  /** Of the pods that are ready and match. */
  public List<PodSandboxStats> pods(PodSandboxStatsFilter filter) throws IOException {
    samplers.forgetTheGone();
    List<StatsSource.Pod> matching =
        source.pods().stream().filter(pod -> pod.ready() && matches(filter, pod)).toList();
    return stats(matching, deadline(Samplers.LIST_PATIENCE));
  }

  private List<PodSandboxStats> stats(List<StatsSource.Pod> pods, long deadline)
      throws IOException {
    Map<Path, Traffic> traffic =
        samplers.networks().sample(pods.stream().flatMap(pod -> pod.netns().stream()).toList());
    Map<String, List<StatsSource.Container>> containers =
        source.running().stream().collect(Collectors.groupingBy(StatsSource.Container::sandboxId));
    List<PodSandboxStats> answer = new ArrayList<>();
    for (StatsSource.Pod pod : pods) {
      Optional<Traffic> seen = pod.netns().map(traffic::get);
      answer.add(stats(pod, seen, containers.getOrDefault(pod.id(), List.of()), deadline));
    }
    return answer;
  }

  private PodSandboxStats stats(
      StatsSource.Pod pod,
      Optional<Traffic> traffic,
      List<StatsSource.Container> containers,
      long deadline)
      throws IOException {
    LinuxPodSandboxStats.Builder linux = LinuxPodSandboxStats.newBuilder();
    Optional<Sample> sample = samplers.groups().sample(pod.group(), pod.createdAt());
    if (sample.isPresent()) {
      linux
          .setCpu(StatsMessages.cpu(sample.get()))
          .setMemory(StatsMessages.memory(sample.get()))
          .setProcess(StatsMessages.processes(sample.get()))
          .setIo(StatsMessages.io(sample.get()));
    }
    traffic.ifPresent(seen -> linux.setNetwork(StatsMessages.network(seen)));
    for (StatsSource.Container container : containers) {
      linux.addContainers(stats(container, deadline));
    }
    return PodSandboxStats.newBuilder()
        .setAttributes(StatsMessages.attributes(pod))
        .setLinux(linux)
        .build();
  }

  private ContainerStats stats(StatsSource.Container container, long deadline) throws IOException {
    ContainerStats.Builder stats =
        ContainerStats.newBuilder().setAttributes(StatsMessages.attributes(container));
    Optional<Sample> sample =
        container.runs()
            ? samplers.groups().sample(container.group(), container.startedAt())
            : Optional.empty();
    if (sample.isPresent()) {
      stats
          .setCpu(StatsMessages.cpu(sample.get()))
          .setMemory(StatsMessages.memory(sample.get()))
          .setSwap(StatsMessages.swap(sample.get()))
          .setIo(StatsMessages.io(sample.get()));
    }
    samplers
        .layers()
        .sample(container, deadline)
        .ifPresent(
            layer ->
                stats.setWritableLayer(StatsMessages.layer(layer, samplers.layerMountPoint())));
    return stats.build();
  }

  private static long deadline(Duration patience) {
    return System.nanoTime() + patience.toNanos();
  }

  private static boolean matches(ContainerStatsFilter filter, StatsSource.Container container) {
    return container.id().startsWith(filter.getId())
        && container.sandboxId().startsWith(filter.getPodSandboxId())
        && container
            .config()
            .getLabelsMap()
            .entrySet()
            .containsAll(filter.getLabelSelectorMap().entrySet());
  }

  private static boolean matches(PodSandboxStatsFilter filter, StatsSource.Pod pod) {
    return pod.id().startsWith(filter.getId())
        && pod.config()
            .getLabelsMap()
            .entrySet()
            .containsAll(filter.getLabelSelectorMap().entrySet());
  }
}
