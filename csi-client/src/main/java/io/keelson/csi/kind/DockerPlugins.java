package io.keelson.csi.kind;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.keelson.csi.driver.CallPolicy;
import io.keelson.csi.driver.Operation;
import io.keelson.csi.driver.Redaction;
import io.keelson.proto.csi.v1.Volume;
import io.keelson.sandbox.error.FailedPreconditionException;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.error.OperationFailedException;
import io.keelson.sandbox.error.UnavailableException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;

/**
 * Docker volume plugins (Docker's plugin API, {@code VolumeDriver}): JSON by HTTP on unix sockets,
 * found by their files as Docker finds them. Safe for use by many threads.
 */
public final class DockerPlugins {

  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,127}");

  static final String MOUNTPOINT = "Mountpoint";

  private static final String VOLUME_DRIVER = "VolumeDriver";

  private final List<Path> folders;
  private final CallPolicy policy;
  private final ObjectMapper json = new ObjectMapper();

  /** Plugins that have said that they have volumes, since they were last away. */
  private final Set<String> activated = ConcurrentHashMap.newKeySet();

  /**
   * @param policy how patient to be
   */
  public DockerPlugins(List<Path> folders, CallPolicy policy) {
    this.folders = List.copyOf(folders);
    this.policy = policy;
  }

  /**
   * Makes a call; again as long as the plugin is away and the operation has time.
   *
   * @param method of {@code VolumeDriver}
   * @param redaction of the plugin's words
   * @return the plugin's answer
   * @throws UnavailableException if no plugin of the name answers
   * @throws FailedPreconditionException if it is a plugin for something else
   * @throws OperationFailedException with the plugin's own words
   */
  JsonNode call(
      String plugin,
      String method,
      Map<String, Object> request,
      Redaction redaction,
      Operation operation)
      throws IOException {
    String before = "";
    for (int attempt = 1; ; attempt++) {
      operation.listener().step(VOLUME_DRIVER + "." + method, attempt, before);
      try {
        if (!activated.contains(plugin)) {
          activate(plugin);
        }
        return post(plugin, VOLUME_DRIVER + "." + method, request, redaction);
      } catch (UnavailableException e) {
        activated.remove(plugin); // another one may answer next
        if (!operation.pause(policy.pauseAfter(attempt))) {
          throw e;
        }
        before = String.valueOf(e.getMessage());
      }
    }
  }

  /** The volumes that a plugin knows, with the places where it has them mounted. */
  public List<Volume> volumes(String plugin, Operation operation) throws IOException {
    List<Volume> volumes = new ArrayList<>();
    for (JsonNode each :
        call(plugin, "List", Map.of(), Redaction.NONE, operation).path("Volumes")) {
      Volume.Builder volume = Volume.newBuilder().setVolumeId(each.path("Name").asText(""));
      String mountpoint = each.path(MOUNTPOINT).asText("");
      if (!mountpoint.isEmpty()) {
        volume.putVolumeContext(MOUNTPOINT, mountpoint);
      }
      volumes.add(volume.build());
    }
    return volumes;
  }

  /**
   * Whether the volumes of a plugin are known on this node alone ({@code local}) or on all that
   * have it ({@code global}). One that does not say so is taken as local, as Docker does.
   */
  public String scope(String plugin, Operation operation) throws IOException {
    try {
      return call(plugin, "Capabilities", Map.of(), Redaction.NONE, operation)
          .path("Capabilities")
          .path("Scope")
          .asText("local");
    } catch (OperationFailedException e) {
      return "local";
    }
  }

  /** The handshake of Docker's plugins. */
  private void activate(String plugin) throws IOException {
    JsonNode implemented =
        post(plugin, "Plugin.Activate", Map.of(), Redaction.NONE).path("Implements");
    for (JsonNode each : implemented) {
      if (each.asText().equals(VOLUME_DRIVER)) {
        activated.add(plugin);
        return;
      }
    }
    throw new FailedPreconditionException(
        "Docker plugin %s has no volumes; it implements %s".formatted(plugin, implemented));
  }

  private JsonNode post(
      String plugin, String method, Map<String, Object> request, Redaction redaction)
      throws IOException {
    Path socket = socket(plugin);
    UnixHttp.Response response;
    try {
      response =
          UnixHttp.post(
              socket, "/" + method, json.writeValueAsBytes(request), policy.callTimeout());
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
              .formatted(plugin, method, response.status(), redaction.of(e.getOriginalMessage())));
    }
    String error = answer.path("Err").asText("");
    if (!error.isEmpty() || response.status() != UnixHttp.OK) {
      throw new OperationFailedException(
          "Docker volume plugin %s: %s: %s"
              .formatted(
                  plugin,
                  method,
                  error.isEmpty() ? "status " + response.status() : redaction.of(error)));
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
