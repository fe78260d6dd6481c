package io.keelson.linux.cgroup;

import io.keelson.linux.Commands;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** Asks systemd for what it alone can do; by systemctl(1), since that is rare. */
final class Systemctl {

  private static final List<Path> PLACES =
      List.of(
          Path.of("/usr/bin/systemctl"),
          Path.of("/bin/systemctl"),
          Path.of("/run/current-system/sw/bin/systemctl"));

  /** The answer of systemctl for a unit that systemd does not know (LSB: not installed). */
  private static final int NOT_LOADED = 5;

  private static final int MAX_OUTPUT = 4096;

  private Systemctl() {}

  /**
   * Stops a unit with all that is in it and waits until systemd has done so. Harmless if systemd
   * does not know it.
   *
   * @throws IOException with the words of systemctl if it can't be stopped within {@code timeout}
   */
  static void stop(String unit, Duration timeout) throws IOException {
    List<String> command = List.of(program().toString(), "stop", "--", unit);
    Commands.Output output = Commands.run(command, Map.of(), new byte[0], timeout, MAX_OUTPUT);
    if (!output.isSuccess() && output.exitCode() != NOT_LOADED) {
      throw new IOException(
          "systemctl stop %s: exit code %d: %s"
              .formatted(unit, output.exitCode(), output.stderrText().strip()));
    }
  }

  private static Path program() throws IOException {
    return PLACES.stream()
        .filter(Files::isExecutable)
        .findFirst()
        .orElseThrow(() -> new IOException("systemctl is not there: looked for " + PLACES));
  }
}
