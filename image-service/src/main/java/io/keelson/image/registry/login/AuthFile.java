package io.keelson.image.registry.login;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.keelson.image.request.RegistryCredentials;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * One file of credentials: docker's {@code config.json} or the containers tools' {@code auth.json}
 * (containers-auth.json(5)). Keys are brought into one form: {@code host[:port][/path]}.
 */
final class AuthFile {

  private static final ObjectMapper JSON = new ObjectMapper();

  private final Path path;
  private final Map<String, RegistryCredentials> entries = new HashMap<>();
  private final Map<String, String> helpers = new HashMap<>();
  private final String store;

  private AuthFile(Path path, JsonNode root) throws IOException {
    this.path = path;
    for (Map.Entry<String, JsonNode> entry : root.path("auths").properties()) {
      RegistryCredentials credentials = credentials(entry.getKey(), entry.getValue());
      // Docker leaves an empty entry where a store has the credentials.
      if (!credentials.isAnonymous()) {
        entries.put(RegistryKeys.normal(entry.getKey()), credentials);
      }
    }
    for (Map.Entry<String, JsonNode> helper : root.path("credHelpers").properties()) {
      helpers.put(RegistryKeys.normal(helper.getKey()), helper.getValue().asText());
    }
    this.store = root.path("credsStore").asText("");
  }

  /**
   * @throws IOException if it can't be read or is none; the message holds nothing of its content
   */
  static AuthFile read(Path path) throws IOException {
    try {
      JsonNode root = JSON.readTree(Files.readAllBytes(path));
      if (root == null || !root.isObject()) {
        throw new IOException(path + " is no JSON object");
      }
      return new AuthFile(path, root);
    } catch (JsonProcessingException e) {
      // Neither the cause nor its words: they quote the text.
      throw withoutCause(
          path
              + " is no JSON: line "
              + (e.getLocation() == null ? 0 : e.getLocation().getLineNr()));
    }
  }

  private static IOException withoutCause(String message) {
    return new IOException(message);
  }

  private RegistryCredentials credentials(String registry, JsonNode entry) throws IOException {
    String username = entry.path("username").asText("");
    String password = entry.path("password").asText("");
    String auth = entry.path("auth").asText("");
    if (!auth.isEmpty()) {
      String pair;
      try {
        pair = new String(Base64.getMimeDecoder().decode(auth), StandardCharsets.UTF_8);
      } catch (IllegalArgumentException e) {
        throw withoutCause(path + ": auth of " + registry + " is no base64");
      }
      int colon = pair.indexOf(':');
      if (colon < 0) {
        throw withoutCause(path + ": auth of " + registry + " is no name and password");
      }
      username = pair.substring(0, colon);
      // Old tools have put zeros at the end.
      password = pair.substring(colon + 1).replaceAll("\\x00+$", "");
    }
    return new RegistryCredentials(
        username,
        password,
        "",
        "",
        entry.path("identitytoken").asText(""),
        entry.path("registrytoken").asText(""));
  }

  /** The program that knows the credentials of this key, if one is named. */
  Optional<String> helper(String key) {
    return Optional.ofNullable(helpers.get(key));
  }

  /** The program that knows all credentials, if one is named. */
  Optional<String> store() {
    return Optional.of(store).filter(name -> !name.isEmpty());
  }

  Optional<RegistryCredentials> entry(String key) {
    return Optional.ofNullable(entries.get(key));
  }
}
