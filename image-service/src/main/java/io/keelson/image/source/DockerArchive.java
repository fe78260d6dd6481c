package io.keelson.image.source;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.keelson.image.manifest.ImageConfig;
import io.keelson.image.manifest.InvalidManifestException;
import io.keelson.image.manifest.PlatformChoice;
import io.keelson.image.reference.ImageReference;
import io.keelson.sandbox.error.InvalidRequestException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** The images of a docker-archive: {@code manifest.json} lists configs, layers and names. */
final class DockerArchive implements Store {

  private static final String MANIFEST = "manifest.json";
  private static final int MAX_CONFIG = 8 << 20;

  private final ObjectMapper json = new ObjectMapper();

  @Override
  public String format() {
    return "docker-archive";
  }

  @Override
  public boolean recognises(ImagePlace place) throws IOException {
    return place.files().size(MANIFEST).isPresent();
  }

  @Override
  public List<ImageArchive.Named> images(ImagePlace place) throws IOException {
    String name = place.path().toString();
    ContentFiles files = place.files();
    if (files.size(MANIFEST).isEmpty()) {
      throw new InvalidRequestException(name + " is no docker-archive: it has no " + MANIFEST);
    }
    JsonNode manifest;
    try {
      manifest = json.readTree(files.read(MANIFEST, place.resolver().maxManifest()));
    } catch (JsonProcessingException e) {
      throw new InvalidManifestException(
          name + "/" + MANIFEST + " is no JSON: " + e.getOriginalMessage());
    }
    if (manifest == null || !manifest.isArray() || manifest.isEmpty()) {
      throw new InvalidRequestException(name + "/" + MANIFEST + " lists no images");
    }
    List<ImageArchive.Named> images = new ArrayList<>();
    for (JsonNode entry : manifest) {
      images.add(image(place, entry, name));
    }
    return images;
  }

  private static ImageArchive.Named image(ImagePlace place, JsonNode entry, String name)
      throws IOException {
    ContentFiles files = place.files();
    byte[] content = files.read(entry.path("Config").asText(""), MAX_CONFIG);
    ImageConfig config = place.resolver().parser().config(content, name);
    PlatformChoice.check(config, place.resolver().host(), name);
    JsonNode layers = entry.path("Layers");
    if (layers.size() != config.diffIds().size()) {
      throw new InvalidManifestException(
          "%s has %d layers in its manifest and %d in its config"
              .formatted(name, layers.size(), config.diffIds().size()));
    }
    List<LayerBlob> blobs = new ArrayList<>();
    for (int i = 0; i < layers.size(); i++) {
      String path = layers.get(i).asText("");
      long size = files.size(path).orElseThrow(() -> ContentFiles.missing(path));
      blobs.add(new LayerBlob(path, null, size, config.diffIds().get(i)));
    }
    List<String> names = new ArrayList<>();
    for (JsonNode tag : entry.path("RepoTags")) {
      ImageReference.tryParse(tag.asText("")).ifPresent(tagged -> names.add(tagged.toString()));
    }
    return new ImageArchive.Named(new SourceImage(null, config, blobs), names);
  }
}
