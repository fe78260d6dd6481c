package io.keelson.runtime.streaming;

import io.keelson.sandbox.tls.KeyFiles;
import io.keelson.sandbox.tls.Pem;
import io.keelson.sandbox.tls.Renewed;
import io.keelson.sandbox.tls.TlsManagers;
import java.io.IOException;
import java.net.Socket;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;

/** TLS with files that are read again when they have changed. Safe for use by many threads. */
final class ReloadedTls {

  private final Renewed<SSLContext> context;
  private final boolean asksClients;

  private ReloadedTls(Renewed<SSLContext> context, boolean asksClients) {
    this.context = context;
    this.asksClients = asksClients;
  }

  /**
   * Reads the files.
   *
   * @throws IOException if one is missing or unfit
   */
  static ReloadedTls open(StreamingSettings.Tls settings) throws IOException {
    List<Path> files = new ArrayList<>(List.of(settings.certificate(), settings.key()));
    settings.clientCa().ifPresent(files::add);
    return new ReloadedTls(
        Renewed.open("streams", files, () -> load(settings)), settings.clientCa().isPresent());
  }

  /** The server's side of TLS on a connection; closing it closes the connection. */
  Socket secure(Socket connection) throws IOException {
    SSLSocket socket =
        (SSLSocket)
            context
                .current()
                .getSocketFactory()
                .createSocket(connection, null, connection.getPort(), true);
    socket.setUseClientMode(false);
    socket.setNeedClientAuth(asksClients);
    return socket;
  }

  private static SSLContext load(StreamingSettings.Tls settings) throws IOException {
    KeyManager[] own = {
      TlsManagers.keys(List.of(new KeyFiles(settings.certificate(), settings.key())))
    };
    Optional<Path> authorities = settings.clientCa();
    try {
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(
          own,
          authorities.isEmpty()
              ? null
              : new TrustManager[] {TlsManagers.trust(Pem.certificates(authorities.get()))},
          null);
      return context;
    } catch (GeneralSecurityException e) {
      throw new IOException("TLS can't be served: " + e.getMessage(), e);
    }
  }
}
