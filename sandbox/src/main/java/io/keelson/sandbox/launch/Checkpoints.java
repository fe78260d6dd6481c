package io.keelson.sandbox.launch;

import io.keelson.linux.CommandTimeoutException;
import io.keelson.sandbox.error.DeadlineExceededException;
import io.keelson.sandbox.error.OperationFailedException;
import io.keelson.sandbox.port.RuntimeHandler;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/** Checkpoints by an OCI runtime that drives CRIU. Safe for use by many threads. */
final class Checkpoints {

  private final Criu criu;

  Checkpoints(Criu criu) {
    this.criu = criu;
  }

  Optional<String> missing(RuntimeHandler handler, OciRuntime runtime) throws IOException {
    if (!runtime.drivesCriu()) {
      return Optional.of(
          "%s (runtime handler %s) is not built with CRIU"
              .formatted(handler.binary(), handler.name()));
    }
    return criu.missing();
  }

  void take(String id, OciRuntime runtime, Path images, Path logs, Duration timeout)
      throws IOException {
    try {
      runtime.checkpoint(id, images, logs, criu.environment(), timeout);
    } catch (CommandTimeoutException e) {
      throw new DeadlineExceededException(
          "the checkpoint of container %s did not end within %d s"
              .formatted(id, timeout.toSeconds()),
          e);
    } catch (OperationFailedException e) {
      throw explained("checkpoint of container " + id, e, logs.resolve("dump.log"));
    }
  }

  /** The same failure with what CRIU says of it, if it says something. */
  static OperationFailedException explained(String what, OperationFailedException e, Path log)
      throws IOException {
    Optional<String> words = Criu.firstErrorIn(log);
    return words.isEmpty()
        ? e
        : new OperationFailedException(
            "%s: CRIU says: %s (%s)".formatted(what, words.get(), e.getMessage()), e);
  }
}
