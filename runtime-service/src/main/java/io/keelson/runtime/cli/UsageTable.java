package io.keelson.runtime.cli;

import io.keelson.proto.cri.v1.ContainerStats;
import io.keelson.proto.cri.v1.CpuUsage;
import io.keelson.proto.cri.v1.LinuxPodSandboxStats;
import io.keelson.proto.cri.v1.MemoryUsage;
import io.keelson.proto.cri.v1.NetworkInterfaceUsage;
import io.keelson.proto.cri.v1.PodSandboxStats;
import io.keelson.proto.cri.v1.UInt64Value;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/** Figures in a table, who uses the processors most first. */
final class UsageTable {

  /** Nanoseconds a second that are one percent of one processor. */
  private static final double PERCENT = 1e7;

  private UsageTable() {}

  static Table ofContainers(List<ContainerStats> stats) {
    Table table = new Table("CONTAINER", "NAME", "CPU", "MEMORY", "AVAILABLE", "SWAP", "WRITTEN");
    stats.stream()
        .sorted(Comparator.comparingLong(one -> -one.getCpu().getUsageNanoCores().getValue()))
        .forEach(
            one ->
                table.row(
                    Units.shortId(one.getAttributes().getId()),
                    one.getAttributes().getMetadata().getName(),
                    cpu(one.getCpu()),
                    memory(one.getMemory()),
                    size(one.getMemory().hasAvailableBytes(), one.getMemory().getAvailableBytes()),
                    size(one.getSwap().hasSwapUsageBytes(), one.getSwap().getSwapUsageBytes()),
                    size(one.hasWritableLayer(), one.getWritableLayer().getUsedBytes())));
    return table;
  }

  static Table ofPods(List<PodSandboxStats> stats) {
    Table table = new Table("POD", "NAME", "CPU", "MEMORY", "PROCESSES", "RECEIVED", "SENT");
    stats.stream()
        .sorted(
            Comparator.comparingLong(
                one -> -one.getLinux().getCpu().getUsageNanoCores().getValue()))
        .forEach(
            one -> {
              LinuxPodSandboxStats linux = one.getLinux();
              NetworkInterfaceUsage link = linux.getNetwork().getDefaultInterface();
              table.row(
                  Units.shortId(one.getAttributes().getId()),
                  one.getAttributes().getMetadata().getName(),
                  cpu(linux.getCpu()),
                  memory(linux.getMemory()),
                  Long.toString(linux.getProcess().getProcessCount().getValue()),
                  size(link.hasRxBytes(), link.getRxBytes()),
                  size(link.hasTxBytes(), link.getTxBytes()));
            });
    return table;
  }

  /** Of one processor: a container on two of them has up to 200 %. */
  private static String cpu(CpuUsage cpu) {
    return cpu.hasUsageNanoCores()
        ? String.format(Locale.ROOT, "%.1f%%", cpu.getUsageNanoCores().getValue() / PERCENT)
        : "";
  }

  private static String memory(MemoryUsage memory) {
    return size(memory.hasWorkingSetBytes(), memory.getWorkingSetBytes());
  }

  private static String size(boolean known, UInt64Value value) {
    return known ? Units.size(value.getValue()) : "";
  }
}
