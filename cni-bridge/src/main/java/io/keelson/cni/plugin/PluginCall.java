package io.keelson.cni.plugin;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Duration;
import java.util.Map;

/**
 * One call of a plugin.
 *
 * @param network the network's name, for messages
 * @param request what the plugin reads from standard input
 * @param environment variables beside CNI_COMMAND and CNI_PATH
 * @param deadline how long the plugin may take
 */
record PluginCall(
    String network,
    PluginConfiguration plugin,
    CniCommand command,
    ObjectNode request,
    Map<String, String> environment,
    Duration deadline) {}
