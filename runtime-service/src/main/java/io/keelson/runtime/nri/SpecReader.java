package io.keelson.runtime.nri;

import com.fasterxml.jackson.databind.JsonNode;
import io.keelson.proto.nri.v1alpha1.Container;
import io.keelson.proto.nri.v1alpha1.Hook;
import io.keelson.proto.nri.v1alpha1.Hooks;
import io.keelson.proto.nri.v1alpha1.HugepageLimit;
import io.keelson.proto.nri.v1alpha1.IOPrioClass;
import io.keelson.proto.nri.v1alpha1.LinuxCPU;
import io.keelson.proto.nri.v1alpha1.LinuxContainer;
import io.keelson.proto.nri.v1alpha1.LinuxDevice;
import io.keelson.proto.nri.v1alpha1.LinuxDeviceCgroup;
import io.keelson.proto.nri.v1alpha1.LinuxIOPriority;
import io.keelson.proto.nri.v1alpha1.LinuxMemory;
import io.keelson.proto.nri.v1alpha1.LinuxNamespace;
import io.keelson.proto.nri.v1alpha1.LinuxNetDevice;
import io.keelson.proto.nri.v1alpha1.LinuxPids;
import io.keelson.proto.nri.v1alpha1.LinuxResources;
import io.keelson.proto.nri.v1alpha1.Mount;
import io.keelson.proto.nri.v1alpha1.OptionalBool;
import io.keelson.proto.nri.v1alpha1.OptionalFileMode;
import io.keelson.proto.nri.v1alpha1.OptionalInt;
import io.keelson.proto.nri.v1alpha1.OptionalUInt32;
import io.keelson.proto.nri.v1alpha1.POSIXRlimit;
import io.keelson.proto.nri.v1alpha1.User;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.LongConsumer;

/** What plugins are told of a container's config.json (OCI runtime spec 1.2). */
final class SpecReader {

  private SpecReader() {}

  /** Fills in all that the spec says. */
  static void read(JsonNode spec, Container.Builder container) {
    JsonNode process = spec.path("process");
    container.addAllArgs(texts(process.path("args"))).addAllEnv(texts(process.path("env")));
    for (JsonNode limit : process.path("rlimits")) {
      container.addRlimits(
          POSIXRlimit.newBuilder()
              .setType(limit.path("type").asText())
              .setHard(unsigned(limit.path("hard")))
              .setSoft(unsigned(limit.path("soft"))));
    }
    User.Builder user =
        User.newBuilder()
            .setUid((int) process.path("user").path("uid").asLong())
            .setGid((int) process.path("user").path("gid").asLong());
    process
        .path("user")
        .path("additionalGids")
        .forEach(gid -> user.addAdditionalGids((int) gid.asLong()));
    container.setUser(user);
    for (JsonNode mount : spec.path("mounts")) {
      container.addMounts(
          Mount.newBuilder()
              .setDestination(mount.path("destination").asText())
              .setType(mount.path("type").asText())
              .setSource(mount.path("source").asText())
              .addAllOptions(texts(mount.path("options"))));
    }
    spec.path("annotations")
        .properties()
        .forEach(entry -> container.putAnnotations(entry.getKey(), entry.getValue().asText()));
    container.setHooks(hooks(spec.path("hooks"))).setLinux(linux(spec, process));
  }

  private static LinuxContainer linux(JsonNode spec, JsonNode process) {
    JsonNode node = spec.path("linux");
    LinuxContainer.Builder linux =
        LinuxContainer.newBuilder()
            .setCgroupsPath(node.path("cgroupsPath").asText())
            .setResources(resources(node.path("resources")));
    for (JsonNode namespace : node.path("namespaces")) {
      linux.addNamespaces(
          LinuxNamespace.newBuilder()
              .setType(namespace.path("type").asText())
              .setPath(namespace.path("path").asText()));
    }
    node.path("devices").forEach(device -> linux.addDevices(device(device)));
    number(
        process.path("oomScoreAdj"),
        score -> linux.setOomScoreAdj(OptionalInt.newBuilder().setValue(score)));
    node.path("sysctl")
        .properties()
        .forEach(entry -> linux.putSysctl(entry.getKey(), entry.getValue().asText()));
    node.path("netDevices")
        .properties()
        .forEach(
            entry ->
                linux.putNetDevices(
                    entry.getKey(),
                    LinuxNetDevice.newBuilder()
                        .setName(entry.getValue().path("name").asText())
                        .build()));
    JsonNode priority = process.path("ioPriority");
    if (priority.isObject()) {
      linux.setIoPriority(
          LinuxIOPriority.newBuilder()
              .setClass_(IOPrioClass.valueOf(priority.path("class").asText("IOPRIO_CLASS_NONE")))
              .setPriority(priority.path("priority").asInt()));
    }
    return linux.build();
  }

