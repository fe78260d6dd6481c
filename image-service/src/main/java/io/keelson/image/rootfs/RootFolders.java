package io.keelson.image.rootfs;

import io.keelson.sandbox.error.InvalidRequestException;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/**
 * The folders of all containers' root file systems.
 *
 * @param path {@code rootfs}
 */
record RootFolders(Path path) {

  private static final Pattern CONTAINER_ID = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_.-]{0,127}");

  /** One container's, made or not. */
  RootFolder of(String containerId) {
    if (!CONTAINER_ID.matcher(containerId).matches()) {
      throw new InvalidRequestException("no id of a container: \"" + containerId + "\"");
    }
    return new RootFolder(path.resolve(containerId));
  }

  /** Those that are there. */
  List<RootFolder> all() throws IOException {
    List<RootFolder> folders = new ArrayList<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(path)) {
      for (Path entry : entries) {
        if (CONTAINER_ID.matcher(entry.getFileName().toString()).matches()) {
          folders.add(new RootFolder(entry));
        }
      }
    }
    return folders;
  }
}
