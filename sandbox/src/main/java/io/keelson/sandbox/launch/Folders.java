package io.keelson.sandbox.launch;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** Folders as wholes. */
final class Folders {

  private Folders() {}

  /**
   * Deletes a folder of the daemon's own with what is in it, following no link. Harmless if it is
   * not there.
   */
  static void delete(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      return;
    }
    List<Path> outermostFirst;
    try (Stream<Path> all = Files.walk(folder)) {
      outermostFirst = all.toList();
    }
    for (Path path : outermostFirst.reversed()) {
      Files.deleteIfExists(path);
    }
  }
}
