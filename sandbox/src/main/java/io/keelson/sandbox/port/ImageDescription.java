package io.keelson.sandbox.port;

import java.util.List;
import java.util.Map;

/**
 * An image as a container sees it (OCI image spec, config).
 *
 * @param id digest of the config, {@code sha256:…}: the one id used everywhere
 * @param repoTags sorted, may be empty
 * @param repoDigests {@code repository@sha256:…}, sorted, may be empty
 * @param size bytes of its layers on disk
 * @param user the config's User, {@code ""} if none: {@code user[:group]}, names or numbers
 * @param env in the image's order, {@code NAME=value}
 * @param entrypoint may be empty
 * @param command may be empty
 * @param workingDirectory {@code ""} if none
 * @param stopSignal {@code ""} if none: {@code SIGTERM} or a number
 * @param labels the config's labels
 * @param volumes container paths that want a volume
 */
public record ImageDescription(
    String id,
    List<String> repoTags,
    List<String> repoDigests,
    long size,
    String user,
    List<String> env,
    List<String> entrypoint,
    List<String> command,
    String workingDirectory,
    String stopSignal,
    Map<String, String> labels,
    List<String> volumes) {

  public ImageDescription {
    repoTags = List.copyOf(repoTags);
    repoDigests = List.copyOf(repoDigests);
    env = List.copyOf(env);
    entrypoint = List.copyOf(entrypoint);
    command = List.copyOf(command);
    labels = Map.copyOf(labels);
    volumes = List.copyOf(volumes);
  }

  /** An image of which nothing but its id is known any more. */
  public static ImageDescription unknown(String id) {
    return new ImageDescription(
        id, List.of(), List.of(), 0, "", List.of(), List.of(), List.of(), "", "", Map.of(),
        List.of());
  }
}