  private static LinuxDevice device(JsonNode node) {
    LinuxDevice.Builder device =
        LinuxDevice.newBuilder()
            .setPath(node.path("path").asText())
            .setType(node.path("type").asText())
            .setMajor(node.path("major").asLong())
            .setMinor(node.path("minor").asLong());
    number(
        node.path("fileMode"),
        mode -> device.setFileMode(OptionalFileMode.newBuilder().setValue((int) mode)));
    number(node.path("uid"), uid -> device.setUid(OptionalUInt32.newBuilder().setValue((int) uid)));
    number(node.path("gid"), gid -> device.setGid(OptionalUInt32.newBuilder().setValue((int) gid)));
    return device.build();
  }

  /** The {@code linux.resources} object. */
  static LinuxResources resources(JsonNode node) {
    LinuxResources.Builder resources =
        LinuxResources.newBuilder()
            .setMemory(memory(node.path("memory")))
            .setCpu(cpu(node.path("cpu")));
    for (JsonNode limit : node.path("hugepageLimits")) {
      resources.addHugepageLimits(
          HugepageLimit.newBuilder()
              .setPageSize(limit.path("pageSize").asText())
              .setLimit(unsigned(limit.path("limit"))));
    }
    number(
        node.path("pids").path("limit"),
        limit -> resources.setPids(LinuxPids.newBuilder().setLimit(limit)));
    node.path("unified")
        .properties()
        .forEach(entry -> resources.putUnified(entry.getKey(), entry.getValue().asText()));
    for (JsonNode rule : node.path("devices")) {
      LinuxDeviceCgroup.Builder device =
          LinuxDeviceCgroup.newBuilder()
              .setAllow(rule.path("allow").asBoolean())
              .setType(rule.path("type").asText())
              .setAccess(rule.path("access").asText());
      number(rule.path("major"), major -> device.setMajor(Resources.of(major)));
      number(rule.path("minor"), minor -> device.setMinor(Resources.of(minor)));
      resources.addDevices(device);
    }
    return resources.build();
  }

  private static LinuxMemory memory(JsonNode node) {
    LinuxMemory.Builder memory = LinuxMemory.newBuilder();
    number(node.path("limit"), value -> memory.setLimit(Resources.of(value)));
    number(node.path("reservation"), value -> memory.setReservation(Resources.of(value)));
    number(node.path("swap"), value -> memory.setSwap(Resources.of(value)));
    number(node.path("kernel"), value -> memory.setKernel(Resources.of(value)));
    number(node.path("kernelTCP"), value -> memory.setKernelTcp(Resources.of(value)));
    number(node.path("swappiness"), value -> memory.setSwappiness(Resources.unsigned(value)));
    flag(node.path("disableOOMKiller"), memory::setDisableOomKiller);
    flag(node.path("useHierarchy"), memory::setUseHierarchy);
    return memory.build();
  }

  private static LinuxCPU cpu(JsonNode node) {
    LinuxCPU.Builder cpu =
        LinuxCPU.newBuilder()
            .setCpus(node.path("cpus").asText())
            .setMems(node.path("mems").asText());
    number(node.path("shares"), value -> cpu.setShares(Resources.unsigned(value)));
    number(node.path("quota"), value -> cpu.setQuota(Resources.of(value)));
    number(node.path("period"), value -> cpu.setPeriod(Resources.unsigned(value)));
    number(node.path("realtimeRuntime"), value -> cpu.setRealtimeRuntime(Resources.of(value)));
    number(node.path("realtimePeriod"), value -> cpu.setRealtimePeriod(Resources.unsigned(value)));
    return cpu.build();
  }

  private static Hooks hooks(JsonNode node) {
    return Hooks.newBuilder()
        .addAllPrestart(hookList(node.path("prestart")))
        .addAllCreateRuntime(hookList(node.path("createRuntime")))
        .addAllCreateContainer(hookList(node.path("createContainer")))
        .addAllStartContainer(hookList(node.path("startContainer")))
        .addAllPoststart(hookList(node.path("poststart")))
        .addAllPoststop(hookList(node.path("poststop")))
        .build();
  }

  private static List<Hook> hookList(JsonNode nodes) {
    List<Hook> hooks = new ArrayList<>();
    for (JsonNode node : nodes) {
      Hook.Builder hook =
          Hook.newBuilder()
              .setPath(node.path("path").asText())
              .addAllArgs(texts(node.path("args")))
              .addAllEnv(texts(node.path("env")));
      number(
          node.path("timeout"),
          seconds -> hook.setTimeout(OptionalInt.newBuilder().setValue(seconds)));
      hooks.add(hook.build());
    }
    return hooks;
  }

  private static List<String> texts(JsonNode nodes) {
    List<String> texts = new ArrayList<>();
    nodes.forEach(node -> texts.add(node.asText()));
    return texts;
  }

  private static void number(JsonNode node, LongConsumer use) {
    if (node.isNumber()) {
      use.accept(node.asLong());
    }
  }

  private static void flag(JsonNode node, Consumer<OptionalBool> use) {
    if (node.isBoolean()) {
      use.accept(OptionalBool.newBuilder().setValue(node.asBoolean()).build());
    }
  }

  /** The spec's uint64: its largest value is -1 in Java. */
  private static long unsigned(JsonNode node) {
    return node.isNumber() ? node.bigIntegerValue().longValue() : 0;
  }
}
