package io.keelson.csi.local;

import io.keelson.linux.Commands;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** The host's programs that make, check, grow and copy file systems. */
final class Programs {

  private static final Duration TIMEOUT = Duration.ofMinutes(10);
  private static final int MAX_OUTPUT = 64 << 10;
  private static final String PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

  /** Runs a program that must succeed; answers its standard output. */
  String run(String... command) throws IOException {
    Commands.Output output = tryRun(command);
    if (!output.isSuccess()) {
      throw new IOException(
          "%s ended with %d: %s"
              .formatted(
                  String.join(" ", command),
                  output.exitCode(),
                  (output.stderrText() + output.stdoutText()).strip()));
    }
    return output.stdoutText().strip();
  }

  Commands.Output tryRun(String... command) throws IOException {
    return Commands.run(
        List.of(command), Map.of("PATH", PATH, "LC_ALL", "C"), new byte[0], TIMEOUT, MAX_OUTPUT);
  }
}
