package io.keelson.runtime.nri;

import static io.keelson.runtime.nri.SpecAdjuster.array;
import static io.keelson.runtime.nri.SpecAdjuster.removeIf;
import static io.keelson.runtime.nri.SpecAdjuster.strings;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.keelson.proto.nri.v1alpha1.LinuxContainerAdjustment;
import io.keelson.proto.nri.v1alpha1.LinuxDevice;
import io.keelson.proto.nri.v1alpha1.LinuxMemoryPolicy;
import io.keelson.proto.nri.v1alpha1.LinuxNamespace;
import io.keelson.proto.nri.v1alpha1.LinuxNetDevice;
import io.keelson.proto.nri.v1alpha1.LinuxRdt;
import io.keelson.proto.nri.v1alpha1.LinuxScheduler;
import io.keelson.proto.nri.v1alpha1.LinuxSeccomp;
import io.keelson.proto.nri.v1alpha1.LinuxSyscall;
import java.math.BigInteger;

/** The part of {@link SpecAdjuster} that only Linux has. */
final class LinuxSpecAdjuster {

  private static final int DEFAULT_FILE_MODE = 0660;

  private final LinuxContainerAdjustment wanted;
  private final int lowestOomScoreAdj;

  LinuxSpecAdjuster(LinuxContainerAdjustment wanted, int lowestOomScoreAdj) {
    this.wanted = wanted;
    this.lowestOomScoreAdj = lowestOomScoreAdj;
  }

  void accept(ObjectNode spec) {
    ObjectNode process = spec.withObjectProperty("process");
    ObjectNode linux = spec.withObjectProperty("linux");
    wanted.getDevicesList().forEach(device -> device(linux, device));
    if (wanted.hasResources()) {
      ResourceSpec.write(wanted.getResources(), linux);
    }
    if (wanted.hasOomScoreAdj()) {
      process.put("oomScoreAdj", Math.max(lowestOomScoreAdj, wanted.getOomScoreAdj().getValue()));
    }
    if (wanted.hasIoPriority()) {
      process
          .putObject("ioPriority")
          .put("class", wanted.getIoPriority().getClass_().name())
          .put("priority", wanted.getIoPriority().getPriority());
    }
    if (wanted.hasSeccompPolicy()) {
      seccomp(linux.putObject("seccomp"), wanted.getSeccompPolicy());
    }
    if (wanted.hasScheduler()) {
      scheduler(process.putObject("scheduler"), wanted.getScheduler());
    }
    if (wanted.hasMemoryPolicy()) {
      memoryPolicy(linux.putObject("memoryPolicy"), wanted.getMemoryPolicy());
    }
    wanted.getNamespacesList().forEach(namespace -> namespace(linux, namespace));
    if (wanted.getSysctlCount() > 0) {
      ObjectNode sysctls = linux.withObjectProperty("sysctl");
      Adjustments.<String>keyed(wanted.getSysctlMap(), _ -> {}, sysctls::remove, sysctls::put);
    }
    if (wanted.getNetDevicesCount() > 0) {
      ObjectNode devices = linux.withObjectProperty("netDevices");
      Adjustments.<LinuxNetDevice>keyed(
          wanted.getNetDevicesMap(),
          _ -> {},
          devices::remove,
          (host, device) -> devices.putObject(host).put("name", device.getName()));
    }
    if (wanted.hasRdt()) {
      rdt(linux, wanted.getRdt());
    }
  }

  private static void device(ObjectNode linux, LinuxDevice device) {
    ArrayNode devices = array(linux, "devices");
    String path = Removal.key(device.getPath());
    removeIf(devices, node -> node.path("path").asText().equals(path));
    if (Removal.isMarked(device.getPath())) {
      return;
    }
    ObjectNode node = devices.addObject();
    node.put("path", path).put("type", device.getType());
    node.put("major", device.getMajor()).put("minor", device.getMinor());
    node.put(
        "fileMode", device.hasFileMode() ? device.getFileMode().getValue() : DEFAULT_FILE_MODE);
    node.put("uid", Integer.toUnsignedLong(device.getUid().getValue()));
    node.put("gid", Integer.toUnsignedLong(device.getGid().getValue()));
    if (!device.getType().equals("p")) {
      ObjectNode rule = array(linux.withObjectProperty("resources"), "devices").addObject();
      rule.put("allow", true).put("type", device.getType());
      rule.put("major", device.getMajor()).put("minor", device.getMinor());
      rule.put("access", "rwm");
    }
  }

