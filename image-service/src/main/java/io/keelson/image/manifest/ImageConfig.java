package io.keelson.image.manifest;

import com.fasterxml.jackson.databind.JsonNode;
import io.keelson.image.reference.Digest;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * How containers of an image are made (OCI image spec, image configuration).
 *
 * @param id digest of the config, which is the image's id; of an artifact's manifest
 * @param json the config as it came; of an artifact the manifest, since its config may say nothing
 * @param artifact it is no container image: it can be mounted, but no container be made of it
 * @param diffIds digests of the layers' tars, lowest first
 */
public record ImageConfig(
    Digest id,
    String json,
    boolean artifact,
    Platform platform,
    List<Digest> diffIds,
    String user,
    List<String> env,
    List<String> entrypoint,
    List<String> command,
    String workingDirectory,
    String stopSignal,
    Map<String, String> labels,
    List<String> volumes) {

  public ImageConfig {
    diffIds = List.copyOf(diffIds);
    env = List.copyOf(env);
    entrypoint = List.copyOf(entrypoint);
    command = List.copyOf(command);
    labels = Map.copyOf(labels);
    volumes = List.copyOf(volumes);
  }

  static ImageConfig of(JsonNode root, byte[] content, String name)
      throws InvalidManifestException {
    Digest id = Digest.of(content);
    String json = text(content, id, name);
    JsonNode diffIds = root.path("rootfs").path("diff_ids");
    if (!diffIds.isArray()) {
      throw new InvalidManifestException(name + ": the config has no rootfs.diff_ids");
    }
    List<Digest> digests = new ArrayList<>();
    for (JsonNode diffId : diffIds) {
      digests.add(ManifestParser.digest(diffId.asText(""), name));
    }
    JsonNode config = root.path("config");
    return new ImageConfig(
        id,
        json,
        false,
        ManifestParser.platform(root),
        digests,
        config.path("User").asText(""),
        texts(config.path("Env")),
        texts(config.path("Entrypoint")),
        texts(config.path("Cmd")),
        config.path("WorkingDir").asText(""),
        config.path("StopSignal").asText(""),
        labels(config.path("Labels")),
        config.path("Volumes").properties().stream().map(Map.Entry::getKey).toList());
  }

  static ImageConfig ofArtifact(byte[] manifest, List<Digest> diffIds, String name)
      throws InvalidManifestException {
    Digest id = Digest.of(manifest);
    return new ImageConfig(
        id,
        text(manifest, id, name),
        true,
        new Platform("", "", ""),
        diffIds,
        "",
        List.of(),
        List.of(),
        List.of(),
        "",
        "",
        Map.of(),
        List.of());
  }

  // What is kept must have the digest again.
  private static String text(byte[] content, Digest id, String name)
      throws InvalidManifestException {
    String text = new String(content, StandardCharsets.UTF_8);
    if (!Digest.of(text.getBytes(StandardCharsets.UTF_8)).equals(id)) {
      throw new InvalidManifestException(name + ": the config is not UTF-8");
    }
    return text;
  }

  /** The names of the layers in a store, lowest first: each stands for all below it too. */
  public List<Digest> chainIds() {
    List<Digest> chain = new ArrayList<>();
    for (Digest diffId : diffIds) {
      chain.add(
          chain.isEmpty()
              ? diffId
              : Digest.of((chain.getLast() + " " + diffId).getBytes(StandardCharsets.UTF_8)));
    }
    return chain;
  }

  private static List<String> texts(JsonNode array) {
    List<String> texts = new ArrayList<>();
    // A few old images have a string where the spec says a list.
    if (array.isTextual()) {
      texts.add(array.asText());
    }
    array.forEach(element -> texts.add(element.asText()));
    return texts;
  }

  private static Map<String, String> labels(JsonNode object) {
    Map<String, String> labels = new LinkedHashMap<>();
    object.properties().forEach(label -> labels.put(label.getKey(), label.getValue().asText()));
    return labels;
  }
}
