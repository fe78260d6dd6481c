package io.keelson.cni.plugin;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/**
 * A network: the plugins that are called one after the other for each pod (CNI spec 1.1, section
 * 1).
 *
 * @param name unique on the host
 * @param versions of the spec that it may be run with, oldest first, never empty
 * @param plugins in the order of ADD, never empty
 */
record NetworkConfiguration(
    String name,
    List<CniVersion> versions,
    boolean disableCheck,
    boolean disableGc,
    List<PluginConfiguration> plugins) {

  NetworkConfiguration {
    versions = versions.stream().distinct().sorted().toList();
    plugins = List.copyOf(plugins);
    if (versions.isEmpty() || plugins.isEmpty()) {
      throw new IllegalArgumentException("network " + name + " without a version or a plugin");
    }
  }

  /** The version that all calls use: the newest. */
  CniVersion version() {
    return versions.getLast();
  }

  /** The same network run only with versions out of {@code supported}, if one is left. */
  Optional<NetworkConfiguration> restrictedTo(Collection<CniVersion> supported) {
    List<CniVersion> left = versions.stream().filter(supported::contains).toList();
    return left.isEmpty()
        ? Optional.empty()
        : Optional.of(new NetworkConfiguration(name, left, disableCheck, disableGc, plugins));
  }

  /**
   * A configuration list that {@link ConfigurationParser} reads back as this network at this
   * version.
   */
  ObjectNode toJson() {
    ObjectNode json = Json.object();
    json.put("cniVersion", version().text());
    json.put("name", name);
    json.put("disableCheck", disableCheck);
    json.put("disableGC", disableGc);
    json.put("loadOnlyInlinedPlugins", true);
    ArrayNode list = json.putArray("plugins");
    plugins.forEach(plugin -> list.add(plugin.json()));
    return json;
  }
}
