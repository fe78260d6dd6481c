package io.keelson.image.manifest;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.keelson.image.reference.Digest;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.error.UnsupportedException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads manifests and configs from bytes whose digest was checked. Safe for use by many threads.
 */
public final class ManifestParser {

  /** Overlayfs stacks no more. */
  private static final int MAX_LAYERS = 500;

  private final ObjectMapper json = new ObjectMapper();

  /**
   * @param name for errors
   * @throws InvalidManifestException if that is no manifest
   * @throws UnsupportedException if it is one of docker's schema 1
   */
  public Manifest manifest(byte[] content, String name) throws InvalidManifestException {
    JsonNode root = object(content, name);
    String mediaType = root.path("mediaType").asText("");
    boolean hasManifests = root.has("manifests");
    boolean hasLayers = root.has("layers") || root.has("config");
    if (hasManifests && hasLayers) {
      throw new InvalidManifestException(name + " is a manifest and an index at once");
    }
    if (root.path("schemaVersion").asInt(2) == 1 || root.has("fsLayers")) {
      throw new UnsupportedException(
          name + " has a manifest of docker's schema 1, which was given up in 2017");
    }
    if (hasManifests) {
      if (MediaTypes.isManifest(mediaType)) {
        throw new InvalidManifestException(name + " is an index that calls itself a manifest");
      }
      List<Descriptor> manifests = new ArrayList<>();
      for (JsonNode entry : root.path("manifests")) {
        manifests.add(descriptor(entry, name));
      }
      return new Manifest.Index(manifests);
    }
    if (MediaTypes.isIndex(mediaType) || !root.path("config").isObject()) {
      throw new InvalidManifestException(name + " has no manifest of an image");
    }
    Descriptor config = descriptor(root.path("config"), name);
    List<Descriptor> layers = new ArrayList<>();
    for (JsonNode layer : root.path("layers")) {
      layers.add(descriptor(layer, name));
    }
    return isArtifact(root, config)
        ? new Manifest.Artifact(
            layers.stream().filter(layer -> !layer.mediaType().equals(MediaTypes.EMPTY)).toList())
        : new Manifest.Image(config, layers);
  }

  // Some tools give an artifact the config type of images; its own type then says what it is.
  private static boolean isArtifact(JsonNode root, Descriptor config) {
    return !MediaTypes.isImageConfig(config.mediaType())
        || !root.path("artifactType").asText("").isEmpty();
  }

  /** The entries of an OCI layout's index, as they stand. */
  public Manifest.Index index(byte[] content, String name) throws InvalidManifestException {
    if (manifest(content, name) instanceof Manifest.Index index) {
      return index;
    }
    throw new InvalidManifestException(name + " is no index");
  }

  /**
   * @param content of an image's config or of an artifact's manifest; its digest becomes the id
   */
  public ImageConfig config(byte[] content, String name) throws InvalidManifestException {
    JsonNode root = object(content, name);
    ImageConfig config =
        root.has("layers") ? artifact(content, name) : ImageConfig.of(root, content, name);
    if (config.diffIds().size() > MAX_LAYERS) {
      throw new InvalidManifestException(
          "%s has %d layers; overlayfs takes %d"
              .formatted(name, config.diffIds().size(), MAX_LAYERS));
    }
    return config;
  }

  private ImageConfig artifact(byte[] content, String name) throws InvalidManifestException {
    if (manifest(content, name) instanceof Manifest.Artifact artifact) {
      return ImageConfig.ofArtifact(
          content, artifact.layers().stream().map(ArtifactLayer::diffId).toList(), name);
    }
    throw new InvalidManifestException(name + " is no artifact");
  }

  private JsonNode object(byte[] content, String name) throws InvalidManifestException {
    try {
      JsonNode root = json.readTree(content);
      if (root == null || !root.isObject()) {
        throw new InvalidManifestException(name + ": no JSON object");
      }
      return root;
    } catch (JsonProcessingException e) {
      throw new InvalidManifestException(name + ": no JSON: " + e.getOriginalMessage());
    } catch (IOException e) {
      throw new InvalidManifestException(name + ": " + e.getMessage());
    }
  }

  private static Descriptor descriptor(JsonNode node, String name) throws InvalidManifestException {
    JsonNode size = node.path("size");
    if (!size.canConvertToLong() || size.asLong() < 0) {
      throw new InvalidManifestException(name + " has a descriptor without a size");
    }
    Map<String, String> annotations = new HashMap<>();
    node.path("annotations")
        .properties()
        .forEach(field -> annotations.put(field.getKey(), field.getValue().asText()));
    JsonNode platform = node.path("platform");
    return new Descriptor(
        node.path("mediaType").asText(""),
        digest(node.path("digest").asText(""), name),
        size.asLong(),
        platform.isObject() ? platform(platform) : null,
        annotations);
  }

  static Platform platform(JsonNode node) {
    return new Platform(
        node.path("os").asText(""),
        node.path("architecture").asText(""),
        node.path("variant").asText(""));
  }

  static Digest digest(String text, String name) throws InvalidManifestException {
    try {
      return Digest.parse(text);
    } catch (InvalidRequestException e) {
      throw new InvalidManifestException(name + ": " + e.getMessage());
    }
  }
}
