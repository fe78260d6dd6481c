package io.keelson.sandbox;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.spec.SpecMount;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * The files of a container's checkpoint in a folder, in the form that CRI-O, Podman and
 * checkpointctl share (checkpointctl, lib/metadata.go). What is read may come from anywhere, so
 * nothing of it is believed.
 */
record CheckpointFiles(Path folder) {

  /** The folder of CRIU's images. */
  static final String IMAGES = "checkpoint";

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final long MAX_JSON = 16L << 20;
  private static final String MARKER = "/run/.containerenv";
  private static final String CRIO = "io.kubernetes.cri-o.";

  Path images() {
    return folder.resolve(IMAGES);
  }

  /** What the container changed in its image. */
  Path changes() {
    return folder.resolve("rootfs-diff.tar");
  }

  /** The container's log. */
  Path log() {
    return folder.resolve(CRIO + "LogPath");
  }

  /** True if there is what no checkpoint can do without. */
  boolean isWhole() {
    return Files.isDirectory(images(), LinkOption.NOFOLLOW_LINKS)
        && Stream.of(images().resolve("inventory.img"), config(), spec())
            .allMatch(CheckpointFiles::isFile);
  }

  /** Copies all that a restore needs, and follows no link: they may be anybody's. */
  void copyTo(CheckpointFiles target) throws IOException {
    Files.createDirectory(target.images());
    try (Stream<Path> images = Files.list(images())) {
      for (Path image : (Iterable<Path>) images::iterator) {
        copy(image, target.images());
      }
    }
    for (Path file : List.of(config(), spec(), changes(), deleted(), log())) {
      copy(file, target.folder());
    }
  }

  private static void copy(Path file, Path folder) throws IOException {
    if (isFile(file)) {
      Files.copy(file, folder.resolve(file.getFileName()), LinkOption.NOFOLLOW_LINKS);
    }
  }

  private static boolean isFile(Path path) {
    return Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS);
  }

  private Path config() {
    return folder.resolve("config.dump");
  }

  private Path spec() {
    return folder.resolve("spec.dump");
  }

  private Path deleted() {
    return folder.resolve("deleted.files");
  }

  /**
   * Which container it was and what it was made from.
   *
   * @param imageId digest of the image's config; {@code ""} if that is not known
   * @param imageName with a tag or a digest; {@code ""} if it has none
   * @param imageAsked as it was asked for
   */
  record Origin(
      String id, String name, String imageId, String imageName, String imageAsked, String handler) {

    /** By what names its image may be found, the surest first. */
    List<String> images() {
      List<String> names = new ArrayList<>();
      for (String name : List.of(imageId, imageName, imageAsked)) {
        if (!name.isBlank()) {
          names.add(name);
        }
      }
      return names;
    }
  }

  void writeOrigin(Origin origin, Instant created, Instant now) throws IOException {
    ObjectNode config = JSON.createObjectNode();
    config.put("id", origin.id());
    config.put("name", origin.name());
    config.put("rootfsImage", origin.imageAsked());
    config.put("rootfsImageRef", origin.imageId().replaceFirst("^sha256:", ""));
    config.put("rootfsImageName", origin.imageName());
    config.put("runtime", origin.handler());
    config.put("createdTime", created.toString());
    config.put("checkpointedTime", now.toString());
    write(config(), config);
  }

  Origin readOrigin() throws IOException {
    JsonNode config = read(config());
    String id = config.path("rootfsImageRef").asText();
    return new Origin(
        config.path("id").asText(),
        config.path("name").asText(),
        id.matches("[0-9a-f]{64}") ? "sha256:" + id : id,
        config.path("rootfsImageName").asText(),
        config.path("rootfsImage").asText(),
        config.path("runtime").asText());
  }

  /**
   * The spec with what CRI-O's own has in addition, which others look for.
   *
   * @param configJson the container's config.json
   * @param addresses of its pod
   */
  void writeSpec(
      byte[] configJson, String name, int attempt, Instant created, List<String> addresses)
      throws IOException {
    ObjectNode spec = JSON.readValue(configJson, ObjectNode.class);
    ObjectNode annotations = spec.withObjectProperty("annotations");
    ObjectNode own = annotations.deepCopy();
    annotations.put("io.container.manager", "cri-o");
    annotations.put(CRIO + "Annotations", own.toString());
    annotations.put(
        CRIO + "Metadata",
        JSON.createObjectNode().put("name", name).put("attempt", attempt).toString());
    annotations.put(CRIO + "Created", created.toString());
    for (int i = 0; i < addresses.size(); i++) {
      annotations.put(CRIO + "IP." + i, addresses.get(i));
    }
    write(spec(), spec);
  }

  /**
   * The file by which Podman and CRI-O tell programs that they are in a container. They mount it
   * themselves and no request names it, but CRIU wants it where it was.
   */
  Optional<SpecMount> marker() throws IOException {
    if (!mounts().contains(MARKER)) {
      return Optional.empty();
    }
    Path file = folder.resolve("containerenv");
    Files.write(file, new byte[0]);
    return Optional.of(SpecMount.bind(MARKER, file.toString(), "bind", "rprivate", "ro"));
  }

  private TreeSet<String> mounts() throws IOException {
    TreeSet<String> destinations = new TreeSet<>();
    for (JsonNode mount : read(spec()).path("mounts")) {
      destinations.add(mount.path("destination").asText());
    }
    return destinations;
  }

  /**
   * Refuses a checkpoint of a container that had mounts which the new one has not: CRIU would look
   * for them in vain, and what was made for them belongs to the request alone.
   */
  void requireMounts(List<String> destinations) throws IOException {
    TreeSet<String> missing = mounts();
    destinations.forEach(missing::remove);
    if (!missing.isEmpty()) {
      throw new InvalidRequestException(
          "the checkpoint is of a container with mounts that the new one must have too: "
              + String.join(", ", missing));
    }
  }

  void writeDeleted(List<String> paths) throws IOException {
    ArrayNode names = JSON.createArrayNode();
    paths.forEach(path -> names.add("/" + path));
    write(deleted(), names);
  }

  List<String> readDeleted() throws IOException {
    if (!Files.exists(deleted())) {
      return List.of();
    }
    List<String> paths = new ArrayList<>();
    read(deleted()).forEach(path -> paths.add(path.asText()));
    return paths;
  }

  static void write(Path file, JsonNode json) throws IOException {
    Files.write(file, JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(json));
  }

  /**
   * @throws InvalidRequestException if it is not there, or no JSON
   */
  static JsonNode read(Path file) throws IOException {
    String name = String.valueOf(file.getFileName());
    if (!Files.isRegularFile(file)) {
      throw new InvalidRequestException("that is no checkpoint: it has no " + name);
    }
    if (Files.size(file) > MAX_JSON) {
      throw new InvalidRequestException(
          "%s of the checkpoint has more than %d bytes".formatted(name, MAX_JSON));
    }
    try {
      return JSON.readTree(Files.readAllBytes(file));
    } catch (JsonProcessingException e) {
      throw new InvalidRequestException(
          "%s of the checkpoint is no JSON: %s".formatted(name, e.getOriginalMessage()), e);
    }
  }

  static ObjectNode object() {
    return JSON.createObjectNode();
  }
}
