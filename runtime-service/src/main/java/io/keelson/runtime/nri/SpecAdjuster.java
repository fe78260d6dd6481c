package io.keelson.runtime.nri;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.keelson.proto.nri.v1alpha1.ContainerAdjustment;
import io.keelson.proto.nri.v1alpha1.Hook;
import io.keelson.proto.nri.v1alpha1.Hooks;
import io.keelson.proto.nri.v1alpha1.KeyValue;
import io.keelson.proto.nri.v1alpha1.Mount;
import io.keelson.proto.nri.v1alpha1.POSIXRlimit;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Predicate;

/**
 * Writes what plugins want of a container into its config.json (OCI runtime spec 1.2). CDI devices
 * and the cgroup are not its business: they are settled before the spec is written.
 */
final class SpecAdjuster implements Consumer<ObjectNode> {

  private final ContainerAdjustment wanted;
  private final int lowestOomScoreAdj;

  /**
   * One that writes {@code wanted}.
   *
   * @param lowestOomScoreAdj the kernel lets the daemon set no less
   */
  SpecAdjuster(ContainerAdjustment wanted, int lowestOomScoreAdj) {
    this.wanted = wanted;
    this.lowestOomScoreAdj = lowestOomScoreAdj;
  }

  @Override
  public void accept(ObjectNode spec) {
    ObjectNode process = spec.withObjectProperty("process");
    annotations(spec);
    env(process);
    if (wanted.getArgsCount() > 0) {
      strings(process.putArray("args"), wanted.getArgsList());
    }
    hooks(spec);
    mounts(spec);
    for (POSIXRlimit limit : wanted.getRlimitsList()) {
      ArrayNode limits = array(process, "rlimits");
      removeIf(limits, node -> node.path("type").asText().equals(limit.getType()));
      limits
          .addObject()
          .put("type", limit.getType())
          .put("hard", LinuxSpecAdjuster.unsigned(limit.getHard()))
          .put("soft", LinuxSpecAdjuster.unsigned(limit.getSoft()));
    }
    if (wanted.hasLinux()) {
      new LinuxSpecAdjuster(wanted.getLinux(), lowestOomScoreAdj).accept(spec);
    }
  }

  private void annotations(ObjectNode spec) {
    if (wanted.getAnnotationsCount() == 0) {
      return;
    }
    ObjectNode annotations = spec.withObjectProperty("annotations");
    Adjustments.<String>keyed(
        wanted.getAnnotationsMap(), _ -> {}, annotations::remove, annotations::put);
  }

  private void env(ObjectNode process) {
    if (wanted.getEnvCount() == 0) {
      return;
    }
    Map<String, String> variables = new LinkedHashMap<>();
    for (JsonNode assignment : process.path("env")) {
      String text = assignment.asText();
      int equals = text.indexOf('=');
      if (equals >= 0) {
        variables.put(text.substring(0, equals), text.substring(equals + 1));
      }
    }
    for (KeyValue variable : wanted.getEnvList()) {
      if (Removal.isMarked(variable.getKey())) {
        variables.remove(Removal.key(variable.getKey()));
      } else {
        variables.put(variable.getKey(), variable.getValue()); // keeps its place
      }
    }
    ArrayNode env = process.putArray("env");
    variables.forEach((name, value) -> env.add(name + "=" + value));
  }

  private void hooks(ObjectNode spec) {
    Hooks hooks = wanted.getHooks();
    hooks(spec, "prestart", hooks.getPrestartList());
    hooks(spec, "createRuntime", hooks.getCreateRuntimeList());
    hooks(spec, "createContainer", hooks.getCreateContainerList());
    hooks(spec, "startContainer", hooks.getStartContainerList());
    hooks(spec, "poststart", hooks.getPoststartList());
    hooks(spec, "poststop", hooks.getPoststopList());
  }

  private static void hooks(ObjectNode spec, String stage, List<Hook> hooks) {
    for (Hook hook : hooks) {
      ObjectNode node = array(spec.withObjectProperty("hooks"), stage).addObject();
      node.put("path", hook.getPath());
      strings(node.putArray("args"), hook.getArgsList());
      strings(node.putArray("env"), hook.getEnvList());
      if (hook.hasTimeout()) {
        node.put("timeout", hook.getTimeout().getValue());
      }
    }
  }

  private void mounts(ObjectNode spec) {
    if (wanted.getMountsCount() == 0) {
      return;
    }
    ArrayNode mounts = array(spec, "mounts");
    for (Mount mount : wanted.getMountsList()) {
      String destination = Removal.key(mount.getDestination());
      removeIf(mounts, node -> node.path("destination").asText().equals(destination));
      if (!Removal.isMarked(mount.getDestination())) {
        ObjectNode node = mounts.addObject();
        node.put("destination", destination);
        node.put("type", mount.getType());
        node.put("source", mount.getSource());
        strings(node.putArray("options"), mount.getOptionsList());
        propagate(spec, mount.getOptionsList());
      }
    }
    List<JsonNode> sorted = new ArrayList<>();
    mounts.forEach(sorted::add);
    // What is mounted below another mount must come after it; the sort keeps the order of the rest.
    sorted.sort(Comparator.comparingInt(node -> depth(node.path("destination").asText())));
    mounts.removeAll().addAll(sorted);
  }

  /** A mount can't be more open than the root file system that it is made below. */
  private static void propagate(ObjectNode spec, List<String> options) {
    ObjectNode linux = spec.withObjectProperty("linux");
    String present = linux.path("rootfsPropagation").asText();
    if (options.contains("rshared") || options.contains("shared")) {
      linux.put("rootfsPropagation", "rshared");
    } else if ((options.contains("rslave") || options.contains("slave"))
        && !present.equals("rshared")) {
      linux.put("rootfsPropagation", "rslave");
    }
  }

  private static int depth(String path) {
    return Path.of(path).normalize().getNameCount();
  }

  static void strings(ArrayNode array, List<String> texts) {
    texts.forEach(array::add);
  }

  /** The array of this name, made if there is none. */
  static ArrayNode array(ObjectNode owner, String name) {
    return owner.withArrayProperty(name);
  }

  static void removeIf(ArrayNode array, Predicate<JsonNode> gone) {
    for (int i = array.size() - 1; i >= 0; i--) {
      if (gone.test(array.get(i))) {
        array.remove(i);
      }
    }
  }
}
