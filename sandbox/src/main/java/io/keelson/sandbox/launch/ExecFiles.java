package io.keelson.sandbox.launch;

import io.keelson.sandbox.error.OperationFailedException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * What the start of one command needs in the bundle of its container.
 *
 * @param folder the bundle
 * @param name of no other command
 */
record ExecFiles(Path folder, String name) {

  /** The runtime's own errors, as lines of JSON. */
  Path log() {
    return folder.resolve(name + ".log");
  }

  Path pid() {
    return folder.resolve(name + ".pid");
  }

  /** The process object. */
  Path process() {
    return folder.resolve(name + ".json");
  }

  /** The socket that a terminal is sent to. */
  Path console() {
    return folder.resolve(name + ".tty");
  }

  /** What the runtime said kept it from running the command. */
  Optional<OperationFailedException> failure(String containerId) throws IOException {
    String said;
    try {
      said = Files.readString(log(), StandardCharsets.UTF_8);
    } catch (NoSuchFileException e) {
      return Optional.empty();
    }
    return RuntimeWords.errorIn(said)
        .map(
            error ->
                new OperationFailedException(
                    "command can't be run in container %s: %s".formatted(containerId, error)));
  }

  void delete() throws IOException {
    for (Path file : new Path[] {log(), pid(), process(), console()}) {
      Files.deleteIfExists(file);
    }
  }
}
