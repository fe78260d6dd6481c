package io.keelson.linux;

import java.io.IOException;
import java.time.Duration;
import java.util.List;

/** A helper program has not ended in time and was killed with all that it had started. */
public final class CommandTimeoutException extends IOException {

  private static final long serialVersionUID = 1L;

  CommandTimeoutException(List<String> command, Duration timeout, String stderr) {
    super(
        "no end within %d ms, killed: %s%s"
            .formatted(
                timeout.toMillis(),
                String.join(" ", command),
                stderr.isEmpty() ? "" : ": " + stderr));
  }
}
