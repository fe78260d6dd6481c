package io.keelson.sandbox.isolator;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.isolator.HostFeatures.KernelVersion;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A seccomp profile as it lies in a file: the {@code linux.seccomp} object of the OCI runtime spec,
 * or the same with conditions, as Docker's and Podman's profiles have them ({@code archMap}, {@code
 * includes} and {@code excludes} by capability, machine and kernel version). What holds for one set
 * of capabilities is written once and kept. Safe for use by many threads.
 */
final class SeccompProfile {

  private static final ObjectMapper JSON = new ObjectMapper();

  /** Few sets occur; the limit only keeps odd callers from filling the memory. */
  private static final int MAX_KEPT = 64;

  /** What is copied as it stands, apart from architectures and syscalls. */
  private static final List<String> PLAIN_KEYS =
      List.of(
          "defaultAction",
          "defaultErrnoRet",
          "defaultErrno",
          "flags",
          "listenerPath",
          "listenerMetadata");

  private static final Map<String, String> ARCHITECTURES =
      Map.of(
          "amd64", "SCMP_ARCH_X86_64",
          "aarch64", "SCMP_ARCH_AARCH64",
          "ppc64le", "SCMP_ARCH_PPC64LE",
          "s390x", "SCMP_ARCH_S390X",
          "riscv64", "SCMP_ARCH_RISCV64");

  /** Docker's name of a machine, where the JVM has another. */
  private static final Map<String, String> DOCKER_MACHINES = Map.of("aarch64", "arm64");

  private final JsonNode profile;
  private final KernelVersion kernel;
  private final String machine;
  private final Set<String> conditionalCapabilities;
  private final Map<Set<String>, String> written = new ConcurrentHashMap<>();

  private SeccompProfile(JsonNode profile, KernelVersion kernel, String machine) {
    this.profile = profile;
    this.kernel = kernel;
    this.machine = machine;
    this.conditionalCapabilities = new HashSet<>();
    for (JsonNode rule : profile.path("syscalls")) {
      rule.path("includes").path("caps").forEach(c -> conditionalCapabilities.add(c.asText()));
      rule.path("excludes").path("caps").forEach(c -> conditionalCapabilities.add(c.asText()));
    }
  }

  /**
   * Reads a profile.
   *
   * @param name for messages
   */
  static SeccompProfile parse(String name, byte[] json, HostFeatures host) {
    JsonNode profile;
    try {
      profile = JSON.readTree(json);
    } catch (IOException e) {
      throw new InvalidRequestException(
          "seccomp profile %s is no JSON: %s".formatted(name, e.getMessage()), e);
    }
    if (!profile.path("defaultAction").asText().startsWith("SCMP_ACT_")) {
      throw new InvalidRequestException("seccomp profile %s has no defaultAction".formatted(name));
    }
    return new SeccompProfile(profile, host.kernel(), host.machine());
  }

  /**
   * The {@code linux.seccomp} object for a process that has these capabilities in its bounding set.
   */
  String forCapabilities(Collection<String> capabilities) {
    Set<String> relevant = new HashSet<>(capabilities);
    relevant.retainAll(conditionalCapabilities);
    String known = written.get(relevant);
    if (known != null) {
      return known;
    }
    String fresh = write(relevant);
    if (written.size() < MAX_KEPT) {
      written.putIfAbsent(Set.copyOf(relevant), fresh);
    }
    return fresh;
  }

  private String write(Set<String> capabilities) {
    StringWriter text = new StringWriter(16 * 1024);
    try (JsonGenerator out = JSON.getFactory().createGenerator(text)) {
      out.setCodec(JSON);
      out.writeStartObject();
      for (String key : PLAIN_KEYS) {
        copy(profile, key, out);
      }
      out.writeFieldName("architectures");
      out.writeStartArray();
      for (String architecture : architectures()) {
        out.writeString(architecture);
      }
      out.writeEndArray();
      out.writeFieldName("syscalls");
      out.writeStartArray();
      for (JsonNode rule : profile.path("syscalls")) {
        if (applies(rule, capabilities)) {
          writeRule(rule, out);
        }
      }
      out.writeEndArray();
      out.writeEndObject();
    } catch (IOException e) {
      throw new UncheckedIOException("writing to memory", e);
    }
    return text.toString();
  }

  private static void writeRule(JsonNode rule, JsonGenerator out) throws IOException {
    out.writeStartObject();
    out.writeFieldName("names");
    out.writeStartArray();
    // Profiles of the first format have one name a rule.
    if (rule.hasNonNull("name")) {
      out.writeString(rule.get("name").asText());
    }
    for (JsonNode name : rule.path("names")) {
      out.writeString(name.asText());
    }
    out.writeEndArray();
    copy(rule, "action", out);
    copy(rule, "errnoRet", out);
    if (!rule.path("args").isEmpty()) {
      copy(rule, "args", out);
    }
    out.writeEndObject();
  }

  private static void copy(JsonNode from, String key, JsonGenerator out) throws IOException {
    if (from.hasNonNull(key)) {
      out.writeFieldName(key);
      out.writeTree(from.get(key));
    }
  }

  private List<String> architectures() {
    List<String> found = new ArrayList<>();
    profile.path("architectures").forEach(architecture -> found.add(architecture.asText()));
    String own = ARCHITECTURES.getOrDefault(machine, "");
    for (JsonNode entry : profile.path("archMap")) {
      if (entry.path("architecture").asText().equals(own)) {
        found.add(own);
        entry.path("subArchitectures").forEach(sub -> found.add(sub.asText()));
      }
    }
    return found;
  }

  private boolean applies(JsonNode rule, Set<String> capabilities) {
    JsonNode includes = rule.path("includes");
    JsonNode excludes = rule.path("excludes");
    for (JsonNode capability : includes.path("caps")) {
      if (!capabilities.contains(capability.asText())) {
        return false;
      }
    }
    for (JsonNode capability : excludes.path("caps")) {
      if (capabilities.contains(capability.asText())) {
        return false;
      }
    }
    return (includes.path("arches").isEmpty() || hasMachine(includes.path("arches")))
        && !hasMachine(excludes.path("arches"))
        && hasKernel(includes.path("minKernel").asText(""));
  }

  private boolean hasMachine(JsonNode machines) {
    String dockers = DOCKER_MACHINES.getOrDefault(machine, machine);
    for (JsonNode candidate : machines) {
      if (candidate.asText().equals(dockers)) {
        return true;
      }
    }
    return false;
  }

  private boolean hasKernel(String minimum) {
    if (minimum.isEmpty()) {
      return true;
    }
    KernelVersion wanted = KernelVersion.parse(minimum);
    return kernel.atLeast(wanted.major(), wanted.minor());
  }
}
