package io.keelson.integration.harness;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;

/**
 * What a plugin in a process of its own is to do: a file, which may change while it runs. Beside it
 * the plugin writes down the calls that it got.
 */
final class PluginScript {

  private final Path file;

  PluginScript(Path file) {
    this.file = file;
  }

  Path file() {
    return file;
  }

  /** For all that the plugin prints. */
  Path log() {
    return beside(".log");
  }

  private Path beside(String suffix) {
    return file.resolveSibling(file.getFileName() + suffix);
  }

  /** Replaces all lines; the plugin never sees the file missing. */
  void says(String... lines) throws IOException {
    Path next = beside(".next");
    Files.write(next, List.of(lines));
    Files.move(next, file, StandardCopyOption.ATOMIC_MOVE);
  }

  List<String> calls() {
    Path calls = beside(".calls");
    try {
      return Files.exists(calls) ? Files.readAllLines(calls) : List.of();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  void forgetCalls() throws IOException {
    Files.deleteIfExists(beside(".calls"));
  }
}
