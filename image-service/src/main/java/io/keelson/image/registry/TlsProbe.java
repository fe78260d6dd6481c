package io.keelson.image.registry;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.time.Duration;

/**
 * Finds out whether a registry on the loopback, which may be spoken to by plain HTTP, wants TLS. On
 * the loopback nobody stands between, so that the answer can be trusted. Safe for use by many
 * threads.
 */
final class TlsProbe {

  private static final Duration PATIENCE = Duration.ofSeconds(2);
  private static final int HTTP = 80;

  /** As far as the status, {@code HTTP/1.1 200}. */
  private static final int ANSWER = 12;

  private TlsProbe() {}

  /** False also if nobody answers. */
  static boolean wantsTls(String domain) {
    URI address = URI.create("http://" + domain);
    int port = address.getPort() < 0 ? HTTP : address.getPort();
    try (Socket socket = new Socket()) {
      socket.connect(new InetSocketAddress(address.getHost(), port), (int) PATIENCE.toMillis());
      socket.setSoTimeout((int) PATIENCE.toMillis());
      String request = "GET /v2/ HTTP/1.1\r\nHost: " + domain + "\r\nConnection: close\r\n\r\n";
      socket.getOutputStream().write(request.getBytes(US_ASCII));
      String answer = new String(socket.getInputStream().readNBytes(ANSWER), US_ASCII);
      // Who wants TLS hangs up, sends an alert, or answers in words that this is a bad request.
      return !answer.startsWith("HTTP/1.") || answer.endsWith(" 400");
    } catch (IOException e) {
      return false;
    }
  }
}
