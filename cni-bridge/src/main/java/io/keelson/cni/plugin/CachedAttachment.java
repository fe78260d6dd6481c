package io.keelson.cni.plugin;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/**
 * What is remembered of an ADD until its DEL has succeeded, so that the DEL repeats the ADD's own
 * configuration and parameters whatever has changed since.
 *
 * @param result of the last plugin in the shape of the network's version; empty while the ADD runs,
 *     and for good if the daemon was killed then
 */
record CachedAttachment(
    NetworkConfiguration network, AttachmentParameters parameters, Optional<CniResult> result) {

  private static final String KIND = "io.keelson.cni/v1";

  CachedAttachment withResult(CniResult added) {
    return new CachedAttachment(network, parameters, Optional.of(added));
  }

  byte[] toBytes() {
    ObjectNode json = Json.object();
    json.put("kind", KIND);
    json.put("containerId", parameters.containerId());
    json.put("ifName", parameters.interfaceName());
    json.put("netns", parameters.netns());
    json.put("cniArgs", parameters.arguments());
    json.set("capabilityArgs", parameters.capabilityArguments());
    json.set("config", network.toJson());
    result.ifPresent(added -> json.set("result", added.json()));
    return Json.bytes(json);
  }

  static CachedAttachment parse(byte[] content) throws IOException {
    ObjectNode json = Json.parseObject(content);
    if (!json.path("kind").asText().equals(KIND)) {
      throw new IOException("is of kind " + json.path("kind") + ", not " + KIND);
    }
    NetworkConfiguration network =
        ConfigurationParser.parseList(object(json, "config")).with(List.of());
    AttachmentParameters parameters =
        new AttachmentParameters(
            json.path("containerId").asText(),
            json.path("netns").asText(),
            json.path("ifName").asText(),
            json.path("cniArgs").asText(),
            object(json, "capabilityArgs"));
    Optional<CniResult> result =
        json.has("result")
            ? Optional.of(CniResult.parse(object(json, "result"), network.version()))
            : Optional.empty();
    return new CachedAttachment(network, parameters, result);
  }

  private static ObjectNode object(JsonNode json, String key) throws IOException {
    if (json.path(key) instanceof ObjectNode object) {
      return object;
    }
    throw new IOException("has no object \"" + key + "\"");
  }
}
