package io.keelson.runtime.daemon;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Finds programs on this host, as a shell does, and where distributions hide them. */
final class Programs {

  /** Searched after PATH, since a daemon may be started with a short one. */
  private static final List<Path> MORE =
      List.of(
          Path.of("/usr/local/bin"),
          Path.of("/usr/bin"),
          Path.of("/usr/local/sbin"),
          Path.of("/usr/sbin"),
          Path.of("/usr/libexec/podman"),
          Path.of("/usr/lib/podman"));

  private final List<Path> folders;

  Programs(String searchPath) {
    List<Path> all = new ArrayList<>();
    for (String folder : searchPath.split(":", -1)) {
      if (folder.startsWith("/")) {
        all.add(Path.of(folder));
      }
    }
    all.addAll(MORE);
    this.folders = List.copyOf(all);
  }

  /** With the search path of this process. */
  static Programs ofHost() {
    return new Programs(System.getenv().getOrDefault("PATH", ""));
  }

  /**
   * Looks for a program.
   *
   * @param name an absolute path, or a name without a slash
   */
  Optional<Path> find(String name) {
    if (name.startsWith("/")) {
      return Optional.of(Path.of(name)).filter(Programs::isProgram);
    }
    return folders.stream().map(f -> f.resolve(name)).filter(Programs::isProgram).findFirst();
  }

  private static boolean isProgram(Path path) {
    return Files.isRegularFile(path) && Files.isExecutable(path);
  }
}
