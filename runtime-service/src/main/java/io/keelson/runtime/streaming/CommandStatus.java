package io.keelson.runtime.streaming;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/** How an exec or attach ended, as its client is told on the error stream. */
sealed interface CommandStatus {

  /** It ended well. */
  record Success() implements CommandStatus {}

  /** The command's own exit code, which is not 0. */
  record Exited(int code) implements CommandStatus {}

  /** It could not be run. */
  record Failed(String message) implements CommandStatus {}

  static CommandStatus ofExitCode(int code) {
    return code == 0 ? new Success() : new Exited(code);
  }

  /** A Status object of Kubernetes, as protocols from version 4 on have it. */
  default byte[] json() {
    ObjectMapper mapper = new ObjectMapper();
    ObjectNode status = mapper.createObjectNode();
    status.putObject("metadata");
    switch (this) {
      case Success() -> status.put("status", "Success");
      case Exited(int code) -> {
        status.put("status", "Failure").put("message", text()).put("reason", "NonZeroExitCode");
        status
            .putObject("details")
            .putArray("causes")
            .addObject()
            .put("reason", "ExitCode")
            .put("message", Integer.toString(code));
      }
      case Failed(String message) -> {
        status.put("status", "Failure").put("message", message).put("reason", "InternalError");
        status.putObject("details").putArray("causes").addObject().put("message", message);
        status.put("code", 500);
      }
    }
    try {
      return mapper.writeValueAsBytes(status);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What is written of it before version 4: nothing of a success. */
  default byte[] plain() {
    return text().getBytes(StandardCharsets.UTF_8);
  }

  private String text() {
    return switch (this) {
      case Success() -> "";
      case Exited(int code) -> "command terminated with non-zero exit code: exit status " + code;
      case Failed(String message) -> message;
    };
  }
}
