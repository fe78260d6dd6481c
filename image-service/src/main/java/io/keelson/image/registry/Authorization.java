package io.keelson.image.registry;

import io.keelson.image.Cancellation;
import io.keelson.image.RegistryCredentials;
import io.keelson.image.reference.ImageReference;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Optional;

/**
 * What one caller shows one registry for one repository: nothing at first, then what the registry's
 * challenges ask for. Safe for use by many threads.
 */
final class Authorization {

  private final RegistryHost host;
  private final String repository;
  private final RegistryCredentials credentials;
  private final TokenServer tokens;
  private final HttpTransport transport;
  private volatile String header;

  Authorization(
      RegistryHost host,
      String repository,
      RegistryCredentials credentials,
      TokenServer tokens,
      HttpTransport transport) {
    this.host = host;
    this.repository = repository;
    this.credentials = isFor(credentials, host) ? credentials : RegistryCredentials.ANONYMOUS;
    this.tokens = tokens;
    this.transport = transport;
    this.header =
        this.credentials.registryToken().isEmpty()
            ? ""
            : "Bearer " + this.credentials.registryToken();
  }

  /** The Authorization header as it is known now, {@code ""} for none. */
  String header() {
    return header;
  }

  /**
   * Learns from a refusal.
   *
   * @param refused the header that was sent
   * @return true if there is another header to try
   */
  boolean answer(String refused, List<Challenge> challenges, Cancellation cancellation)
      throws IOException {
    if (!header.equals(refused)) {
      // Another thread of this pull has been told the same and has asked for us.
      return true;
    }
    for (Challenge challenge : challenges) {
      Optional<String> next =
          switch (challenge.scheme()) {
            case "bearer" -> bearer(challenge, !refused.isEmpty(), cancellation);
            case "basic" -> basic();
            default -> Optional.empty();
          };
      if (next.isPresent() && !next.get().equals(refused)) {
        header = next.get();
        return true;
      }
    }
    return false;
  }

  private Optional<String> bearer(Challenge challenge, boolean renew, Cancellation cancellation)
      throws IOException {
    if (!credentials.registryToken().isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(
        "Bearer "
            + tokens.token(
                challenge, host, repository, credentials, renew, transport, cancellation));
  }

  private Optional<String> basic() {
    return basic(credentials);
  }

  /** The Basic header of the credentials, if they have a name and a password. */
  static Optional<String> basic(RegistryCredentials credentials) {
    if (!credentials.auth().isEmpty() && credentials.username().isEmpty()) {
      return Optional.of("Basic " + credentials.auth().strip());
    }
    if (credentials.username().isEmpty()) {
      return Optional.empty();
    }
    String pair = credentials.username() + ":" + credentials.password();
    return Optional.of(
        "Basic " + Base64.getEncoder().encodeToString(pair.getBytes(StandardCharsets.UTF_8)));
  }

  /**
   * Credentials that name a registry go to no other, and to no mirror of it. Docker's own is named
   * by its old address too.
   */
  private static boolean isFor(RegistryCredentials credentials, RegistryHost host) {
    String server = credentials.serverAddress().strip();
    if (server.isEmpty()) {
      return true;
    }
    int scheme = server.indexOf("://");
    String authority = scheme < 0 ? server : server.substring(scheme + 3);
    int slash = authority.indexOf('/');
    authority = slash < 0 ? authority : authority.substring(0, slash);
    return canonical(authority).equals(canonical(host.authority()))
        || (!host.mirror() && canonical(authority).equals(canonical(host.domain())));
  }

  private static String canonical(String authority) {
    return switch (authority) {
      case "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com" ->
          ImageReference.DOCKER_HUB;
      default -> authority;
    };
  }
}
