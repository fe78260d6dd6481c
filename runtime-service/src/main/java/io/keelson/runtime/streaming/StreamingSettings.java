package io.keelson.runtime.streaming;

import java.net.InetAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * What the configuration says of streaming.
 *
 * @param port 0 for a free one
 * @param tls empty for plain HTTP
 * @param idleTimeout after which a connection on which nothing moves is ended
 * @param creationTimeout within which a client must have asked, and opened the streams that it
 *     wants
 */
public record StreamingSettings(
    InetAddress address,
    int port,
    Optional<Tls> tls,
    Duration idleTimeout,
    Duration creationTimeout) {

  /**
   * TLS, with files in PEM that are read again when they change.
   *
   * @param clientCa signs the certificates of clients, who must have one then
   */
  public record Tls(Path certificate, Path key, Optional<Path> clientCa) {}
}
