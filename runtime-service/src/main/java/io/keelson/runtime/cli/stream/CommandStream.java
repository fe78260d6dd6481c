package io.keelson.runtime.cli.stream;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.keelson.linux.TerminalMode;
import io.keelson.runtime.streaming.spdy.SpdyStream;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;

/**
 * An exec or attach, with this process' own streams at the other end.
 *
 * @param stdin what the command reads; empty for nothing
 * @param terminal the command runs in a terminal, which takes the size of this one
 */
public record CommandStream(
    Optional<InputStream> stdin, OutputStream stdout, OutputStream stderr, boolean terminal) {

  private static final String PROTOCOL = "v4.channel.k8s.io";
  private static final long SIZE_MILLIS = 200;

  /**
   * With the standard input of this process, if it is wanted.
   *
   * @param interactive the command reads
   */
  public static CommandStream of(
      boolean interactive, OutputStream stdout, OutputStream stderr, boolean terminal) {
    return new CommandStream(
        interactive ? Optional.of(new FileInputStream(FileDescriptor.in)) : Optional.empty(),
        stdout,
        stderr,
        terminal);
  }

  /**
   * Connects, and returns when it has ended.
   *
   * @return the exit code; 0 of an attach
   * @throws IOException with the daemon's words if it failed
   */
  public int run(String url) throws IOException, InterruptedException {
    try (StreamConnection connection = StreamConnection.open(url, PROTOCOL);
        Restored _ = Restored.raw(terminal && stdin.isPresent())) {
      SpdyStream error = open(connection, "error");
      if (stdin.isPresent()) {
        SpdyStream in = open(connection, "stdin");
        // A read of standard input can't be ended, so it must not keep this process alive.
        Thread.ofPlatform().daemon().name("stdin").start(() -> feed(stdin.get(), in));
      }
      SpdyStream out = open(connection, "stdout");
      Thread copiesOut = copy(out, stdout);
      Thread copiesErr = terminal ? copiesOut : copy(open(connection, "stderr"), stderr);
      if (terminal) {
        SpdyStream resize = open(connection, "resize");
        Thread.ofVirtual().name("resize").start(() -> follow(resize));
      }
      byte[] status = error.input().readAllBytes();
      copiesOut.join();
      copiesErr.join();
      return exitCode(status);
    }
  }

  private static SpdyStream open(StreamConnection connection, String type) throws IOException {
    return connection.stream(Map.of("streamtype", type));
  }

  private static void feed(InputStream from, SpdyStream to) {
    byte[] buffer = new byte[16 * 1024];
    try (OutputStream out = to.output()) {
      for (int count = from.read(buffer); count >= 0; count = from.read(buffer)) {
        out.write(buffer, 0, count);
      }
    } catch (IOException e) {
      to.reset(); // the command has ended, or reads no more
    }
  }

  private static Thread copy(SpdyStream from, OutputStream to) {
    return Thread.ofVirtual()
        .name("output")
        .start(
            () -> {
              try {
                long _ = from.input().transferTo(to);
                to.flush();
              } catch (IOException e) {
                from.reset(); // nobody reads, or the connection has broken, which the status tells
              }
            });
  }

  /** Looks at the size of the window from time to time, which costs less than a signal handler. */
  private static void follow(SpdyStream resize) {
    Optional<TerminalMode.Size> last = Optional.empty();
    try (OutputStream out = resize.output()) {
      while (true) {
        Optional<TerminalMode.Size> size = TerminalMode.size();
        if (size.isPresent() && !size.equals(last)) {
          last = size;
          String json =
              "{\"Width\":%d,\"Height\":%d}\n".formatted(size.get().columns(), size.get().rows());
          out.write(json.getBytes(StandardCharsets.US_ASCII));
        }
        Thread.sleep(SIZE_MILLIS);
      }
    } catch (IOException | InterruptedException e) {
      resize.reset(); // the command has ended
    }
  }

  private static int exitCode(byte[] json) throws IOException {
    JsonNode status = new ObjectMapper().readTree(json);
    if (status.path("status").asText().equals("Success")) {
      return 0;
    }
    if (status.path("reason").asText().equals("NonZeroExitCode")) {
      for (JsonNode cause : status.path("details").path("causes")) {
        if (cause.path("reason").asText().equals("ExitCode")) {
          return Integer.parseInt(cause.path("message").asText());
        }
      }
    }
    throw new IOException(status.path("message").asText("the daemon gave no reason"));
  }

  /** The terminal as it was, again, whatever ends the stream. */
  private record Restored(Optional<TerminalMode> mode) implements AutoCloseable {

    static Restored raw(boolean wanted) throws IOException {
      return new Restored(wanted ? TerminalMode.raw() : Optional.empty());
    }

    @Override
    public void close() throws IOException {
      if (mode.isPresent()) {
        mode.get().close();
      }
    }
  }
}
