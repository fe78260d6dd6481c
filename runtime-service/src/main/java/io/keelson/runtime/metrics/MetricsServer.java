package io.keelson.runtime.metrics;

import io.keelson.runtime.server.SocketFile;
import io.keelson.sandbox.NodeRuntime;
import io.prometheus.client.CollectorRegistry;
import io.prometheus.client.exporter.common.TextFormat;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.StringWriter;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntSupplier;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Serves {@code /metrics} (Prometheus' text format) and {@code /debug} over HTTP on a loopback
 * address or a unix socket. One answer a connection, on a virtual thread of its own.
 */
public final class MetricsServer implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(MetricsServer.class);

  private static final int MOST_CONNECTIONS = 16;
  private static final int MOST_HEADER_LINES = 100;
  private static final long PAUSE_NANOS = 100_000_000;
  private static final String SOCKET_GROUP = "root";

  private final CollectorRegistry registry;
  private final DebugPage debug;
  private final ServerSocketChannel channel;
  private final Optional<SocketFile> file;
  private final Semaphore connections = new Semaphore(MOST_CONNECTIONS);

  private MetricsServer(
      CollectorRegistry registry,
      DebugPage debug,
      ServerSocketChannel channel,
      Optional<SocketFile> file) {
    this.registry = registry;
    this.debug = debug;
    this.channel = channel;
    this.file = file;
  }

  /**
   * Serves when it returns.
   *
   * @param queues how many wait, by what they wait for
   * @param stuck what does not get on, one line for each
   * @param registry holds the metrics of calls already; those of the node are added
   */
  public static MetricsServer start(
      SocketAddress address,
      CollectorRegistry registry,
      NodeRuntime runtime,
      Operations operations,
      Map<String, IntSupplier> queues,
      Supplier<List<String>> stuck)
      throws IOException {
    registry.register(new NodeCollector(runtime, operations, queues));
    Optional<SocketFile> file =
        address instanceof UnixDomainSocketAddress unix
            ? Optional.of(new SocketFile(unix.getPath(), SOCKET_GROUP))
            : Optional.empty();
    MetricsServer server =
        new MetricsServer(registry, new DebugPage(operations, stuck), bind(address, file), file);
    Thread.ofVirtual().name("metrics").start(server::accept);
    LOG.atInfo().addKeyValue("address", address).log("metrics are served");
    return server;
  }

  private static ServerSocketChannel bind(SocketAddress address, Optional<SocketFile> file)
      throws IOException {
    ServerSocketChannel channel =
        file.isPresent()
            ? ServerSocketChannel.open(StandardProtocolFamily.UNIX)
            : ServerSocketChannel.open();
    try {
      if (file.isPresent()) {
        channel.bind(UnixDomainSocketAddress.of(file.get().prepare()));
        file.get().publish();
      } else {
        channel.bind(address);
      }
      return channel;
    } catch (IOException e) {
      channel.close();
      throw e;
    }
  }

  /** The port that is served, for one that was left to the kernel. */
  public int port() throws IOException {
    return channel.getLocalAddress() instanceof InetSocketAddress inet ? inet.getPort() : 0;
  }

  private void accept() {
    while (true) {
      try {
        connections.acquire();
        SocketChannel connection = channel.accept();
        Thread.ofVirtual().name("metrics-answer").start(() -> serve(connection));
      } catch (ClosedChannelException _) {
        return;
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      } catch (IOException e) {
        connections.release();
        LOG.atDebug().log("no connection: {}", e.getMessage());
        LockSupport.parkNanos(PAUSE_NANOS); // such as while no descriptor is left
      }
    }
  }

  private void serve(SocketChannel connection) {
    try (connection) {
      BufferedReader reader =
          new BufferedReader(
              new InputStreamReader(
                  Channels.newInputStream(connection), StandardCharsets.US_ASCII));
      String request = reader.readLine();
      for (int i = 0; i < MOST_HEADER_LINES; i++) {
        String header = reader.readLine();
        if (header == null || header.isEmpty()) {
          break;
        }
      }
      answer(request == null ? "" : request, Channels.newOutputStream(connection));
    } catch (IOException e) {
      LOG.atDebug().log("no answer: {}", e.getMessage());
    } finally {
      connections.release();
    }
  }

  private void answer(String request, OutputStream out) throws IOException {
    String[] words = request.split(" ", 3);
    String path = words.length < 2 ? "" : words[1].split("\\?", 2)[0];
    if (!words[0].equals("GET")) {
      write(out, "405 Method Not Allowed", "text/plain", "only GET is served\n");
    } else if (path.equals("/metrics")) {
      StringWriter text = new StringWriter();
      TextFormat.write004(text, registry.metricFamilySamples());
      write(out, "200 OK", TextFormat.CONTENT_TYPE_004, text.toString());
    } else if (path.equals("/debug")) {
      write(out, "200 OK", "text/plain; charset=utf-8", debug.text());
    } else {
      write(out, "404 Not Found", "text/plain", "there are /metrics and /debug\n");
    }
  }

  private static void write(OutputStream out, String status, String type, String text)
      throws IOException {
    byte[] body = text.getBytes(StandardCharsets.UTF_8);
    String head =
        "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
            .formatted(status, type, body.length);
    out.write(head.getBytes(StandardCharsets.US_ASCII));
    out.write(body);
    out.flush();
  }

  @Override
  public void close() throws IOException {
    channel.close();
    if (file.isPresent()) {
      file.get().delete();
    }
  }
}
