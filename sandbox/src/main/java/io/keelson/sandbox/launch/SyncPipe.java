package io.keelson.sandbox.launch;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.keelson.linux.Fd;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;

/**
 * The pipe on which conmon answers once: {@code {"pid": n}} or {@code {"pid": -1, "message": "…"}}
 * and a newline. With its end it answers nothing more.
 */
final class SyncPipe implements AutoCloseable {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int MAX_ANSWER = 64 * 1024;

  private final Fd fd;

  SyncPipe(Fd fd) {
    this.fd = fd;
  }

  /**
   * @param pid of the container's init process, or negative
   * @param message the runtime's words, {@code ""} if there are none
   */
  record Answer(int pid, String message) {}

  /**
   * Waits for the answer.
   *
   * @return empty if conmon ended without one
   * @throws NoAnswerException after {@code timeout}
   */
  Optional<Answer> await(Duration timeout) throws IOException {
    long deadline = System.nanoTime() + timeout.toNanos();
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    byte[] buffer = new byte[4096];
    while (line.size() < MAX_ANSWER) {
      if (!fd.awaitReadable(Duration.ofNanos(deadline - System.nanoTime()))) {
        throw new NoAnswerException(timeout);
      }
      int count = fd.read(buffer, 0, buffer.length);
      if (count < 0) {
        return Optional.empty();
      }
      line.write(buffer, 0, count);
      if (buffer[count - 1] == '\n') {
        break;
      }
    }
    return Optional.of(parse(line.toString(StandardCharsets.UTF_8)));
  }

  private static Answer parse(String line) throws IOException {
    JsonNode json;
    try {
      json = JSON.readTree(line);
    } catch (JsonProcessingException e) {
      throw new IOException("conmon answered what is no JSON: " + line.strip(), e);
    }
    JsonNode pid = json.has("data") ? json.path("data") : json.path("pid");
    if (!pid.isInt()) {
      throw new IOException("conmon answered without a pid: " + line.strip());
    }
    return new Answer(pid.asInt(), RuntimeWords.of(json.path("message").asText("")));
  }

  @Override
  public void close() {
    fd.close();
  }

  /** conmon did not answer in time. */
  static final class NoAnswerException extends IOException {

    private static final long serialVersionUID = 1L;

    NoAnswerException(Duration timeout) {
      super("no answer within " + timeout.toMillis() + " ms");
    }
  }
}
