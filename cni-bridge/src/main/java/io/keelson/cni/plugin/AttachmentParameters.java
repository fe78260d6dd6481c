package io.keelson.cni.plugin;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Map;

/**
 * What all calls for one attachment have in common (CNI spec 1.1, section 3, "Attachment
 * Parameters").
 *
 * @param netns path of the network namespace, {@code ""} if it is gone
 * @param arguments the value of {@code CNI_ARGS}
 * @param capabilityArguments by name; a plugin gets those that it declares. Never changed
 */
record AttachmentParameters(
    String containerId,
    String netns,
    String interfaceName,
    String arguments,
    ObjectNode capabilityArguments) {

  AttachmentParameters withNetns(String other) {
    return new AttachmentParameters(
        containerId, other, interfaceName, arguments, capabilityArguments);
  }

  Map<String, String> environment() {
    return Map.of(
        "CNI_CONTAINERID", containerId,
        "CNI_NETNS", netns,
        "CNI_IFNAME", interfaceName,
        "CNI_ARGS", arguments);
  }
}