  private static void namespace(ObjectNode linux, LinuxNamespace namespace) {
    ArrayNode namespaces = array(linux, "namespaces");
    String type = Removal.key(namespace.getType());
    removeIf(namespaces, node -> node.path("type").asText().equals(type));
    if (!Removal.isMarked(namespace.getType())) {
      ObjectNode node = namespaces.addObject().put("type", type);
      if (!namespace.getPath().isEmpty()) {
        node.put("path", namespace.getPath());
      }
    }
  }

  private static void seccomp(ObjectNode node, LinuxSeccomp policy) {
    node.put("defaultAction", policy.getDefaultAction());
    if (policy.hasDefaultErrno()) {
      node.put("defaultErrnoRet", Integer.toUnsignedLong(policy.getDefaultErrno().getValue()));
    }
    strings(node.putArray("architectures"), policy.getArchitecturesList());
    if (policy.getFlagsCount() > 0) {
      strings(node.putArray("flags"), policy.getFlagsList());
    }
    if (!policy.getListenerPath().isEmpty()) {
      node.put("listenerPath", policy.getListenerPath());
      node.put("listenerMetadata", policy.getListenerMetadata());
    }
    ArrayNode syscalls = node.putArray("syscalls");
    policy.getSyscallsList().forEach(syscall -> syscall(syscalls.addObject(), syscall));
  }

  private static void syscall(ObjectNode node, LinuxSyscall syscall) {
    strings(node.putArray("names"), syscall.getNamesList());
    node.put("action", syscall.getAction());
    if (syscall.hasErrnoRet()) {
      node.put("errnoRet", Integer.toUnsignedLong(syscall.getErrnoRet().getValue()));
    }
    ArrayNode args = node.putArray("args");
    syscall
        .getArgsList()
        .forEach(
            arg ->
                args.addObject()
                    .put("index", arg.getIndex())
                    .put("value", unsigned(arg.getValue()))
                    .put("valueTwo", unsigned(arg.getValueTwo()))
                    .put("op", arg.getOp()));
  }

  private static void scheduler(ObjectNode node, LinuxScheduler scheduler) {
    node.put("policy", scheduler.getPolicy().name());
    node.put("nice", scheduler.getNice()).put("priority", scheduler.getPriority());
    ArrayNode flags = node.putArray("flags");
    scheduler.getFlagsList().forEach(flag -> flags.add(flag.name()));
    node.put("runtime", unsigned(scheduler.getRuntime()));
    node.put("deadline", unsigned(scheduler.getDeadline()));
    node.put("period", unsigned(scheduler.getPeriod()));
  }

  private static void memoryPolicy(ObjectNode node, LinuxMemoryPolicy policy) {
    node.put("mode", policy.getMode().name()).put("nodes", policy.getNodes());
    ArrayNode flags = node.putArray("flags");
    policy.getFlagsList().forEach(flag -> flags.add(flag.name()));
  }

  private static void rdt(ObjectNode linux, LinuxRdt rdt) {
    if (rdt.getRemove()) {
      linux.remove("intelRdt");
    }
    if (rdt.hasClosId()) {
      linux.withObjectProperty("intelRdt").put("closID", rdt.getClosId().getValue());
    }
    if (rdt.hasSchemata()) {
      strings(
          linux.withObjectProperty("intelRdt").putArray("schemata"),
          rdt.getSchemata().getValueList());
    }
    if (rdt.hasEnableMonitoring()) {
      linux
          .withObjectProperty("intelRdt")
          .put("enableMonitoring", rdt.getEnableMonitoring().getValue());
    }
  }

  /** The spec's uint64. */
  static BigInteger unsigned(long value) {
    return new BigInteger(Long.toUnsignedString(value));
  }
}
