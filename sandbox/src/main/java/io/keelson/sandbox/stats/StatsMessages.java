package io.keelson.sandbox.stats;

import io.keelson.linux.cgroup.CgroupUsage;
import io.keelson.linux.cgroup.CgroupUsage.Pressure;
import io.keelson.linux.cgroup.CgroupUsage.Stall;
import io.keelson.linux.netlink.Link;
import io.keelson.linux.netlink.LinkStatistics;
import io.keelson.linux.tree.Trees;
import io.keelson.proto.cri.v1.ContainerAttributes;
import io.keelson.proto.cri.v1.CpuUsage;
import io.keelson.proto.cri.v1.FilesystemIdentifier;
import io.keelson.proto.cri.v1.FilesystemUsage;
import io.keelson.proto.cri.v1.IoUsage;
import io.keelson.proto.cri.v1.MemoryUsage;
import io.keelson.proto.cri.v1.NetworkInterfaceUsage;
import io.keelson.proto.cri.v1.NetworkUsage;
import io.keelson.proto.cri.v1.PodSandboxAttributes;
import io.keelson.proto.cri.v1.ProcessUsage;
import io.keelson.proto.cri.v1.PsiData;
import io.keelson.proto.cri.v1.PsiStats;
import io.keelson.proto.cri.v1.SwapUsage;
import io.keelson.proto.cri.v1.UInt64Value;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Figures in the words of CRI v1. */
final class StatsMessages {

  /** What CNI calls a pod's first interface by custom. */
  private static final String FIRST = "eth0";

  private StatsMessages() {}

  static ContainerAttributes attributes(StatsSource.Container container) {
    return ContainerAttributes.newBuilder()
        .setId(container.id())
        .setMetadata(container.config().getMetadata())
        .putAllLabels(container.config().getLabelsMap())
        .putAllAnnotations(container.config().getAnnotationsMap())
        .build();
  }

  static PodSandboxAttributes attributes(StatsSource.Pod pod) {
    return PodSandboxAttributes.newBuilder()
        .setId(pod.id())
        .setMetadata(pod.config().getMetadata())
        .putAllLabels(pod.config().getLabelsMap())
        .putAllAnnotations(pod.config().getAnnotationsMap())
        .build();
  }

  static CpuUsage cpu(Sample sample) {
    CpuUsage.Builder cpu =
        CpuUsage.newBuilder()
            .setTimestamp(sample.time())
            .setUsageCoreNanoSeconds(value(sample.usage().cpu().usage()));
    sample.cpuRate().ifPresent(rate -> cpu.setUsageNanoCores(value(rate)));
    sample.usage().cpuPressure().ifPresent(pressure -> cpu.setPsi(psi(pressure)));
    return cpu.build();
  }

  static MemoryUsage memory(Sample sample) {
    CgroupUsage.Memory used = sample.usage().memory();
    MemoryUsage.Builder memory =
        MemoryUsage.newBuilder()
            .setTimestamp(sample.time())
            .setWorkingSetBytes(value(used.workingSet()))
            .setUsageBytes(value(used.usage()))
            .setRssBytes(value(used.rss()))
            .setPageFaults(value(used.faults()))
            .setMajorPageFaults(value(used.majorFaults()));
    used.limit()
        .ifPresent(
            limit -> memory.setAvailableBytes(value(Math.max(0, limit - used.workingSet()))));
    sample.usage().memoryPressure().ifPresent(pressure -> memory.setPsi(psi(pressure)));
    return memory.build();
  }

  static SwapUsage swap(Sample sample) {
    CgroupUsage.Swap used = sample.usage().swap();
    SwapUsage.Builder swap = SwapUsage.newBuilder().setTimestamp(sample.time());
    used.usage()
        .ifPresent(
            usage -> {
              swap.setSwapUsageBytes(value(usage));
              used.limit()
                  .ifPresent(
                      limit -> swap.setSwapAvailableBytes(value(Math.max(0, limit - usage))));
            });
    return swap.build();
  }

  static IoUsage io(Sample sample) {
    IoUsage.Builder io = IoUsage.newBuilder().setTimestamp(sample.time());
    sample.usage().ioPressure().ifPresent(pressure -> io.setPsi(psi(pressure)));
    return io.build();
  }

  static ProcessUsage processes(Sample sample) {
    return ProcessUsage.newBuilder()
        .setTimestamp(sample.time())
        .setProcessCount(value(sample.usage().tasks().processes()))
        .build();
  }

  static FilesystemUsage layer(DearSampler.Measured<Trees.Usage> layer, Path mountPoint) {
    return FilesystemUsage.newBuilder()
        .setTimestamp(layer.time())
        .setFsId(FilesystemIdentifier.newBuilder().setMountpoint(mountPoint.toString()))
        .setUsedBytes(value(layer.value().bytes()))
        .setInodesUsed(value(layer.value().inodes()))
        .build();
  }

  static NetworkUsage network(NetworkSampler.Traffic traffic) {
    NetworkUsage.Builder network = NetworkUsage.newBuilder().setTimestamp(traffic.time());
    String first = firstInterface(traffic.links());
    for (Link link : traffic.links()) {
      if (link.name().equals(first)) {
        network.setDefaultInterface(networkInterface(link));
      } else {
        network.addInterfaces(networkInterface(link));
      }
    }
    return network.build();
  }

  private static String firstInterface(List<Link> links) {
    if (links.stream().anyMatch(link -> link.name().equals(FIRST))) {
      return FIRST;
    }
    return links.isEmpty() ? "" : links.getFirst().name();
  }

  private static NetworkInterfaceUsage networkInterface(Link link) {
    NetworkInterfaceUsage.Builder usage = NetworkInterfaceUsage.newBuilder().setName(link.name());
    if (link.statistics().isPresent()) {
      LinkStatistics counted = link.statistics().get();
      usage
          .setRxBytes(value(counted.receivedBytes()))
          .setRxErrors(value(counted.receiveErrors()))
          .setTxBytes(value(counted.sentBytes()))
          .setTxErrors(value(counted.sendErrors()));
    }
    return usage.build();
  }

  private static PsiStats psi(Pressure pressure) {
    return PsiStats.newBuilder()
        .setSome(psi(pressure.some()))
        .setFull(psi(pressure.full()))
        .build();
  }

  private static PsiData psi(Stall stall) {
    return PsiData.newBuilder()
        .setTotal(TimeUnit.MICROSECONDS.toNanos(stall.total()))
        .setAvg10(stall.average10())
        .setAvg60(stall.average60())
        .setAvg300(stall.average300())
        .build();
  }

  static UInt64Value value(long value) {
    return UInt64Value.newBuilder().setValue(value).build();
  }
}
