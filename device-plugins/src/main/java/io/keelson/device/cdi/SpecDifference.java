package io.keelson.device.cdi;

import com.fasterxml.jackson.core.JsonPointer;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/**
 * The parts of a config.json that CDI edits reach, and how one version of them takes the place of
 * another without touching what others wrote there.
 */
final class SpecDifference {

  private static final JsonPointer RDT = JsonPointer.compile("/linux/intelRdt");

  /** The lists, and by what an entry of each takes the place of another. */
  private static final Map<JsonPointer, Function<JsonNode, String>> LISTS =
      Map.ofEntries(
          list("/process/env", entry -> entry.asText().split("=", 2)[0]),
          list("/process/user/additionalGids", JsonNode::asText),
          list("/mounts", entry -> entry.path("destination").asText()),
          list("/linux/devices", entry -> entry.path("path").asText()),
          list("/linux/resources/devices", JsonNode::toString),
          list("/hooks/prestart", JsonNode::toString),
          list("/hooks/createRuntime", JsonNode::toString),
          list("/hooks/createContainer", JsonNode::toString),
          list("/hooks/startContainer", JsonNode::toString),
          list("/hooks/poststart", JsonNode::toString),
          list("/hooks/poststop", JsonNode::toString));

  private SpecDifference() {}

  private static Map.Entry<JsonPointer, Function<JsonNode, String>> list(
      String pointer, Function<JsonNode, String> key) {
    return Map.entry(JsonPointer.compile(pointer), key);
  }

  /** Of a spec, what CDI edits reach. */
  static ObjectNode relevant(JsonNode spec) {
    ObjectNode relevant = JsonNodeFactory.instance.objectNode();
    for (JsonPointer list : LISTS.keySet()) {
      JsonNode entries = spec.at(list);
      if (!entries.isEmpty()) {
        relevant.withArray(list).addAll((ArrayNode) entries);
      }
    }
    if (spec.at(RDT).isObject()) {
      parent(relevant, RDT).set(RDT.last().getMatchingProperty(), spec.at(RDT));
    }
    return relevant;
  }

  /** In {@code spec}, puts {@code now} in the place of {@code before}. */
  static void apply(JsonNode before, JsonNode now, ObjectNode spec) {
    LISTS.forEach(
        (list, key) -> {
          Set<JsonNode> gone = entries(before, list);
          Set<JsonNode> added = entries(now, list);
          Set<JsonNode> kept = Set.copyOf(gone);
          gone.removeAll(added);
          added.removeAll(kept);
          if (!gone.isEmpty() || !added.isEmpty()) {
            exchange(spec.withArray(list), gone, added, key);
          }
        });
    if (!before.at(RDT).equals(now.at(RDT))) {
      ObjectNode linux = parent(spec, RDT);
      linux.remove(RDT.last().getMatchingProperty());
      if (now.at(RDT).isObject()) {
        linux.set(RDT.last().getMatchingProperty(), now.at(RDT));
      }
    }
  }

  private static ObjectNode parent(ObjectNode root, JsonPointer pointer) {
    return root.withObject(pointer.head());
  }

  private static Set<JsonNode> entries(JsonNode root, JsonPointer list) {
    Set<JsonNode> entries = new LinkedHashSet<>();
    root.at(list).forEach(entries::add);
    return entries;
  }

  /** What takes the place of something stands where that stood: mounts have an order. */
  private static void exchange(
      ArrayNode list, Set<JsonNode> gone, Set<JsonNode> added, Function<JsonNode, String> key) {
    for (JsonNode entry : added) {
      int place = 0;
      while (place < list.size() && !key.apply(list.get(place)).equals(key.apply(entry))) {
        place++;
      }
      if (place < list.size()) {
        list.set(place, entry);
      } else {
        list.add(entry);
      }
    }
    for (int i = list.size() - 1; i >= 0; i--) {
      if (gone.contains(list.get(i))) {
        list.remove(i);
      }
    }
  }
}
