package io.keelson.sandbox.isolator;

import io.keelson.proto.cri.v1.HugepageLimit;
import io.keelson.proto.cri.v1.LinuxContainerResources;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.error.UnsupportedException;
import io.keelson.sandbox.port.ContainerContext;
import io.keelson.sandbox.port.Isolator;
import io.keelson.sandbox.spec.SpecBuilder;
import io.keelson.sandbox.spec.SpecResources;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The container's cgroup and its limits on CPU, memory, swap and huge pages, and how soon the
 * kernel kills it when memory runs out. A zero in the CRI says "not set". Without swap asked for a
 * container gets none: memory and swap together are limited to the memory.
 */
public final class ResourcesIsolator implements Isolator {

  private static final Logger LOG = LoggerFactory.getLogger(ResourcesIsolator.class);
  private static final int OOM_SCORE_ADJ_LIMIT = 1000;

  /**
   * With the systemd driver on cgroup v2 crun would put the processes into a group below the
   * container's scope, and the kernel would count what it kills there and not in the scope.
   */
  private static final String SUBGROUP = "run.oci.systemd.subgroup";

  private static final String UNIFIED_PIDS = "pids.max";

  private final HostFeatures host;
  private final long pidsLimit;
  private final AtomicBoolean clampTold = new AtomicBoolean();

  /**
   * @param pidsLimit most tasks of a container that does not ask for another number; 0 for no limit
   */
  public ResourcesIsolator(HostFeatures host, long pidsLimit) {
    this.host = host;
    this.pidsLimit = pidsLimit;
  }

  @Override
  public void prepare(ContainerContext container, SpecBuilder spec) {
    spec.cgroupsPath(container.cgroup()).annotation(SUBGROUP, "");
    LinuxContainerResources wanted = container.config().getLinux().getResources();
    if (pidsLimit > 0 && !wanted.containsUnified(UNIFIED_PIDS)) {
      spec.limits().pidsLimit(pidsLimit);
    }
    limit(container, wanted, spec.limits());
    // Always: else it would be the daemon's own, which is as low as it gets on a good node.
    spec.oomScoreAdj(oomScoreAdj(container, wanted.getOomScoreAdj()));
  }

  @Override
  public void update(
      ContainerContext container, LinuxContainerResources resources, SpecBuilder spec) {
    limit(container, resources, spec.limits());
  }

  private void limit(
      ContainerContext container, LinuxContainerResources wanted, SpecResources limits) {
    if (wanted.getCpuPeriod() != 0) {
      limits.cpuPeriod(wanted.getCpuPeriod());
    }
    if (wanted.getCpuQuota() != 0) {
      limits.cpuQuota(wanted.getCpuQuota());
    }
    if (wanted.getCpuShares() != 0) {
      limits.cpuShares(wanted.getCpuShares());
    }
    if (!wanted.getCpusetCpus().isEmpty()) {
      limits.cpusetCpus(wanted.getCpusetCpus());
    }
    if (!wanted.getCpusetMems().isEmpty()) {
      limits.cpusetMems(wanted.getCpusetMems());
    }
    limitMemory(wanted, limits);
    limitHugePages(container, wanted, limits);
    if (wanted.getUnifiedCount() > 0 && !host.unifiedCgroups()) {
      throw new UnsupportedException(
          "%s can be set on cgroup v2 only, and this host has v1"
              .formatted(wanted.getUnifiedMap().keySet().stream().sorted().toList()));
    }
    wanted.getUnifiedMap().forEach(limits::unified);
  }

  private void limitMemory(LinuxContainerResources wanted, SpecResources limits) {
    long memory = wanted.getMemoryLimitInBytes();
    long swap = wanted.getMemorySwapLimitInBytes();
    if (memory != 0) {
      limits.memoryLimit(memory);
    }
    if (host.swapLimit() && (memory != 0 || swap != 0)) {
      limits.memorySwap(swap == 0 ? memory : swap);
    }
  }

  /** A kubelet sends a zero for each size that it knows, also where nothing can be limited. */
  private void limitHugePages(
      ContainerContext container, LinuxContainerResources wanted, SpecResources limits) {
    for (HugepageLimit limit : wanted.getHugepageLimitsList()) {
      if (host.hugetlb()) {
        limits.hugepageLimit(limit.getPageSize(), limit.getLimit());
      } else if (limit.getLimit() != 0) {
        LOG.atWarn()
            .addKeyValue("container", container.id())
            .log(
                "limit of {} bytes on huge pages of {} is not set: this host has no hugetlb"
                    + " controller",
                Long.toUnsignedString(limit.getLimit()),
                limit.getPageSize());
      }
    }
  }

  private int oomScoreAdj(ContainerContext container, long wanted) {
    if (Math.abs(wanted) > OOM_SCORE_ADJ_LIMIT) {
      throw new InvalidRequestException("oom_score_adj %d is out of range".formatted(wanted));
    }
    if (wanted >= host.lowestOomScoreAdj()) {
      return (int) wanted;
    }
    // One line is enough: it is a trait of the host, not of the container.
    if (clampTold.compareAndSet(false, true)) {
      LOG.atInfo()
          .addKeyValue("container", container.id())
          .log(
              "oom_score_adj {} is raised to {} here and for all containers to come: the daemon"
                  + " lacks CAP_SYS_RESOURCE, which the kernel wants for less",
              wanted,
              host.lowestOomScoreAdj());
    }
    return host.lowestOomScoreAdj();
  }
}
