package io.keelson.sandbox.launch;

import io.keelson.linux.CommandTimeoutException;
import io.keelson.linux.Commands;
import io.keelson.linux.Commands.Output;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * The program that writes processes to files and makes them again (criu(8)). Runtimes start it by
 * its name, so what is configured comes first in their search path.
 */
final class Criu {

  private static final String NAME = "criu";
  private static final int MAX_OUTPUT = 64 * 1024;

  private static final String ANY_MODES = "skip-file-rwx-check";

  private final Supplier<Optional<Path>> program;
  private final Duration timeout;

  /**
   * @param program is asked at each use: it may be installed while the daemon runs
   */
  Criu(Supplier<Optional<Path>> program, Duration timeout) {
    this.program = program;
    this.timeout = timeout;
  }

  /** What is missing on this host; empty if it can work here. */
  Optional<String> missing() throws IOException {
    Optional<Path> found = program.get();
    if (found.isEmpty()) {
      return Optional.of("CRIU is not installed (package criu)");
    }
    if (!found.get().endsWith(NAME)) {
      return Optional.of(found.get() + " can't be used: runtimes start CRIU by the name criu");
    }
    Output output;
    try {
      output =
          Commands.run(
              List.of(found.get().toString(), "check"),
              OciRuntime.ENVIRONMENT,
              new byte[0],
              timeout,
              MAX_OUTPUT);
    } catch (CommandTimeoutException e) {
      return Optional.of(String.valueOf(e.getMessage()));
    }
    return output.isSuccess()
        ? Optional.empty()
        : Optional.of(
            "%s can't work on this kernel: %s"
                .formatted(
                    found.get(),
                    firstError(output.stderrText())
                        .orElse("criu check ended with " + output.exitCode())));
  }

  /** The environment of a runtime that is to start it. */
  Map<String, String> environment() {
    Map<String, String> environment = new HashMap<>(OciRuntime.ENVIRONMENT);
    program
        .get()
        .map(Path::getParent)
        .ifPresent(
            folder -> environment.merge("PATH", folder + ":", (path, first) -> first + path));
    return environment;
  }

  /**
   * The environment of a runtime that is to restore, also what another store of images had: stores
   * differ in the mode of a root folder that no layer has, and CRIU takes no other.
   *
   * @param folder receives what CRIU is told thereby, for runtimes have no option for it
   */
  Map<String, String> restoreEnvironment(Path folder) throws IOException {
    Map<String, String> environment = environment();
    if (knows(ANY_MODES)) {
      Path configuration = folder.resolve("criu.conf");
      Files.writeString(configuration, ANY_MODES + "\n");
      environment.put("CRIU_CONFIG_FILE", configuration.toString());
    }
    return environment;
  }

  /** Whether it is young enough for an option. */
  private boolean knows(String option) throws IOException {
    Optional<Path> found = program.get();
    if (found.isEmpty()) {
      return false;
    }
    Output help =
        Commands.run(
            List.of(found.get().toString(), "--help"),
            OciRuntime.ENVIRONMENT,
            new byte[0],
            timeout,
            MAX_OUTPUT);
    return new String(help.stdout(), StandardCharsets.UTF_8).contains("--" + option);
  }

  /** The first error in one of its logs; empty if there is none, or no log. */
  static Optional<String> firstErrorIn(Path log) throws IOException {
    try {
      return firstError(new String(Files.readAllBytes(log), StandardCharsets.UTF_8));
    } catch (NoSuchFileException e) {
      return Optional.empty();
    }
  }

  // "(00.204384) Error (criu/tty.c:1861): tty: Found dangling tty with sid 1 ..."; those that
  // follow it say what failed for that.
  private static Optional<String> firstError(String log) {
    for (String line : log.split("\n", -1)) {
      int error = line.indexOf("Error (");
      if (error >= 0 && !line.contains("FAILED") && !line.contains("RLIMIT_NOFILE")) {
        int text = line.indexOf("): ", error);
        return Optional.of(text < 0 ? line.substring(error) : line.substring(text + 3).strip());
      }
    }
    return Optional.empty();
  }
}
