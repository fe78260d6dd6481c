package io.keelson.image.registry;

import java.io.EOFException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.time.Duration;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;

/**
 * Finds out whether a registry on the loopback, which may be spoken to by plain HTTP, speaks TLS.
 * On the loopback nobody stands between, so that the answer can be trusted. Safe for use by many
 * threads.
 */
final class TlsProbe {

  private static final Duration PATIENCE = Duration.ofSeconds(2);
  private static final int HTTPS = 443;

  private final SSLSocketFactory sockets;

  TlsProbe(SSLSocketFactory sockets) {
    this.sockets = sockets;
  }

  /** True also if its certificate is not trusted; false if nobody answers. */
  boolean speaksTls(String domain) {
    URI address = URI.create("https://" + domain);
    int port = address.getPort() < 0 ? HTTPS : address.getPort();
    String host = address.getHost();
    try (Socket socket = new Socket()) {
      socket.connect(new InetSocketAddress(host, port), (int) PATIENCE.toMillis());
      socket.setSoTimeout((int) PATIENCE.toMillis());
      try (SSLSocket tls = (SSLSocket) sockets.createSocket(socket, host, port, true)) {
        tls.startHandshake();
        return true;
      }
    } catch (SSLHandshakeException e) {
      // Who speaks plain HTTP hangs up on what he does not understand, or answers in words.
      return !(e.getCause() instanceof EOFException);
    } catch (IOException e) {
      return false;
    }
  }
}
