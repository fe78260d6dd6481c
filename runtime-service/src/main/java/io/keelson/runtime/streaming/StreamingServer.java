package io.keelson.runtime.streaming;

import io.keelson.runtime.streaming.wire.SocketWire;
import io.keelson.sandbox.Containers;
import io.keelson.sandbox.Pods;
import java.io.IOException;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.StandardSocketOptions;
import java.util.Optional;
import jdk.net.ExtendedSocketOptions;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Serves the streams that calls of CRI have asked for, each connection on virtual threads of its
 * own. Safe for use by many threads.
 */
public final class StreamingServer implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(StreamingServer.class);

  private static final int BACKLOG = 512;

  /** A peer that has vanished without a word is noticed within two minutes. */
  private static final int KEEPALIVE_SECONDS = 60;

  private static final int KEEPALIVE_INTERVAL_SECONDS = 15;
  private static final int KEEPALIVE_PROBES = 4;

  private final ServerSocket listener;
  private final Optional<ReloadedTls> tls;
  private final String base;
  private final Tokens tokens;
  private final IdleConnections idle;
  private final ClientConnection connections;

  private StreamingServer(
      StreamingSettings settings,
      ServerSocket listener,
      Optional<ReloadedTls> tls,
      Containers containers,
      Pods pods) {
    this.listener = listener;
    this.tls = tls;
    this.base = base(settings.address(), listener.getLocalPort(), tls.isPresent());
    this.tokens = new Tokens(System::nanoTime);
    this.idle = new IdleConnections(settings.idleTimeout());
    this.connections =
        new ClientConnection(containers, pods, tokens, idle, settings.creationTimeout());
  }

  /**
   * Serves when it returns.
   *
   * @throws IOException if the port is taken, or the files for TLS are unfit
   */
  public static StreamingServer start(StreamingSettings settings, Containers containers, Pods pods)
      throws IOException {
    Optional<ReloadedTls> tls = Optional.empty();
    if (settings.tls().isPresent()) {
      tls = Optional.of(ReloadedTls.open(settings.tls().get()));
    }
    ServerSocket listener = new ServerSocket();
    try {
      listener.bind(new InetSocketAddress(settings.address(), settings.port()), BACKLOG);
    } catch (IOException e) {
      listener.close();
      throw new IOException(
          "streams can't be served on %s port %d: %s"
              .formatted(settings.address().getHostAddress(), settings.port(), e.getMessage()),
          e);
    }
    StreamingServer server = new StreamingServer(settings, listener, tls, containers, pods);
    Thread.ofVirtual().name("stream-accept").start(server::accept);
    return server;
  }

  /**
   * The URL at which the streams of this request are served, once and for a minute.
   *
   * @throws io.keelson.sandbox.error.ResourceExhaustedException if too many wait for their callers
   */
  public String url(StreamRequest request) {
    return base + "/" + request.kind() + "/" + tokens.issue(request);
  }

  /** Who listens everywhere is reached here, where CRI's callers are. */
  private static String base(InetAddress address, int port, boolean tls) {
    InetAddress reached = address.isAnyLocalAddress() ? InetAddress.getLoopbackAddress() : address;
    String host = reached.getHostAddress();
    return "%s://%s:%d"
        .formatted(
            tls ? "https" : "http",
            reached instanceof Inet6Address ? "[" + host + "]" : host,
            port);
  }

  private void accept() {
    while (true) {
      try {
        Socket socket = listener.accept();
        Thread.ofVirtual().name("stream").start(() -> serve(socket));
      } catch (IOException e) {
        if (listener.isClosed()) {
          return;
        }
        LOG.atWarn().setCause(e).log("a connection for a stream could not be accepted");
        pause();
      }
    }
  }

  private void serve(Socket socket) {
    try (socket) {
      socket.setTcpNoDelay(true);
      socket.setOption(StandardSocketOptions.SO_KEEPALIVE, true);
      socket.setOption(ExtendedSocketOptions.TCP_KEEPIDLE, KEEPALIVE_SECONDS);
      socket.setOption(ExtendedSocketOptions.TCP_KEEPINTERVAL, KEEPALIVE_INTERVAL_SECONDS);
      socket.setOption(ExtendedSocketOptions.TCP_KEEPCOUNT, KEEPALIVE_PROBES);
      if (tls.isEmpty()) {
        connections.serve(socket, new SocketWire(socket, socket));
        return;
      }
      try (Socket secured = tls.get().secure(socket)) {
        connections.serve(socket, new SocketWire(secured, socket));
      }
    } catch (IOException e) {
      LOG.debug("a connection for a stream has broken: {}", e.toString());
    } catch (RuntimeException e) {
      LOG.atWarn().setCause(e).log("a connection for a stream could not be served");
    }
  }

  /** Such as while no descriptor is left. */
  private static void pause() {
    try {
      Thread.sleep(100);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Takes no more connections and ends those that there are. */
  @Override
  public void close() throws IOException {
    listener.close();
    idle.close();
  }
}
