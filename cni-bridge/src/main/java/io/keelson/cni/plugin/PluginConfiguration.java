package io.keelson.cni.plugin;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;

/**
 * One plugin of a network (CNI spec 1.1, section 1, "Plugin configuration objects").
 *
 * @param type the file name of its program
 * @param json as the administrator wrote it; never changed
 * @param capabilities the names that it declares with {@code true}
 */
record PluginConfiguration(String type, ObjectNode json, List<String> capabilities) {

  PluginConfiguration {
    capabilities = List.copyOf(capabilities);
  }

  /**
   * The configuration that a call carries on standard input, before anything that belongs to one
   * attachment (section 3, "Deriving request configuration"). The caller owns the copy.
   */
  ObjectNode request(String network, CniVersion version) {
    ObjectNode request = json.deepCopy();
    List<String> reserved = new ArrayList<>(List.of("capabilities", "prevResult"));
    request
        .fieldNames()
        .forEachRemaining(
            key -> {
              if (key.startsWith("cni.dev/")) {
                reserved.add(key);
              }
            });
    request.remove(reserved);
    request.put("name", network);
    request.put("cniVersion", version.text());
    return request;
  }

  /**
   * The same for a call about one attachment: with the capability arguments that this plugin
   * declares.
   */
  ObjectNode request(String network, CniVersion version, AttachmentParameters attachment) {
    ObjectNode request = request(network, version);
    ObjectNode runtimeConfig = Json.object();
    for (String capability : capabilities) {
      var value = attachment.capabilityArguments().get(capability);
      if (value != null) {
        runtimeConfig.set(capability, value);
      }
    }
    if (!runtimeConfig.isEmpty()) {
      request.set("runtimeConfig", runtimeConfig);
    }
    return request;
  }
}
