package io.keelson.runtime.cli.stream;

import io.keelson.runtime.streaming.spdy.SpdyConnection;
import io.keelson.runtime.streaming.spdy.SpdyStream;
import io.keelson.runtime.streaming.wire.SocketWire;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.util.Map;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedTrustManager;

/** A connection to the URL of a stream, over SPDY/3.1. Safe for use by many threads. */
public final class StreamConnection implements AutoCloseable {

  private static final int MAX_HEAD = 16 * 1024;

  private final SpdyConnection connection;

  private StreamConnection(SpdyConnection connection) {
    this.connection = connection;
  }

  /**
   * Connects.
   *
   * @param protocol the version of the protocol within the streams
   * @throws IOException with the daemon's words if it refuses
   */
  public static StreamConnection open(String url, String protocol) throws IOException {
    URI uri = URI.create(url);
    Socket plain = new Socket(uri.getHost(), uri.getPort());
    try {
      plain.setTcpNoDelay(true);
      Socket socket = uri.getScheme().equals("https") ? secured(plain, uri) : plain;
      String request =
          """
          POST %s HTTP/1.1\r
          Host: %s\r
          Connection: Upgrade\r
          Upgrade: SPDY/3.1\r
          X-Stream-Protocol-Version: %s\r
          \r
          """
              .formatted(uri.getPath(), uri.getAuthority(), protocol);
      SocketWire wire = new SocketWire(socket, plain);
      wire.out().write(request.getBytes(StandardCharsets.US_ASCII));
      wire.out().flush();
      String head = head(wire.in());
      if (!head.startsWith("HTTP/1.1 101 ")) {
        throw new IOException(
            "the daemon refused the stream: " + head.lines().findFirst().orElse("no answer"));
      }
      SpdyConnection connection = new SpdyConnection(wire);
      Thread.ofVirtual().name("stream").start(() -> serve(connection));
      return new StreamConnection(connection);
    } catch (IOException e) {
      plain.close();
      throw e;
    }
  }

  private static void serve(SpdyConnection connection) {
    try {
      connection.serve(_ -> false);
    } catch (IOException e) {
      connection.close(); // whoever reads a stream is told
    }
  }

  private static String head(InputStream in) throws IOException {
    ByteArrayOutputStream head = new ByteArrayOutputStream();
    while (!head.toString(StandardCharsets.ISO_8859_1).endsWith("\r\n\r\n")) {
      int b = in.read();
      if (b < 0 || head.size() > MAX_HEAD) {
        break;
      }
      head.write(b);
    }
    return head.toString(StandardCharsets.ISO_8859_1);
  }

  /** Opens a stream with these headers. */
  public SpdyStream stream(Map<String, String> headers) throws IOException {
    return connection.open(headers);
  }

  @Override
  public void close() {
    connection.close();
  }

  /**
   * The daemon itself named the URL, with a token in it that nobody else knows, and it is on this
   * node; so its certificate is not checked, as no kubelet does.
   */
  private static Socket secured(Socket plain, URI uri) throws IOException {
    try {
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(null, new TrustManager[] {new AnyCertificate()}, null);
      return context.getSocketFactory().createSocket(plain, uri.getHost(), uri.getPort(), true);
    } catch (GeneralSecurityException e) {
      throw new IOException(e.getMessage(), e);
    }
  }

  private static final class AnyCertificate extends X509ExtendedTrustManager {

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket) {}

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type) {}

    @Override
    public X509Certificate[] getAcceptedIssuers() {
      return new X509Certificate[0];
    }
  }
}
