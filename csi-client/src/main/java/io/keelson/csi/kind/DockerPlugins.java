package io.keelson.csi.kind;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.error.OperationFailedException;
import io.keelson.sandbox.error.UnavailableException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Docker volume plugins (Docker's plugin API, {@code VolumeDriver}): JSON by HTTP on unix sockets,
 * found by their files as Docker finds them. Safe for use by many threads.
 */
public final class DockerPlugins {

  /** Where Docker looks for sockets and for files that name them. */
  public static final List<Path> FOLDERS =
      List.of(
          Path.of("/run/docker/plugins"),
          Path.of("/etc/docker/plugins"),
          Path.of("/usr/lib/docker/plugins"));

  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,127}");

  private final List<Path> folders;
  private final Duration timeout;
  private final ObjectMapper json = new ObjectMapper();

  /**
   * @param timeout for one call
   */
  public DockerPlugins(List<Path> folders, Duration timeout) {
    this.folders = List.copyOf(folders);
    this.timeout = timeout;
  }

  /**
   * Makes a call.
   *
   * @param method of {@code VolumeDriver}
   * @return the plugin's answer
   * @throws UnavailableException if no plugin of the name answers
   * @throws OperationFailedException with the plugin's own words
   */
  JsonNode call(String plugin, String method, Map<String, Object> request) throws IOException {
    Path socket = socket(plugin);
    UnixHttp.Response response;
    try {
      response =
          UnixHttp.post(
              socket, "/VolumeDriver." + method, json.writeValueAsBytes(request), timeout);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    } catch (IOException e) {
      throw new UnavailableException(
          "Docker volume plugin %s at %s: %s: %s".formatted(plugin, socket, method, e.getMessage()),
          e);
    }
    JsonNode answer;
    try {
      answer = json.readTree(response.body());
    } catch (JsonProcessingException e) {
      throw new OperationFailedException(
          "Docker volume plugin %s: %s: status %d, and no JSON: %s"
              .formatted(plugin, method, response.status(), e.getOriginalMessage()),
          e);
    }
    String error = answer.path("Err").asText("");
    if (!error.isEmpty() || response.status() != UnixHttp.OK) {
      throw new OperationFailedException(
          "Docker volume plugin %s: %s: %s"
              .formatted(plugin, method, error.isEmpty() ? "status " + response.status() : error));
    }
    return answer;
  }

  private Path socket(String plugin) throws IOException {
    if (!NAME.matcher(plugin).matches()) {
      throw new InvalidRequestException("\"" + plugin + "\" is no name of a Docker plugin");
    }
    for (Path folder : folders) {
      for (Path socket :
          List.of(
              folder.resolve(plugin + ".sock"), folder.resolve(plugin).resolve(plugin + ".sock"))) {
        if (Files.exists(socket)) {
          return socket;
        }
      }
      Optional<Path> named = named(folder.resolve(plugin + ".spec"));
      if (named.isPresent()) {
        return named.get();
      }
    }
    throw new UnavailableException(
        "no Docker volume plugin " + plugin + " is there: no socket or .spec file in " + folders);
  }

  private static Optional<Path> named(Path spec) throws IOException {
    if (!Files.isRegularFile(spec)) {
      return Optional.empty();
    }
    String text = Files.readString(spec).strip();
    if (!text.startsWith("unix://")) {
      throw new OperationFailedException(
          spec + " does not name a unix socket but \"" + text + "\"");
    }
    return Optional.of(Path.of(text.substring("unix://".length())));
  }
}
