package io.keelson.sandbox;

import io.keelson.linux.NamespaceType;
import io.keelson.linux.cgroup.CgroupDriver;
import io.keelson.proto.record.v1.ContainerPhase;
import io.keelson.proto.record.v1.ContainerRecord;
import io.keelson.proto.record.v1.SandboxRecord;
import io.keelson.sandbox.stats.StatsSource;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Pods and containers as the statistics see them. Safe for use by many threads. */
final class StatsSubjects implements StatsSource {

  private final Core core;

  StatsSubjects(Core core) {
    this.core = core;
  }

  @Override
  public List<Pod> pods() {
    return core.pods().all().stream().map(this::pod).toList();
  }

  @Override
  public Pod pod(String idOrPrefix) {
    return pod(core.pods().get(idOrPrefix));
  }

  @Override
  public List<Container> running() {
    return core.containers().all().stream()
        .filter(container -> container.phase() == ContainerPhase.CONTAINER_PHASE_RUNNING)
        .map(StatsSubjects::container)
        .toList();
  }

  @Override
  public Container container(String idOrPrefix) {
    return container(core.containers().get(idOrPrefix));
  }

  private Pod pod(PodEntry pod) {
    SandboxRecord record = pod.record();
    Optional<Path> netns =
        pod.isReady()
            ? Optional.ofNullable(
                PodEntry.pins(core.settings(), pod.id(), record.getConfig()).get(NamespaceType.NET))
            : Optional.empty();
    return new Pod(
        pod.id(),
        record.getConfig(),
        core.cgroups().parentGroup(pod.id(), record.getConfig()),
        record.getCreatedAt(),
        pod.isReady(),
        netns);
  }

  private static Container container(ContainerEntry container) {
    ContainerRecord record = container.record();
    return new Container(
        container.id(),
        record.getSandboxId(),
        record.getConfig(),
        CgroupDriver.group(record.getCgroup()),
        record.getCreatedAt(),
        record.getStartedAt(),
        container.init(),
        record.getImageName(),
        container.resources());
  }
}
