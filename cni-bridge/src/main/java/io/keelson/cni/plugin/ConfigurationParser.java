package io.keelson.cni.plugin;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Reads network configurations (CNI spec 1.1, section 1). Every error is an {@link IOException}
 * whose message goes on where the file's name ended.
 */
final class ConfigurationParser {

  private static final Pattern NAME = Pattern.compile("[a-zA-Z0-9][a-zA-Z0-9_.-]*");

  private ConfigurationParser() {}

  /**
   * A configuration list as far as its own file goes.
   *
   * @param plugins those inlined; may be empty unless {@code onlyInlined}
   * @param onlyInlined plugins from the folder with the network's name are not wanted
   */
  record ParsedList(
      ObjectNode json, String name, List<PluginConfiguration> plugins, boolean onlyInlined) {

    /** The network with plugins from elsewhere appended. */
    NetworkConfiguration with(List<PluginConfiguration> more) throws IOException {
      List<PluginConfiguration> all = new ArrayList<>(plugins);
      all.addAll(more);
      if (all.isEmpty()) {
        throw new IOException("has no plugins");
      }
      return new NetworkConfiguration(
          name, versions(json), flag(json, "disableCheck"), flag(json, "disableGC"), all);
    }
  }

  static ParsedList parseList(ObjectNode json) throws IOException {
    String name = name(json);
    versions(json);
    boolean onlyInlined = flag(json, "loadOnlyInlinedPlugins");
    JsonNode list = json.get("plugins");
    List<PluginConfiguration> plugins = new ArrayList<>();
    if (list != null) {
      if (!list.isArray() || list.isEmpty()) {
        throw new IOException("has a \"plugins\" that is no list with at least one plugin");
      }
      for (JsonNode plugin : list) {
        if (!(plugin instanceof ObjectNode object)) {
          throw new IOException("has an entry in \"plugins\" that is no object");
        }
        plugins.add(parsePlugin(object));
      }
    } else if (onlyInlined) {
      throw new IOException("has \"loadOnlyInlinedPlugins\" but no \"plugins\"");
    }
    return new ParsedList(json, name, plugins, onlyInlined);
  }

  /** The old format with a single plugin, run as a list of one. */
  static NetworkConfiguration parseSingle(ObjectNode json) throws IOException {
    if (!json.has("type") && json.has("plugins")) {
      throw new IOException("has \"plugins\": rename it to *.conflist");
    }
    PluginConfiguration plugin = parsePlugin(json);
    return new NetworkConfiguration(name(json), versions(json), false, false, List.of(plugin));
  }

  static PluginConfiguration parsePlugin(ObjectNode json) throws IOException {
    String type = text(json, "type");
    if (type.isEmpty()) {
      throw new IOException("has a plugin without a \"type\"");
    }
    if (type.indexOf('/') >= 0
        || type.indexOf('\0') >= 0
        || type.equals(".")
        || type.equals("..")) {
      throw new IOException("has a plugin whose type is no file name: \"" + type + "\"");
    }
    List<String> capabilities = new ArrayList<>();
    JsonNode declared = json.path("capabilities");
    if (!declared.isMissingNode() && !declared.isNull() && !declared.isObject()) {
      throw new IOException("has \"capabilities\" of plugin " + type + " that are no object");
    }
    declared
        .properties()
        .forEach(
            entry -> {
              if (entry.getValue().asBoolean()) {
                capabilities.add(entry.getKey());
              }
            });
    return new PluginConfiguration(type, json, capabilities);
  }

  private static String name(ObjectNode json) throws IOException {
    String name = text(json, "name");
    if (name.isEmpty()) {
      throw new IOException("has no \"name\"");
    }
    if (!NAME.matcher(name).matches()) {
      throw new IOException(
          "has the name \"" + name + "\"; letters, digits, '_', '.' and '-' are allowed");
    }
    return name;
  }

  private static List<CniVersion> versions(ObjectNode json) throws IOException {
    List<String> wanted = new ArrayList<>();
    String one = text(json, "cniVersion");
    if (!one.isEmpty()) {
      wanted.add(one);
    }
    JsonNode several = json.path("cniVersions");
    if (!several.isMissingNode() && !several.isArray()) {
      throw new IOException("has \"cniVersions\" that are no list");
    }
    for (JsonNode version : several) {
      if (!version.isTextual()) {
        throw new IOException("has an entry in \"cniVersions\" that is no string");
      }
      wanted.add(version.textValue());
    }
    if (wanted.isEmpty()) {
      throw new IOException("has no \"cniVersion\"; supported are " + CniVersion.all());
    }
    List<CniVersion> known = wanted.stream().map(CniVersion::of).flatMap(Optional::stream).toList();
    if (known.isEmpty()) {
      throw new IOException(
          "wants CNI " + String.join(", ", wanted) + "; supported are " + CniVersion.all());
    }
    return known;
  }

  private static String text(ObjectNode json, String key) throws IOException {
    JsonNode value = json.path(key);
    if (value.isMissingNode() || value.isNull()) {
      return "";
    }
    if (!value.isTextual()) {
      throw new IOException("has a \"" + key + "\" that is no string");
    }
    return value.textValue();
  }

  /** The reference implementation takes the words {@code "true"} and {@code "false"} too. */
  private static boolean flag(ObjectNode json, String key) throws IOException {
    JsonNode value = json.path(key);
    if (value.isMissingNode()) {
      return false;
    }
    return switch (value.asText().toLowerCase(Locale.ROOT)) {
      case "true" -> true;
      case "false" -> false;
      default -> throw new IOException("has a \"" + key + "\" that is neither true nor false");
    };
  }
}
