package io.keelson.sandbox.stats;

import io.keelson.linux.MountInfo;
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
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The figures of pods and containers (CRI v1, the Stats calls of RuntimeService): cgroups and
 * network no older than a second, writable layers as old as they are dear to measure. Safe for use
 * by many threads; takes no lock that a change of a pod could wait for.
 */
public final class Stats {

  /** How long all writable layers of a list, and that of one container, may be waited for. */
  private static final Duration LIST_PATIENCE = Duration.ofMillis(100);

  private static final Duration ONE_PATIENCE = Duration.ofMillis(500);

  private final StatsSource source;
  private final GroupSampler groups;
  private final LayerSampler layers;
  private final NetworkSampler networks = new NetworkSampler();
  private final Path layerMountPoint;

  /**
   * @param root where writable layers are kept
   */
  public Stats(StatsSource source, Cgroups cgroups, Provisioner provisioner, Path root)
      throws IOException {
    this.source = source;
    this.groups = new GroupSampler(cgroups);
    this.layers = new LayerSampler(provisioner);
    this.layerMountPoint = MountInfo.containing(root).map(MountInfo::mountPoint).orElse(root);
  }

  /**
   * Of one container; of one that does not run only what it has written.
   *
   * @throws io.keelson.sandbox.error.NotFoundException for an unknown id
   */
  public ContainerStats container(String id) throws IOException {
    return stats(source.container(id), deadline(ONE_PATIENCE));
  }

  /** Of the containers that run and match. */
  public List<ContainerStats> containers(ContainerStatsFilter filter) throws IOException {
    forgetTheGone();
    long deadline = deadline(LIST_PATIENCE);
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
    return stats(List.of(pod), deadline(ONE_PATIENCE)).getFirst();
  }

  /** Of the pods that are ready and match. */
  public List<PodSandboxStats> pods(PodSandboxStatsFilter filter) throws IOException {
    forgetTheGone();
    List<StatsSource.Pod> matching =
        source.pods().stream().filter(pod -> pod.ready() && matches(filter, pod)).toList();
    return stats(matching, deadline(LIST_PATIENCE));
  }

  private List<PodSandboxStats> stats(List<StatsSource.Pod> pods, long deadline)
      throws IOException {
    Map<Path, Traffic> traffic =
        networks.sample(pods.stream().flatMap(pod -> pod.netns().stream()).toList());
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
    Optional<Sample> sample = groups.sample(pod.group(), pod.createdAt());
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
            ? groups.sample(container.group(), container.startedAt())
            : Optional.empty();
    if (sample.isPresent()) {
      stats
          .setCpu(StatsMessages.cpu(sample.get()))
          .setMemory(StatsMessages.memory(sample.get()))
          .setSwap(StatsMessages.swap(sample.get()))
          .setIo(StatsMessages.io(sample.get()));
    }
    layers
        .sample(container.id(), deadline)
        .ifPresent(layer -> stats.setWritableLayer(StatsMessages.layer(layer, layerMountPoint)));
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

  /**
   * What was sampled of pods and containers that are gone; not at each call, since that is dear.
   */
  private void forgetTheGone() {
    List<StatsSource.Container> running = source.running();
    List<StatsSource.Pod> pods = source.pods();
    if (groups.size() < 64 + 2 * (running.size() + pods.size())) {
      return;
    }
    Set<String> known =
        Stream.concat(
                running.stream().map(StatsSource.Container::group),
                pods.stream().map(StatsSource.Pod::group))
            .collect(Collectors.toCollection(HashSet::new));
    groups.retain(known);
    layers.retain(running.stream().map(StatsSource.Container::id).collect(Collectors.toSet()));
    networks.retain(pods.stream().flatMap(pod -> pod.netns().stream()).collect(Collectors.toSet()));
  }
}
