package io.keelson.runtime.nri;

import static io.keelson.runtime.nri.SpecAdjuster.array;
import static io.keelson.runtime.nri.SpecAdjuster.removeIf;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.keelson.proto.nri.v1alpha1.HugepageLimit;
import io.keelson.proto.nri.v1alpha1.LinuxCPU;
import io.keelson.proto.nri.v1alpha1.LinuxDeviceCgroup;
import io.keelson.proto.nri.v1alpha1.LinuxMemory;
import io.keelson.proto.nri.v1alpha1.LinuxResources;

/** Writes resources that plugins want into {@code linux.resources} of a config.json. */
final class ResourceSpec {

  private ResourceSpec() {}

  static void write(LinuxResources wanted, ObjectNode linux) {
    ObjectNode resources = linux.withObjectProperty("resources");
    memory(wanted.getMemory(), resources);
    cpu(wanted.getCpu(), resources);
    for (HugepageLimit limit : wanted.getHugepageLimitsList()) {
      ArrayNode limits = array(resources, "hugepageLimits");
      removeIf(limits, node -> node.path("pageSize").asText().equals(limit.getPageSize()));
      limits
          .addObject()
          .put("pageSize", limit.getPageSize())
          .put("limit", LinuxSpecAdjuster.unsigned(limit.getLimit()));
    }
    if (wanted.hasPids()) {
      resources.withObjectProperty("pids").put("limit", wanted.getPids().getLimit());
    }
    wanted
        .getUnifiedMap()
        .forEach((file, value) -> resources.withObjectProperty("unified").put(file, value));
    for (LinuxDeviceCgroup rule : wanted.getDevicesList()) {
      ObjectNode node = array(resources, "devices").addObject();
      node.put("allow", rule.getAllow());
      if (!rule.getType().isEmpty()) {
        node.put("type", rule.getType());
      }
      if (rule.hasMajor()) {
        node.put("major", rule.getMajor().getValue());
      }
      if (rule.hasMinor()) {
        node.put("minor", rule.getMinor().getValue());
      }
      node.put("access", rule.getAccess());
    }
    if (!wanted.getRdtClass().getValue().isEmpty()) {
      linux.withObjectProperty("intelRdt").put("closID", wanted.getRdtClass().getValue());
    }
  }

  private static void memory(LinuxMemory wanted, ObjectNode resources) {
    if (wanted.equals(LinuxMemory.getDefaultInstance())) {
      return;
    }
    ObjectNode memory = resources.withObjectProperty("memory");
    if (wanted.hasLimit()) {
      memory.put("limit", wanted.getLimit().getValue());
      // No more than before of what a container may swap: none, if nothing else was said.
      if (memory.has("swap") && !wanted.hasSwap()) {
        memory.put("swap", wanted.getLimit().getValue());
      }
    }
    if (wanted.hasSwap()) {
      memory.put("swap", wanted.getSwap().getValue());
    }
    if (wanted.hasReservation()) {
      memory.put("reservation", wanted.getReservation().getValue());
    }
    if (wanted.hasKernel()) {
      memory.put("kernel", wanted.getKernel().getValue());
    }
    if (wanted.hasKernelTcp()) {
      memory.put("kernelTCP", wanted.getKernelTcp().getValue());
    }
    if (wanted.hasSwappiness()) {
      memory.put("swappiness", wanted.getSwappiness().getValue());
    }
    if (wanted.hasDisableOomKiller()) {
      memory.put("disableOOMKiller", wanted.getDisableOomKiller().getValue());
    }
    if (wanted.hasUseHierarchy()) {
      memory.put("useHierarchy", wanted.getUseHierarchy().getValue());
    }
  }

  private static void cpu(LinuxCPU wanted, ObjectNode resources) {
    if (wanted.equals(LinuxCPU.getDefaultInstance())) {
      return;
    }
    ObjectNode cpu = resources.withObjectProperty("cpu");
    if (wanted.hasShares()) {
      cpu.put("shares", wanted.getShares().getValue());
    }
    if (wanted.hasQuota()) {
      cpu.put("quota", wanted.getQuota().getValue());
    }
    if (wanted.hasPeriod()) {
      cpu.put("period", wanted.getPeriod().getValue());
    }
    if (wanted.hasRealtimeRuntime()) {
      cpu.put("realtimeRuntime", wanted.getRealtimeRuntime().getValue());
    }
    if (wanted.hasRealtimePeriod()) {
      cpu.put("realtimePeriod", wanted.getRealtimePeriod().getValue());
    }
    if (!wanted.getCpus().isEmpty()) {
      cpu.put("cpus", wanted.getCpus());
    }
    if (!wanted.getMems().isEmpty()) {
      cpu.put("mems", wanted.getMems());
    }
  }
}
