package io.keelson.runtime.streaming;

import io.keelson.runtime.streaming.spdy.SpdyConnection;
import io.keelson.runtime.streaming.websocket.WebSocketConnection;
import io.keelson.runtime.streaming.websocket.WebSocketHandshake;
import io.keelson.runtime.streaming.websocket.WebSocketTunnel;
import io.keelson.runtime.streaming.wire.HttpAnswer;
import io.keelson.runtime.streaming.wire.HttpRequest;
import io.keelson.runtime.streaming.wire.Wire;
import io.keelson.sandbox.Containers;
import io.keelson.sandbox.Pods;
import io.keelson.sandbox.port.ExecSession;
import java.io.IOException;
import java.net.Socket;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** What becomes of a connection: its request is read, its token redeemed, its protocol chosen. */
final class ClientConnection {

  private static final String TUNNEL = "SPDY/3.1+" + SpdyPortForward.PROTOCOL;

  private final Containers containers;
  private final Pods pods;
  private final Tokens tokens;
  private final IdleConnections idle;
  private final Duration creationTimeout;

  ClientConnection(
      Containers containers,
      Pods pods,
      Tokens tokens,
      IdleConnections idle,
      Duration creationTimeout) {
    this.containers = containers;
    this.pods = pods;
    this.tokens = tokens;
    this.idle = idle;
    this.creationTimeout = creationTimeout;
  }

  /** Serves the connection to its end. */
  void serve(Socket socket, Wire wire) throws IOException {
    socket.setSoTimeout((int) creationTimeout.toMillis());
    HttpRequest request;
    try {
      request = HttpRequest.read(wire.in());
    } catch (HttpRequest.BadRequestException e) {
      HttpAnswer.badRequest(String.valueOf(e.getMessage())).writeTo(wire.out());
      return;
    }
    socket.setSoTimeout(0);
    Optional<StreamRequest> stream = redeem(request);
    if (stream.isEmpty()) {
      HttpAnswer.notFound("no such stream, or its minute is over").writeTo(wire.out());
    } else if (WebSocketHandshake.isAskedFor(request)) {
      serveWebSocket(request, stream.get(), wire);
    } else if (request.upgradesTo("SPDY/3.1")) {
      serveSpdy(request, stream.get(), wire);
    } else {
      HttpAnswer.badRequest("streams need an upgrade to SPDY/3.1 or WebSocket").writeTo(wire.out());
    }
  }

  private Optional<StreamRequest> redeem(HttpRequest request) {
    String[] path = request.path().split("/", -1);
    if (path.length != 3 || !List.of("GET", "POST").contains(request.method())) {
      return Optional.empty();
    }
    return tokens.redeem(path[2]).filter(stream -> stream.kind().equals(path[1]));
  }

  private void serveSpdy(HttpRequest request, StreamRequest stream, Wire wire) throws IOException {
    boolean ports = stream instanceof StreamRequest.PortForward;
    List<String> ours = ports ? List.of(SpdyPortForward.PROTOCOL) : SpdyCommandChannels.PROTOCOLS;
    List<String> theirs = request.values("x-stream-protocol-version");
    // The first clients knew no versions, and are those of the oldest.
    Optional<String> protocol =
        theirs.isEmpty() ? Optional.of(ours.getLast()) : chosen(theirs, ours);
    if (protocol.isEmpty()) {
      HttpAnswer.forbidden(
              "this server speaks " + String.join(", ", ours),
              ours.stream().map(p -> "X-Accepted-Stream-Protocol-Versions: " + p).toList())
          .writeTo(wire.out());
      return;
    }
    HttpAnswer.switching("SPDY/3.1", List.of("X-Stream-Protocol-Version: " + protocol.get()))
        .writeTo(wire.out());
    SpdyConnection connection = new SpdyConnection(wire);
    if (stream instanceof StreamRequest.PortForward forward) {
      forwardPorts(forward.podId(), connection);
    } else {
      runCommand(stream, new SpdyCommandChannels(connection, protocol.get(), wanted(stream)));
    }
  }

  private void serveWebSocket(HttpRequest request, StreamRequest stream, Wire wire)
      throws IOException {
    boolean ports = stream instanceof StreamRequest.PortForward;
    List<String> ours =
        ports ? List.of(TUNNEL, WebSocketPortForward.PROTOCOL) : WebSocketCommandChannels.PROTOCOLS;
    List<String> theirs = WebSocketHandshake.protocols(request);
    Optional<String> protocol = theirs.isEmpty() ? Optional.of("") : chosen(theirs, ours);
    if (protocol.isEmpty()) {
      HttpAnswer.forbidden("this server speaks " + String.join(", ", ours), List.of())
          .writeTo(wire.out());
      return;
    }
    HttpAnswer answer = WebSocketHandshake.accept(request, protocol.get());
    answer.writeTo(wire.out());
    if (answer.status() != 101) {
      return;
    }
    WebSocketConnection connection = new WebSocketConnection(wire);
    if (!(stream instanceof StreamRequest.PortForward forward)) {
      runCommand(stream, new WebSocketCommandChannels(connection, protocol.get(), wanted(stream)));
    } else if (protocol.get().equals(TUNNEL)) {
      forwardPorts(forward.podId(), new SpdyConnection(new WebSocketTunnel(connection)));
    } else {
      List<Integer> asked = forward.ports().isEmpty() ? ports(request) : forward.ports();
      try (var _ = idle.watch(connection::idleNanos, connection::close)) {
        new WebSocketPortForward(pods, forward.podId(), connection, asked).run();
      }
    }
  }

  private static Optional<String> chosen(List<String> theirs, List<String> ours) {
    return theirs.stream().filter(ours::contains).findFirst();
  }

  private static List<Integer> ports(HttpRequest request) {
    return Stream.of(request.query().split("&", -1))
        .filter(parameter -> parameter.matches("ports?=[0-9]{1,5}(,[0-9]{1,5})*"))
        .flatMap(
            parameter -> Stream.of(parameter.substring(parameter.indexOf('=') + 1).split(",", -1)))
        .map(Integer::valueOf)
        .filter(port -> port > 0 && port < 65_536)
        .toList();
  }

  private static ExecSession.Wanted wanted(StreamRequest stream) {
    return switch (stream) {
      case StreamRequest.Exec exec -> exec.wanted();
      case StreamRequest.Attach attach -> attach.wanted();
      case StreamRequest.PortForward _ -> throw new IllegalStateException("ports have no streams");
    };
  }

  private void runCommand(StreamRequest stream, CommandChannels channels) throws IOException {
    try (var _ = idle.watch(channels::idleNanos, channels::close)) {
      new CommandSession(containers, stream, channels, creationTimeout).run();
    }
  }

  private void forwardPorts(String podId, SpdyConnection connection) throws IOException {
    try (var _ = idle.watch(connection::idleNanos, connection::close)) {
      new SpdyPortForward(pods, podId, connection, creationTimeout).run();
    }
  }
}
