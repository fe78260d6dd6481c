package io.keelson.runtime.nri;

import io.keelson.proto.nri.v1alpha1.Field;
import io.keelson.proto.nri.v1alpha1.HugepageLimit;
import io.keelson.proto.nri.v1alpha1.LinuxCPU;
import io.keelson.proto.nri.v1alpha1.LinuxMemory;
import io.keelson.proto.nri.v1alpha1.LinuxResources;

/** What one plugin wants of a container's resources, laid over what was wanted before. */
final class ResourceMerge {

  private final Owners owners;
  private final String container;
  private final String plugin;

  ResourceMerge(Owners owners, String container, String plugin) {
    this.owners = owners;
    this.container = container;
    this.plugin = plugin;
  }

  /**
   * Lays {@code wanted} over {@code into}.
   *
   * @throws io.keelson.sandbox.error.OperationFailedException if another plugin wants some of it
   */
  void merge(LinuxResources wanted, LinuxResources.Builder into) {
    memory(wanted.getMemory(), into.getMemoryBuilder());
    cpu(wanted.getCpu(), into.getCpuBuilder());
    for (HugepageLimit limit : wanted.getHugepageLimitsList()) {
      owners.claim(container, Field.HugepageLimits, limit.getPageSize(), plugin);
      for (int i = into.getHugepageLimitsCount() - 1; i >= 0; i--) {
        if (into.getHugepageLimits(i).getPageSize().equals(limit.getPageSize())) {
          into.removeHugepageLimits(i);
        }
      }
      into.addHugepageLimits(limit);
    }
    into.addAllDevices(wanted.getDevicesList());
    wanted
        .getUnifiedMap()
        .forEach(
            (file, value) -> {
              owners.claim(container, Field.CgroupsUnified, file, plugin);
              into.putUnified(file, value);
            });
    if (wanted.hasBlockioClass()) {
      claim(Field.BlockioClass);
      into.setBlockioClass(wanted.getBlockioClass());
    }
    if (wanted.hasRdtClass()) {
      claim(Field.RdtClass);
      into.setRdtClass(wanted.getRdtClass());
    }
    if (wanted.hasPids()) {
      claim(Field.PidsLimit);
      into.setPids(wanted.getPids());
    }
  }

  // Not protobuf's own merge: it would keep a number where a plugin sets zero.

  private void memory(LinuxMemory wanted, LinuxMemory.Builder into) {
    if (wanted.hasLimit()) {
      claim(Field.MemLimit);
      into.setLimit(wanted.getLimit());
    }
    if (wanted.hasReservation()) {
      claim(Field.MemReservation);
      into.setReservation(wanted.getReservation());
    }
    if (wanted.hasSwap()) {
      claim(Field.MemSwapLimit);
      into.setSwap(wanted.getSwap());
    }
    if (wanted.hasKernel()) {
      claim(Field.MemKernelLimit);
      into.setKernel(wanted.getKernel());
    }
    if (wanted.hasKernelTcp()) {
      claim(Field.MemTCPLimit);
      into.setKernelTcp(wanted.getKernelTcp());
    }
    if (wanted.hasSwappiness()) {
      claim(Field.MemSwappiness);
      into.setSwappiness(wanted.getSwappiness());
    }
    if (wanted.hasDisableOomKiller()) {
      claim(Field.MemDisableOomKiller);
      into.setDisableOomKiller(wanted.getDisableOomKiller());
    }
    if (wanted.hasUseHierarchy()) {
      claim(Field.MemUseHierarchy);
      into.setUseHierarchy(wanted.getUseHierarchy());
    }
  }

  private void cpu(LinuxCPU wanted, LinuxCPU.Builder into) {
    if (wanted.hasShares()) {
      claim(Field.CPUShares);
      into.setShares(wanted.getShares());
    }
    if (wanted.hasQuota()) {
      claim(Field.CPUQuota);
      into.setQuota(wanted.getQuota());
    }
    if (wanted.hasPeriod()) {
      claim(Field.CPUPeriod);
      into.setPeriod(wanted.getPeriod());
    }
    if (wanted.hasRealtimeRuntime()) {
      claim(Field.CPURealtimeRuntime);
      into.setRealtimeRuntime(wanted.getRealtimeRuntime());
    }
    if (wanted.hasRealtimePeriod()) {
      claim(Field.CPURealtimePeriod);
      into.setRealtimePeriod(wanted.getRealtimePeriod());
    }
    if (!wanted.getCpus().isEmpty()) {
      claim(Field.CPUSetCPUs);
      into.setCpus(wanted.getCpus());
    }
    if (!wanted.getMems().isEmpty()) {
      claim(Field.CPUSetMems);
      into.setMems(wanted.getMems());
    }
  }

  private void claim(Field field) {
    owners.claim(container, field, plugin);
  }
}
