package io.keelson.sandbox.spec;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The limits of a container (OCI runtime spec, {@code linux.resources}); a null is "leave as it
 * is". Not safe for use by many threads.
 */
public final class SpecResources {

  @Nullable Long cpuShares;
  @Nullable Long cpuQuota;
  @Nullable Long cpuPeriod;
  @Nullable String cpusetCpus;
  @Nullable String cpusetMems;
  @Nullable Long memoryLimit;
  @Nullable Long memorySwap;
  @Nullable Long pidsLimit;
  @Nullable Long cpuRealtimeRuntime;
  @Nullable Long cpuRealtimePeriod;
  @Nullable Long memoryReservation;
  @Nullable Long memoryKernel;
  @Nullable Long memoryKernelTcp;
  @Nullable Long memorySwappiness;
  @Nullable Boolean oomKillerDisabled;
  @Nullable Boolean memoryHierarchy;
  final Map<String, Long> hugepageLimits = new TreeMap<>();
  final Map<String, String> unified = new TreeMap<>();
  final List<SpecDeviceRule> deviceRules = new ArrayList<>();

  SpecResources() {}

  /** Relative weight, 2 to 262144; 1024 is one CPU by Kubernetes' rule. */
  public SpecResources cpuShares(long shares) {
    cpuShares = shares;
    return this;
  }

  /** Microseconds of CPU time in each period; -1 for no limit. */
  public SpecResources cpuQuota(long micros) {
    cpuQuota = micros;
    return this;
  }

  /** Length of a period in microseconds. */
  public SpecResources cpuPeriod(long micros) {
    cpuPeriod = micros;
    return this;
  }

  /** A list such as {@code 0-3,7}. */
  public SpecResources cpusetCpus(String cpus) {
    cpusetCpus = cpus;
    return this;
  }

  public SpecResources cpusetMems(String mems) {
    cpusetMems = mems;
    return this;
  }

  /** Bytes; -1 for no limit. */
  public SpecResources memoryLimit(long bytes) {
    memoryLimit = bytes;
    return this;
  }

  /** Bytes of memory and swap together; -1 for no limit. */
  public SpecResources memorySwap(long bytes) {
    memorySwap = bytes;
    return this;
  }

  /** Most tasks; -1 for no limit. */
  public SpecResources pidsLimit(long tasks) {
    pidsLimit = tasks;
    return this;
  }

  /** Microseconds that realtime tasks may run in each of their periods. */
  public SpecResources cpuRealtimeRuntime(long micros) {
    cpuRealtimeRuntime = micros;
    return this;
  }

  /** Length of the realtime period in microseconds. */
  public SpecResources cpuRealtimePeriod(long micros) {
    cpuRealtimePeriod = micros;
    return this;
  }

  /** Soft limit in bytes. */
  public SpecResources memoryReservation(long bytes) {
    memoryReservation = bytes;
    return this;
  }

  /** Limit of kernel memory in bytes; kernels of today ignore it. */
  public SpecResources memoryKernel(long bytes) {
    memoryKernel = bytes;
    return this;
  }

  /** Limit of kernel memory for TCP buffers in bytes. */
  public SpecResources memoryKernelTcp(long bytes) {
    memoryKernelTcp = bytes;
    return this;
  }

  /** How readily pages are swapped out, 0 to 100. */
  public SpecResources memorySwappiness(long percent) {
    memorySwappiness = percent;
    return this;
  }

  /** Processes that want memory beyond the limit wait instead of being killed. */
  public SpecResources oomKillerDisabled(boolean disabled) {
    oomKillerDisabled = disabled;
    return this;
  }

  /** Memory of groups below counts here too (cgroup v1). */
  public SpecResources memoryHierarchy(boolean wanted) {
    memoryHierarchy = wanted;
    return this;
  }

  /** Bytes of huge pages of a size such as {@code 2MB}. */
  public SpecResources hugepageLimit(String pageSize, long bytes) {
    hugepageLimits.put(pageSize, bytes);
    return this;
  }

  /** A cgroup v2 file and what is written to it, as it stands. */
  public SpecResources unified(String file, String value) {
    unified.put(file, value);
    return this;
  }

  public SpecResources deviceRule(SpecDeviceRule rule) {
    deviceRules.add(rule);
    return this;
  }

  /** Replaces all device rules. */
  public SpecResources deviceRules(List<SpecDeviceRule> rules) {
    List<SpecDeviceRule> copy = List.copyOf(rules);
    deviceRules.clear();
    deviceRules.addAll(copy);
    return this;
  }

  public List<SpecDeviceRule> deviceRules() {
    return List.copyOf(deviceRules);
  }

  boolean limitsMemory() {
    return memoryLimit != null
        || memorySwap != null
        || memoryReservation != null
        || memoryKernel != null
        || memoryKernelTcp != null
        || memorySwappiness != null
        || oomKillerDisabled != null
        || memoryHierarchy != null;
  }

  public @Nullable Long memoryLimit() {
    return memoryLimit;
  }

  public @Nullable Long memorySwap() {
    return memorySwap;
  }

  public @Nullable Long cpuShares() {
    return cpuShares;
  }

  public Map<String, String> unified() {
    return Map.copyOf(unified);
  }
}
