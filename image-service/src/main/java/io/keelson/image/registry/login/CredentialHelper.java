package io.keelson.image.registry.login;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.keelson.image.request.RegistryCredentials;
import io.keelson.linux.Commands;
import io.keelson.linux.Errno;
import io.keelson.linux.ErrnoException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Runs {@code docker-credential-NAME get} (docker's credential helper protocol). Safe for use by
 * many threads.
 */
final class CredentialHelper {

  private static final String PREFIX = "docker-credential-";
  private static final String TOKEN_USER = "<token>";
  private static final String NOT_FOUND = "credentials not found";
  private static final int MAX_OUTPUT = 1 << 20;
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Map<String, String> environment;
  private final Duration deadline;

  CredentialHelper(Map<String, String> environment, Duration deadline) {
    this.environment = Map.copyOf(environment);
    this.deadline = deadline;
  }

  /**
   * What the helper knows of a registry.
   *
   * @throws IOException if it can't be run, takes longer than the deadline, or fails
   */
  Optional<RegistryCredentials> get(String name, String serverUrl) throws IOException {
    if (!name.matches("[A-Za-z0-9][A-Za-z0-9._-]*")) {
      throw new IOException("no name of a credential helper: " + name);
    }
    String program = PREFIX + name;
    Commands.Output output;
    try {
      output =
          Commands.run(
              List.of(program, "get"),
              environment,
              serverUrl.getBytes(StandardCharsets.UTF_8),
              deadline,
              MAX_OUTPUT);
    } catch (ErrnoException e) {
      if (e.is(Errno.ENOENT)) {
        throw new IOException("credential helper " + program + " is not in PATH", e);
      }
      throw e;
    }
    if (!output.isSuccess()) {
      // Helpers say it on standard output.
      String said = (output.stdoutText() + " " + output.stderrText()).strip();
      if (said.contains(NOT_FOUND)) {
        return Optional.empty();
      }
      throw new IOException(
          "credential helper %s ended with %d for %s: %s"
              .formatted(program, output.exitCode(), serverUrl, firstLine(said)));
    }
    return Optional.of(credentials(program, output.stdoutText()));
  }

  private static String firstLine(String text) {
    String line = text.lines().findFirst().orElse("");
    return line.length() > 300 ? line.substring(0, 300) + "…" : line;
  }

  private static RegistryCredentials credentials(String program, String output) throws IOException {
    JsonNode answer;
    try {
      answer = JSON.readTree(output);
    } catch (JsonProcessingException e) {
      // Without the cause, whose words quote secrets.
      answer = null;
    }
    if (answer == null || !answer.isObject()) {
      throw new IOException("credential helper " + program + " answers no JSON");
    }
    String username = answer.path("Username").asText("");
    String secret = answer.path("Secret").asText("");
    return username.equals(TOKEN_USER)
        ? new RegistryCredentials("", "", "", "", secret, "")
        : RegistryCredentials.of(username, secret);
  }
}
