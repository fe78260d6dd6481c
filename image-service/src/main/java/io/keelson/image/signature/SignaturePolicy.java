package io.keelson.image.signature;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What a node asks of the images of each registry.
 *
 * <pre>{@code
 * {"verifiers": {"cosign": {"command": ["/usr/libexec/verify", "--key", "/etc/k.pub"], "seconds": 20}},
 *  "default": "accept",
 *  "registries": {"registry.example.org": ["cosign"],
 *                 "registry.example.org/test": "accept",
 *                 "docker.io": "reject"}}
 * }</pre>
 *
 * The longest name of a registry, or of a registry and the beginning of a repository, decides; a
 * list asks all programs that it names to accept the image.
 */
record SignaturePolicy(Map<String, Rule> registries, Rule otherwise) {

  private static final Duration DEFAULT_DEADLINE = Duration.ofSeconds(30);
  private static final Set<String> KEYS = Set.of("verifiers", "default", "registries");
  private static final Set<String> VERIFIER_KEYS = Set.of("command", "seconds");

  /** What is asked of an image. */
  sealed interface Rule {
    record Accept() implements Rule {}

    record Reject() implements Rule {}

    /** All of these must accept it. */
    record Ask(List<Verifier> verifiers) implements Rule {}
  }

  /**
   * A program that decides.
   *
   * @param command the program's absolute path and its arguments
   */
  record Verifier(String name, List<String> command, Duration deadline) {}

  SignaturePolicy {
    registries = Map.copyOf(registries);
  }

  /**
   * Reads a policy.
   *
   * @throws IOException if there is none, or if it is wrong; nothing is guessed
   */
  static SignaturePolicy read(Path file) throws IOException {
    JsonNode root;
    try {
      root = new ObjectMapper().readTree(Files.readAllBytes(file));
    } catch (JsonProcessingException e) {
      throw new IOException(file + " is no JSON: " + e.getOriginalMessage(), e);
    }
    if (root == null || !root.isObject()) {
      throw new IOException(file + " holds no JSON object");
    }
    onlyKeys(file, root, KEYS);
    Map<String, Verifier> verifiers = new HashMap<>();
    for (Map.Entry<String, JsonNode> entry : root.path("verifiers").properties()) {
      verifiers.put(entry.getKey(), verifier(file, entry.getKey(), entry.getValue()));
    }
    Map<String, Rule> registries = new HashMap<>();
    for (Map.Entry<String, JsonNode> entry : root.path("registries").properties()) {
      registries.put(entry.getKey(), rule(file, entry.getKey(), entry.getValue(), verifiers));
    }
    Rule otherwise =
        root.has("default")
            ? rule(file, "default", root.path("default"), verifiers)
            : new Rule.Accept();
    return new SignaturePolicy(registries, otherwise);
  }

  private static Verifier verifier(Path file, String name, JsonNode node) throws IOException {
    onlyKeys(file, node, VERIFIER_KEYS);
    List<String> command = new ArrayList<>();
    node.path("command").forEach(part -> command.add(part.asText("")));
    if (command.isEmpty() || !command.getFirst().startsWith("/")) {
      throw new IOException(
          "%s: verifier %s needs a command that begins with an absolute path"
              .formatted(file, name));
    }
    long seconds = node.path("seconds").asLong(DEFAULT_DEADLINE.toSeconds());
    if (seconds < 1 || seconds > 3600) {
      throw new IOException("%s: verifier %s: seconds must be 1 to 3600".formatted(file, name));
    }
    return new Verifier(name, List.copyOf(command), Duration.ofSeconds(seconds));
  }

  private static Rule rule(Path file, String name, JsonNode node, Map<String, Verifier> verifiers)
      throws IOException {
    if (node.isTextual()) {
      return switch (node.asText()) {
        case "accept" -> new Rule.Accept();
        case "reject" -> new Rule.Reject();
        default ->
            throw new IOException(
                "%s: %s is \"accept\", \"reject\" or a list of verifiers, not \"%s\""
                    .formatted(file, name, node.asText()));
      };
    }
    if (!node.isArray() || node.isEmpty()) {
      throw new IOException(
          "%s: %s is \"accept\", \"reject\" or a list of verifiers".formatted(file, name));
    }
    List<Verifier> asked = new ArrayList<>();
    for (JsonNode element : node) {
      Verifier verifier = verifiers.get(element.asText(""));
      if (verifier == null) {
        throw new IOException(
            "%s: %s names the verifier \"%s\", which is not there"
                .formatted(file, name, element.asText("")));
      }
      asked.add(verifier);
    }
    return new Rule.Ask(List.copyOf(asked));
  }

  private static void onlyKeys(Path file, JsonNode node, Set<String> keys) throws IOException {
    for (Map.Entry<String, JsonNode> entry : node.properties()) {
      if (!keys.contains(entry.getKey())) {
        throw new IOException("%s: unknown key \"%s\"".formatted(file, entry.getKey()));
      }
    }
  }

  /**
   * @param repository registry and repository
   */
  Rule ruleFor(String repository) {
    String name = repository;
    while (true) {
      Rule rule = registries.get(name);
      if (rule != null) {
        return rule;
      }
      int slash = name.lastIndexOf('/');
      if (slash < 0) {
        return otherwise;
      }
      name = name.substring(0, slash);
    }
  }
}
