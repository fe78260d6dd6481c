package io.keelson.runtime.streaming;

import io.keelson.runtime.streaming.spdy.SpdyConnection;
import io.keelson.runtime.streaming.spdy.SpdyStream;
import io.keelson.sandbox.port.ExecSession;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** An exec or attach over SPDY: each channel is a stream, which its header names. */
final class SpdyCommandChannels implements CommandChannels {

  /** The versions, the newest first. */
  static final List<String> PROTOCOLS =
      List.of("v4.channel.k8s.io", "v3.channel.k8s.io", "v2.channel.k8s.io", "channel.k8s.io");

  private static final String ERROR = "error";
  private static final String STDIN = "stdin";
  private static final String STDOUT = "stdout";
  private static final String STDERR = "stderr";
  private static final String RESIZE = "resize";
  private static final List<String> KNOWN = List.of(ERROR, STDIN, STDOUT, STDERR, RESIZE);

  private final SpdyConnection connection;
  private final int version;
  private final List<String> expected;
  private final CountDownLatch missing;
  private final Map<String, SpdyStream> streams = new ConcurrentHashMap<>();

  /**
   * The channels of a connection that has just been upgraded.
   *
   * @param protocol one of {@link #PROTOCOLS}
   */
  SpdyCommandChannels(SpdyConnection connection, String protocol, ExecSession.Wanted wanted) {
    this.connection = connection;
    this.version = PROTOCOLS.size() - PROTOCOLS.indexOf(protocol);
    this.expected = expected(wanted, version);
    this.missing = new CountDownLatch(expected.size());
  }

  private static List<String> expected(ExecSession.Wanted wanted, int version) {
    List<String> streams = new ArrayList<>(List.of(ERROR));
    if (wanted.stdin()) {
      streams.add(STDIN);
    }
    if (wanted.stdout()) {
      streams.add(STDOUT);
    }
    if (wanted.stderr()) {
      streams.add(STDERR);
    }
    if (wanted.terminal() && version >= 3) {
      streams.add(RESIZE);
    }
    return streams;
  }

  @Override
  public void serve() throws IOException {
    connection.serve(this::opened);
  }

  private boolean opened(SpdyStream stream) {
    String type = stream.header("streamtype");
    if (!KNOWN.contains(type) || streams.putIfAbsent(type, stream) != null) {
      return false;
    }
    if (expected.contains(type)) {
      missing.countDown();
    }
    return true;
  }

  @Override
  public void awaitOpen(Duration timeout) throws IOException, InterruptedException {
    if (!missing.await(timeout.toMillis(), TimeUnit.MILLISECONDS)) {
      throw new IOException(
          "the client did not open its streams within %d s: %s of %s"
              .formatted(timeout.toSeconds(), streams.keySet(), expected));
    }
  }

  @Override
  public InputStream stdin() {
    return input(STDIN);
  }

  @Override
  public InputStream resizes() {
    return input(RESIZE);
  }

  private InputStream input(String type) {
    SpdyStream stream = streams.get(type);
    return stream == null ? InputStream.nullInputStream() : stream.input();
  }

  @Override
  public OutputStream stdout() {
    return output(STDOUT);
  }

  @Override
  public OutputStream stderr() {
    return output(STDERR);
  }

  private OutputStream output(String type) {
    SpdyStream stream = streams.get(type);
    return stream == null ? OutputStream.nullOutputStream() : stream.output();
  }

  @Override
  public void finish(CommandStatus status) throws IOException {
    for (String type : List.of(STDOUT, STDERR)) {
      output(type).close();
    }
    try (OutputStream error = output(ERROR)) {
      error.write(version >= 4 ? status.json() : status.plain());
    }
    for (String type : List.of(STDIN, RESIZE)) {
      output(type).close();
    }
  }

  @Override
  public long idleNanos() {
    return connection.idleNanos();
  }

  @Override
  public void close() {
    connection.close();
  }
}
