package io.keelson.sandbox.spec;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.keelson.linux.NamespaceType;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Writes a {@link SpecBuilder} as JSON, in one pass and with no tree in between. */
final class SpecWriter {

  private static final JsonFactory JSON = new JsonFactory();
  private static final String VERSION = "1.0.2";
  private static final int TYPICAL_SIZE = 32 * 1024;

  private final JsonGenerator out;

  private SpecWriter(JsonGenerator out) {
    this.out = out;
  }

  static byte[] spec(SpecBuilder spec) {
    return write(writer -> writer.writeSpec(spec));
  }

  static byte[] process(SpecBuilder spec) {
    return write(writer -> writer.writeProcess(spec));
  }

  static byte[] resources(SpecResources resources) {
    return write(writer -> writer.writeResources(resources));
  }

  private interface Body {
    void write(SpecWriter writer) throws IOException;
  }

  private static byte[] write(Body body) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(TYPICAL_SIZE);
    try (JsonGenerator generator = JSON.createGenerator(bytes)) {
      body.write(new SpecWriter(generator));
    } catch (IOException e) {
      throw new UncheckedIOException("writing to memory", e);
    }
    return bytes.toByteArray();
  }

  private void writeSpec(SpecBuilder spec) throws IOException {
    out.writeStartObject();
    out.writeStringField("ociVersion", VERSION);
    out.writeFieldName("process");
    writeProcess(spec);
    Path root = spec.root;
    if (root != null) {
      out.writeObjectFieldStart("root");
      out.writeStringField("path", root.toString());
      if (spec.readonlyRoot) {
        out.writeBooleanField("readonly", true);
      }
      out.writeEndObject();
    }
    optional("hostname", spec.hostname);
    writeMounts(spec.mounts);
    writeHooks(spec.hooks);
    stringMap("annotations", spec.annotations);
    out.writeFieldName("linux");
    writeLinux(spec);
    out.writeEndObject();
  }

  private void writeProcess(SpecBuilder spec) throws IOException {
    out.writeStartObject();
    out.writeBooleanField("terminal", spec.terminal);
    out.writeObjectFieldStart("user");
    out.writeNumberField("uid", spec.user.uid());
    out.writeNumberField("gid", spec.user.gid());
    if (!spec.user.additionalGids().isEmpty()) {
      out.writeArrayFieldStart("additionalGids");
      for (long gid : spec.user.additionalGids()) {
        out.writeNumber(gid);
      }
      out.writeEndArray();
    }
    out.writeEndObject();
    strings("args", spec.args);
    out.writeArrayFieldStart("env");
    for (Map.Entry<String, String> variable : spec.env.entrySet()) {
      out.writeString(variable.getKey() + '=' + variable.getValue());
    }
    out.writeEndArray();
    out.writeStringField("cwd", spec.cwd);
    out.writeObjectFieldStart("capabilities");
    strings("bounding", spec.capabilities.bounding());
    strings("effective", spec.capabilities.effective());
    strings("permitted", spec.capabilities.permitted());
    strings("inheritable", spec.capabilities.inheritable());
    strings("ambient", spec.capabilities.ambient());
    out.writeEndObject();
    if (!spec.rlimits.isEmpty()) {
      out.writeArrayFieldStart("rlimits");
      for (SpecRlimit limit : spec.rlimits.values()) {
        out.writeStartObject();
        out.writeStringField("type", limit.type());
        unsigned("hard", limit.hard());
        unsigned("soft", limit.soft());
        out.writeEndObject();
      }
      out.writeEndArray();
    }
    out.writeBooleanField("noNewPrivileges", spec.noNewPrivileges);
    Integer oomScoreAdj = spec.oomScoreAdj;
    if (oomScoreAdj != null) {
      out.writeNumberField("oomScoreAdj", oomScoreAdj);
    }
    optional("apparmorProfile", spec.apparmorProfile);
    optional("selinuxLabel", spec.selinuxLabel);
    out.writeEndObject();
  }

  private void writeMounts(List<SpecMount> mounts) throws IOException {
    out.writeArrayFieldStart("mounts");
    for (SpecMount mount : mounts) {
      out.writeStartObject();
      out.writeStringField("destination", mount.destination());
      out.writeStringField("type", mount.type());
      out.writeStringField("source", mount.source());
      strings("options", mount.options());
      out.writeEndObject();
    }
    out.writeEndArray();
  }

  private void writeHooks(Map<SpecHook.Stage, List<SpecHook>> hooks) throws IOException {
    if (hooks.isEmpty()) {
      return;
    }
    out.writeObjectFieldStart("hooks");
    for (Map.Entry<SpecHook.Stage, List<SpecHook>> stage : hooks.entrySet()) {
      out.writeArrayFieldStart(stage.getKey().key());
      for (SpecHook hook : stage.getValue()) {
        out.writeStartObject();
        out.writeStringField("path", hook.path());
        strings("args", hook.args());
        strings("env", hook.env());
        Integer timeout = hook.timeoutSeconds();
        if (timeout != null) {
          out.writeNumberField("timeout", timeout);
        }
        out.writeEndObject();
      }
      out.writeEndArray();
    }
    out.writeEndObject();
  }

  private void writeLinux(SpecBuilder spec) throws IOException {
    out.writeStartObject();
    out.writeArrayFieldStart("namespaces");
    for (Map.Entry<NamespaceType, Optional<Path>> namespace : spec.namespaces.entrySet()) {
      out.writeStartObject();
      out.writeStringField("type", namespaceName(namespace.getKey()));
      if (namespace.getValue().isPresent()) {
        out.writeStringField("path", namespace.getValue().get().toString());
      }
      out.writeEndObject();
    }
    out.writeEndArray();
    idMappings("uidMappings", spec.uidMappings);
    idMappings("gidMappings", spec.gidMappings);
    optional("cgroupsPath", spec.cgroupsPath);
    optional("rootfsPropagation", spec.rootfsPropagation);
    optional("mountLabel", spec.mountLabel);
    strings("maskedPaths", spec.maskedPaths);
    strings("readonlyPaths", spec.readonlyPaths);
    stringMap("sysctl", spec.sysctls);
    writeDevices(spec.devices.values());
    out.writeFieldName("resources");
    writeResources(spec.limits);
    String seccomp = spec.seccomp;
    if (seccomp != null) {
      out.writeFieldName("seccomp");
      out.writeRawValue(seccomp);
    }
    out.writeEndObject();
  }

  static String namespaceName(NamespaceType type) {
    return switch (type) {
      case NET -> "network";
      case IPC -> "ipc";
      case UTS -> "uts";
      case PID -> "pid";
      case USER -> "user";
      case MOUNT -> "mount";
      case CGROUP -> "cgroup";
    };
  }

  private void idMappings(String name, List<SpecIdMapping> mappings) throws IOException {
    if (mappings.isEmpty()) {
      return;
    }
    out.writeArrayFieldStart(name);
    for (SpecIdMapping mapping : mappings) {
      out.writeStartObject();
      out.writeNumberField("containerID", mapping.containerId());
      out.writeNumberField("hostID", mapping.hostId());
      out.writeNumberField("size", mapping.size());
      out.writeEndObject();
    }
    out.writeEndArray();
  }

  private void writeDevices(Collection<SpecDevice> devices) throws IOException {
    if (devices.isEmpty()) {
      return;
    }
    out.writeArrayFieldStart("devices");
    for (SpecDevice device : devices) {
      out.writeStartObject();
      out.writeStringField("path", device.path());
      out.writeStringField("type", device.kind().letter());
      out.writeNumberField("major", device.major());
      out.writeNumberField("minor", device.minor());
      out.writeNumberField("fileMode", device.fileMode());
      out.writeNumberField("uid", device.uid());
      out.writeNumberField("gid", device.gid());
      out.writeEndObject();
    }
    out.writeEndArray();
  }

  private void writeResources(SpecResources resources) throws IOException {
    out.writeStartObject();
    if (!resources.deviceRules.isEmpty()) {
      out.writeArrayFieldStart("devices");
      for (SpecDeviceRule rule : resources.deviceRules) {
        out.writeStartObject();
        out.writeBooleanField("allow", rule.allow());
        if (rule.kind() != SpecDevice.Kind.ALL) {
          out.writeStringField("type", rule.kind().letter());
        }
        optional("major", rule.major());
        optional("minor", rule.minor());
        out.writeStringField("access", rule.access());
        out.writeEndObject();
      }
      out.writeEndArray();
    }
    if (resources.limitsMemory()) {
      writeMemory(resources);
    }
    writeCpu(resources);
    Long pids = resources.pidsLimit;
    if (pids != null) {
      out.writeObjectFieldStart("pids");
      out.writeNumberField("limit", pids);
      out.writeEndObject();
    }
    if (!resources.hugepageLimits.isEmpty()) {
      out.writeArrayFieldStart("hugepageLimits");
      for (Map.Entry<String, Long> limit : resources.hugepageLimits.entrySet()) {
        out.writeStartObject();
        out.writeStringField("pageSize", limit.getKey());
        unsigned("limit", limit.getValue());
        out.writeEndObject();
      }
      out.writeEndArray();
    }
    stringMap("unified", resources.unified);
    out.writeEndObject();
  }

  private void writeMemory(SpecResources resources) throws IOException {
    out.writeObjectFieldStart("memory");
    optional("limit", resources.memoryLimit);
    optional("reservation", resources.memoryReservation);
    optional("swap", resources.memorySwap);
    optional("kernel", resources.memoryKernel);
    optional("kernelTCP", resources.memoryKernelTcp);
    optional("swappiness", resources.memorySwappiness);
    optional("disableOOMKiller", resources.oomKillerDisabled);
    optional("useHierarchy", resources.memoryHierarchy);
    out.writeEndObject();
  }

  private void writeCpu(SpecResources resources) throws IOException {
    out.writeObjectFieldStart("cpu");
    optional("shares", resources.cpuShares);
    optional("quota", resources.cpuQuota);
    optional("period", resources.cpuPeriod);
    optional("cpus", resources.cpusetCpus);
    optional("mems", resources.cpusetMems);
    optional("realtimeRuntime", resources.cpuRealtimeRuntime);
    optional("realtimePeriod", resources.cpuRealtimePeriod);
    out.writeEndObject();
  }

  private void strings(String name, Collection<String> values) throws IOException {
    out.writeArrayFieldStart(name);
    for (String value : values) {
      out.writeString(value);
    }
    out.writeEndArray();
  }

  private void stringMap(String name, Map<String, String> values) throws IOException {
    if (values.isEmpty()) {
      return;
    }
    out.writeObjectFieldStart(name);
    for (Map.Entry<String, String> value : values.entrySet()) {
      out.writeStringField(value.getKey(), value.getValue());
    }
    out.writeEndObject();
  }

  private void optional(String name, @Nullable String value) throws IOException {
    if (value != null) {
      out.writeStringField(name, value);
    }
  }

  private void optional(String name, @Nullable Long value) throws IOException {
    if (value != null) {
      out.writeNumberField(name, value);
    }
  }

  private void optional(String name, @Nullable Boolean value) throws IOException {
    if (value != null) {
      out.writeBooleanField(name, value);
    }
  }

  /** The spec's uint64: -1 in Java is the largest value there. */
  private void unsigned(String name, long value) throws IOException {
    out.writeFieldName(name);
    out.writeNumber(Long.toUnsignedString(value));
  }
}
