package io.keelson.runtime.config;

import java.net.InetAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/** The keys of the table {@code [streaming]}. */
final class StreamingKeys {

  static final Key<InetAddress> ADDRESS =
      Key.of(
          "streaming.address",
          ValueTypes.ADDRESS,
          InetAddress.ofLiteral("127.0.0.1"),
          """
          The address on which the streams of exec, attach and port-forward are served. A kubelet
          passes them on from this node, so that nobody else need reach it. Who listens on all
          addresses ("0.0.0.0", "::") names the loopback to CRI's callers.\
          """);

  static final Key<Long> PORT =
      Key.of(
          "streaming.port",
          ValueTypes.integer(0, 65_535),
          0L,
          """
          The port of it; 0 for a free one.\
          """);

  static final Key<Optional<Path>> TLS_CERT =
      Key.of(
          "streaming.tls_cert_file",
          ValueTypes.OPTIONAL_PATH,
          Optional.empty(),
          """
          The certificate (PEM, with its chain) by which streams are served over TLS; "" for plain
          HTTP. The files are read again when they change.\
          """);

  static final Key<Optional<Path>> TLS_KEY =
      Key.of(
          "streaming.tls_key_file",
          ValueTypes.OPTIONAL_PATH,
          Optional.empty(),
          """
          The private key (PEM) of the certificate.\
          """);

  static final Key<Optional<Path>> TLS_CLIENT_CA =
      Key.of(
          "streaming.tls_client_ca_file",
          ValueTypes.OPTIONAL_PATH,
          Optional.empty(),
          """
          Certificates (PEM) that sign those of clients, who must have one then; "" for clients
          without.\
          """);

  static final Key<Duration> IDLE_TIMEOUT =
      Key.of(
          "streaming.idle_timeout",
          ValueTypes.duration(Duration.ofSeconds(1), Duration.ofHours(10_000)),
          Duration.ofHours(4),
          """
          How long a stream may say nothing before it is ended.\
          """);

  static final Key<Duration> CREATION_TIMEOUT =
      Key.of(
          "streaming.creation_timeout",
          ValueTypes.duration(Duration.ofSeconds(1), Duration.ofHours(1)),
          Duration.ofSeconds(30),
          """
          How long a client that has connected may take to ask for its streams.\
          """);

  private StreamingKeys() {}
}
