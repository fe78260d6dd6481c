package io.keelson.runtime.nri;

import io.keelson.proto.cri.v1.LinuxContainerResources;
import io.keelson.proto.nri.v1alpha1.HugepageLimit;
import io.keelson.proto.nri.v1alpha1.LinuxCPU;
import io.keelson.proto.nri.v1alpha1.LinuxMemory;
import io.keelson.proto.nri.v1alpha1.LinuxResources;
import io.keelson.proto.nri.v1alpha1.OptionalInt64;
import io.keelson.proto.nri.v1alpha1.OptionalUInt64;
import io.keelson.sandbox.spec.SpecResources;

/** Resources in the words of NRI, of CRI, and of the OCI runtime spec. */
final class Resources {

  private Resources() {}

  /** A zero or an empty text in CRI says "not set". */
  static LinuxResources ofCri(LinuxContainerResources cri) {
    LinuxMemory.Builder memory = LinuxMemory.newBuilder();
    if (cri.getMemoryLimitInBytes() != 0) {
      memory.setLimit(of(cri.getMemoryLimitInBytes()));
    }
    if (cri.getMemorySwapLimitInBytes() != 0) {
      memory.setSwap(of(cri.getMemorySwapLimitInBytes()));
    }
    LinuxCPU.Builder cpu =
        LinuxCPU.newBuilder().setCpus(cri.getCpusetCpus()).setMems(cri.getCpusetMems());
    if (cri.getCpuShares() != 0) {
      cpu.setShares(unsigned(cri.getCpuShares()));
    }
    if (cri.getCpuQuota() != 0) {
      cpu.setQuota(of(cri.getCpuQuota()));
    }
    if (cri.getCpuPeriod() != 0) {
      cpu.setPeriod(unsigned(cri.getCpuPeriod()));
    }
    LinuxResources.Builder resources =
        LinuxResources.newBuilder()
            .setMemory(memory)
            .setCpu(cpu)
            .putAllUnified(cri.getUnifiedMap());
    cri.getHugepageLimitsList()
        .forEach(
            limit ->
                resources.addHugepageLimits(
                    HugepageLimit.newBuilder()
                        .setPageSize(limit.getPageSize())
                        .setLimit(limit.getLimit())));
    return resources.build();
  }

  /** What CRI has words for; {@link #beyondCri} is the rest. */
  static LinuxContainerResources toCri(LinuxResources nri) {
    LinuxContainerResources.Builder cri =
        LinuxContainerResources.newBuilder()
            .setMemoryLimitInBytes(nri.getMemory().getLimit().getValue())
            .setMemorySwapLimitInBytes(nri.getMemory().getSwap().getValue())
            .setCpuShares(nri.getCpu().getShares().getValue())
            .setCpuQuota(nri.getCpu().getQuota().getValue())
            .setCpuPeriod(nri.getCpu().getPeriod().getValue())
            .setCpusetCpus(nri.getCpu().getCpus())
            .setCpusetMems(nri.getCpu().getMems())
            .putAllUnified(nri.getUnifiedMap());
    nri.getHugepageLimitsList()
        .forEach(
            limit ->
                cri.addHugepageLimits(
                    io.keelson.proto.cri.v1.HugepageLimit.newBuilder()
                        .setPageSize(limit.getPageSize())
                        .setLimit(limit.getLimit())));
    return cri.build();
  }

  /** Sets the limits that CRI has no word for. */
  static void beyondCri(LinuxResources nri, SpecResources limits) {
    LinuxMemory memory = nri.getMemory();
    if (memory.hasReservation()) {
      limits.memoryReservation(memory.getReservation().getValue());
    }
    if (memory.hasKernel()) {
      limits.memoryKernel(memory.getKernel().getValue());
    }
    if (memory.hasKernelTcp()) {
      limits.memoryKernelTcp(memory.getKernelTcp().getValue());
    }
    if (memory.hasSwappiness()) {
      limits.memorySwappiness(memory.getSwappiness().getValue());
    }
    if (memory.hasDisableOomKiller()) {
      limits.oomKillerDisabled(memory.getDisableOomKiller().getValue());
    }
    if (memory.hasUseHierarchy()) {
      limits.memoryHierarchy(memory.getUseHierarchy().getValue());
    }
    LinuxCPU cpu = nri.getCpu();
    if (cpu.hasRealtimeRuntime()) {
      limits.cpuRealtimeRuntime(cpu.getRealtimeRuntime().getValue());
    }
    if (cpu.hasRealtimePeriod()) {
      limits.cpuRealtimePeriod(cpu.getRealtimePeriod().getValue());
    }
    if (nri.hasPids()) {
      limits.pidsLimit(nri.getPids().getLimit());
    }
  }

  /** {@code change} over {@code base}, for the status. */
  static LinuxContainerResources over(LinuxContainerResources base, LinuxResources change) {
    LinuxContainerResources cri = toCri(change);
    LinuxContainerResources.Builder merged = base.toBuilder();
    cri.getHugepageLimitsList()
        .forEach(
            limit -> {
              for (int i = merged.getHugepageLimitsCount() - 1; i >= 0; i--) {
                if (merged.getHugepageLimits(i).getPageSize().equals(limit.getPageSize())) {
                  merged.removeHugepageLimits(i);
                }
              }
            });
    return merged.mergeFrom(cri).build();
  }

  static OptionalInt64 of(long value) {
    return OptionalInt64.newBuilder().setValue(value).build();
  }

  static OptionalUInt64 unsigned(long value) {
    return OptionalUInt64.newBuilder().setValue(value).build();
  }
}
