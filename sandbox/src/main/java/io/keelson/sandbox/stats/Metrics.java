package io.keelson.sandbox.stats;

import io.keelson.linux.BlockDeviceNames;
import io.keelson.linux.DiskActivity;
import io.keelson.linux.FileSystemSpace;
import io.keelson.linux.cgroup.Cgroups;
import io.keelson.proto.cri.v1.ContainerMetrics;
import io.keelson.proto.cri.v1.Metric;
import io.keelson.proto.cri.v1.MetricDescriptor;
import io.keelson.proto.cri.v1.PodSandboxMetrics;
import io.keelson.sandbox.stats.NetworkSampler.Traffic;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The metrics of pods and containers (CRI v1, ListMetricDescriptors and ListPodSandboxMetrics), by
 * the names that cAdvisor gave them and that dashboards know. The network is the pod's, the rest is
 * told of each container that runs. Safe for use by many threads.
 */
public final class Metrics {

  private final StatsSource source;
  private final Samplers samplers;
  private final Cgroups cgroups;
  private final List<MetricFamily<ContainerFigures>> containerFamilies;
  private final List<MetricFamily<Traffic>> podFamilies;

  Metrics(StatsSource source, Samplers samplers, Cgroups cgroups) {
    this.source = source;
    this.samplers = samplers;
    this.cgroups = cgroups;
    BlockDeviceNames names = new BlockDeviceNames();
    List<MetricFamily<ContainerFigures>> noFamilies = List.of();
    this.containerFamilies =
        Stream.of(
                UsageFamilies.cpu(),
                UsageFamilies.memory(),
                UsageFamilies.pressure(),
                ResourceFamilies.disk(names),
                // A name without values is taken for a defect, and a zero for an idle disk.
                samplers.haveLayerDisk() ? DiskActivityFamilies.all(names) : noFamilies,
                ResourceFamilies.processes(),
                ResourceFamilies.limits())
            .flatMap(List::stream)
            .toList();
    this.podFamilies = ResourceFamilies.network();
  }

  /** What each metric means; the same as long as the daemon runs. */
  public List<MetricDescriptor> descriptors() {
    return Stream.concat(containerFamilies.stream(), podFamilies.stream())
        .map(MetricFamily::descriptor)
        .toList();
  }

  /** Of all pods that are ready. */
  public List<PodSandboxMetrics> pods() throws IOException {
    samplers.forgetTheGone();
    long deadline = System.nanoTime() + Samplers.LIST_PATIENCE.toNanos();
    List<StatsSource.Pod> pods = source.pods().stream().filter(StatsSource.Pod::ready).toList();
    Map<Path, Traffic> traffic =
        samplers.networks().sample(pods.stream().flatMap(pod -> pod.netns().stream()).toList());
    Map<String, List<StatsSource.Container>> containers =
        source.running().stream().collect(Collectors.groupingBy(StatsSource.Container::sandboxId));
    Optional<FileSystemSpace> space = samplers.layerSpace();
    Optional<DiskActivity> disk = samplers.layerDiskActivity();
    List<PodSandboxMetrics> answer = new ArrayList<>();
    for (StatsSource.Pod pod : pods) {
      PodSandboxMetrics.Builder metrics = PodSandboxMetrics.newBuilder().setPodSandboxId(pod.id());
      pod.netns().map(traffic::get).ifPresent(seen -> metrics.addAllMetrics(podMetrics(pod, seen)));
      for (StatsSource.Container container : containers.getOrDefault(pod.id(), List.of())) {
        Optional<ContainerFigures> figures = figures(container, space, disk, deadline);
        figures.ifPresent(
            found -> metrics.addContainerMetrics(containerMetrics(pod, container, found)));
      }
      answer.add(metrics.build());
    }
    return answer;
  }

  private Optional<ContainerFigures> figures(
      StatsSource.Container container,
      Optional<FileSystemSpace> space,
      Optional<DiskActivity> disk,
      long deadline)
      throws IOException {
    Optional<Sample> sample = samplers.groups().sample(container.group(), container.startedAt());
    if (sample.isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(
        new ContainerFigures(
            container,
            sample.get(),
            cgroups.hugePages(container.group()),
            cgroups.diskActivity(container.group()),
            samplers.layers().sample(container, deadline).map(DearSampler.Measured::value),
            samplers.processes().sample(container, deadline).map(DearSampler.Measured::value),
            space,
            samplers.layerDevice(),
            disk));
  }

  private ContainerMetrics containerMetrics(
      StatsSource.Pod pod, StatsSource.Container container, ContainerFigures figures) {
    List<String> base =
        List.of(
            container.config().getMetadata().getName(),
            container.id(),
            container.image(),
            pod.config().getMetadata().getNamespace(),
            pod.config().getMetadata().getName());
    List<Metric> metrics = new ArrayList<>();
    for (MetricFamily<ContainerFigures> family : containerFamilies) {
      family.addTo(metrics, figures, base, figures.sample().time());
    }
    return ContainerMetrics.newBuilder()
        .setContainerId(container.id())
        .addAllMetrics(metrics)
        .build();
  }

  private List<Metric> podMetrics(StatsSource.Pod pod, Traffic traffic) {
    List<String> base =
        List.of(
            "",
            pod.id(),
            "",
            pod.config().getMetadata().getNamespace(),
            pod.config().getMetadata().getName());
    List<Metric> metrics = new ArrayList<>();
    for (MetricFamily<Traffic> family : podFamilies) {
      family.addTo(metrics, traffic, base, traffic.time());
    }
    return metrics;
  }
}
