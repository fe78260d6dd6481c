package io.keelson.sandbox;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import io.keelson.proto.cri.v1.PodSandboxMetadata;
import io.keelson.sandbox.error.InvalidRequestException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The files of a pod's checkpoint in a folder: an archive for each container, and what says whose
 * they are. The names are those of checkpointctl (lib/metadata.go); that of containers comes last,
 * so that a folder which has it is whole.
 */
record PodCheckpoint(Path folder) {

  private static final int VERSION = 1;

  private Path pod() {
    return folder.resolve("pod.dump");
  }

  private Path options() {
    return folder.resolve("pod.options");
  }

  boolean exists() {
    return Files.exists(options());
  }

  /** The archive of a container; its number is used, for names may be anything. */
  Path archive(String name, List<String> names) {
    return folder.resolve("container-" + names.indexOf(name) + ".tar");
  }

  /** All files of a checkpoint of these containers. */
  List<Path> files(List<String> names) {
    List<Path> files = new ArrayList<>(List.of(pod(), options()));
    names.forEach(name -> files.add(archive(name, names)));
    return files;
  }

  void write(PodSandboxConfig config, List<String> names) throws IOException {
    PodSandboxMetadata metadata = config.getMetadata();
    ObjectNode pod = CheckpointFiles.object();
    pod.withObjectProperty("metadata")
        .put("name", metadata.getName())
        .put("uid", metadata.getUid())
        .put("namespace", metadata.getNamespace());
    pod.put("hostname", config.getHostname());
    CheckpointFiles.write(pod(), pod);
    ObjectNode options = CheckpointFiles.object().put("version", VERSION);
    names.forEach(options.putArray("containers")::add);
    CheckpointFiles.write(options(), options);
  }

  /**
   * The names of the containers.
   *
   * @throws InvalidRequestException if there is no checkpoint, or not of this version
   */
  List<String> read() throws IOException {
    JsonNode options = CheckpointFiles.read(options());
    int version = options.path("version").asInt();
    if (version != VERSION) {
      throw new InvalidRequestException(
          "the checkpoint in %s is of version %d, and only %d is known"
              .formatted(folder, version, VERSION));
    }
    List<String> names = new ArrayList<>();
    options.path("containers").forEach(name -> names.add(name.asText()));
    return names;
  }
}
