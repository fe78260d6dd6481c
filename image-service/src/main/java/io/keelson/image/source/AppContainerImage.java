package io.keelson.image.source;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.keelson.image.archive.Decompression;
import io.keelson.image.manifest.InvalidManifestException;
import io.keelson.image.reference.Digest;
import io.keelson.image.reference.ImageReference;
import io.keelson.image.request.Cancellation;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.error.NotFoundException;
import io.keelson.sandbox.error.UnsupportedException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.List;
import java.util.Locale;

/**
 * An Appc image: a tar, also compressed by gzip, of {@code manifest} and {@code rootfs} (App
 * Container specification 0.8.11, ACI).
 */
final class AppContainerImage implements Store {

  private static final String MANIFEST = "manifest";
  private static final String ROOT = "rootfs";

  private final ObjectMapper json = new ObjectMapper();
  private final MadeImage made = new MadeImage();

  @Override
  public String format() {
    return "aci";
  }

  @Override
  public boolean recognises(ImagePlace place) throws IOException {
    if (place.isFolder() || place.files().size(MANIFEST).isEmpty()) {
      return false;
    }
    byte[] content = place.files().read(MANIFEST, place.resolver().maxManifest());
    return new String(content, StandardCharsets.UTF_8).contains("\"ImageManifest\"");
  }

  @Override
  public List<ImageArchive.Named> images(ImagePlace place) throws IOException {
    String name = place.path().toString();
    if (place.isFolder() || place.files().size(MANIFEST).isEmpty()) {
      throw new InvalidRequestException(name + " is no Appc image: it has no " + MANIFEST);
    }
    JsonNode manifest =
        manifest(place.files().read(MANIFEST, place.resolver().maxManifest()), name);
    if (!manifest.path("dependencies").isEmpty()) {
      throw new UnsupportedException(
          name + " is an Appc image on top of others, which can't be fetched any more");
    }
    checkPlatform(manifest, place, name);
    Digest tar =
        TarStream.digest(
            (out, check) -> {
              try (InputStream in = open(place)) {
                TarStream.copy(in, out, check);
              }
            },
            place.cancellation());
    Digest diffId = Digest.of((ROOT + " of " + tar).getBytes(StandardCharsets.UTF_8));
    return List.of(
        made.of(
            place,
            diffId,
            new LayerForm.PartOfTar(ROOT, tar),
            settings(manifest.path("app"), manifest),
            names(manifest)));
  }

  private JsonNode manifest(byte[] content, String name) throws IOException {
    JsonNode manifest;
    try {
      manifest = json.readTree(content);
    } catch (JsonProcessingException e) {
      throw new InvalidManifestException(
          name + "/" + MANIFEST + " is no JSON: " + e.getOriginalMessage());
    }
    if (manifest == null || !manifest.path("acKind").asText("").equals("ImageManifest")) {
      throw new InvalidRequestException(name + " is no Appc image: its manifest says otherwise");
    }
    return manifest;
  }

  private static void checkPlatform(JsonNode manifest, ImagePlace place, String name) {
    String os = label(manifest, "os");
    String architecture = label(manifest, "arch");
    String ours = place.resolver().host().architecture();
    boolean same =
        architecture.equals(ours) || (ours.equals("arm64") && architecture.equals("aarch64"));
    if ((!os.isEmpty() && !os.equals(place.resolver().host().os()))
        || (!architecture.isEmpty() && !same)) {
      throw new NotFoundException(
          "%s is an image for %s/%s; this node is %s"
              .formatted(name, os, architecture, place.resolver().host()));
    }
  }

  private static String label(JsonNode manifest, String name) {
    for (JsonNode label : manifest.path("labels")) {
      if (label.path("name").asText("").equals(name)) {
        return label.path("value").asText("");
      }
    }
    return "";
  }

  private ObjectNode settings(JsonNode app, JsonNode manifest) {
    ObjectNode settings = made.settings();
    String user = app.path("user").asText("");
    String group = app.path("group").asText("");
    if (!user.isEmpty()) {
      settings.put("User", group.isEmpty() ? user : user + ":" + group);
    }
    if (!app.path("exec").isEmpty()) {
      settings.set("Entrypoint", app.path("exec"));
    }
    if (!app.path("workingDirectory").asText("").isEmpty()) {
      settings.put("WorkingDir", app.path("workingDirectory").asText());
    }
    for (JsonNode variable : app.path("environment")) {
      settings
          .withArrayProperty("Env")
          .add(variable.path("name").asText("") + "=" + variable.path("value").asText(""));
    }
    for (JsonNode annotation : manifest.path("annotations")) {
      settings
          .withObjectProperty("Labels")
          .put(annotation.path("name").asText(""), annotation.path("value").asText(""));
    }
    return settings;
  }

  private static List<String> names(JsonNode manifest) {
    String version = label(manifest, "version");
    String name = manifest.path("name").asText("").toLowerCase(Locale.ROOT);
    return ImageReference.tryParse(version.isEmpty() ? name : name + ":" + version)
        .map(reference -> List.of(reference.toString()))
        .orElseGet(List::of);
  }

  @Override
  public InputStream open(ImagePlace place, LayerBlob layer, Cancellation cancellation)
      throws IOException {
    return open(place);
  }

  private static InputStream open(ImagePlace place) throws IOException {
    return Decompression.of(Files.newInputStream(place.path()));
  }
}
