package io.keelson.image.registry;

import io.keelson.image.reference.ImageReference;
import io.keelson.image.registry.login.KeptCredentials;
import io.keelson.image.request.Cancellation;
import io.keelson.image.request.RegistryCredentials;
import io.keelson.sandbox.error.OperationFailedException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What one caller shows one host for one repository: nothing at first, then what the host's
 * challenges ask for. Credentials that the node keeps are looked for when they are asked for. Safe
 * for use by many threads.
 */
final class Authorization {

  private final RegistryHost host;
  private final String repository;
  private final TokenServer tokens;
  private final HttpTransport transport;
  private final KeptCredentials kept;
  private volatile @Nullable RegistryCredentials credentials;
  private volatile String header;

  Authorization(
      RegistryHost host,
      String repository,
      RegistryCredentials given,
      KeptCredentials kept,
      TokenServer tokens,
      HttpTransport transport) {
    this.host = host;
    this.repository = repository;
    this.kept = kept;
    this.tokens = tokens;
    this.transport = transport;
    boolean usable = !given.isAnonymous() && isFor(given, host);
    // The node helps out who brings nothing, and at mirrors, which callers don't know.
    boolean unknown = given.isAnonymous() || !host.origin();
    this.credentials = usable ? given : unknown ? null : RegistryCredentials.ANONYMOUS;
    this.header =
        usable && !given.registryToken().isEmpty() ? "Bearer " + given.registryToken() : "";
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
    RegistryCredentials known = credentials();
    for (Challenge challenge : challenges) {
      Optional<String> next =
          switch (challenge.scheme()) {
            case "bearer" -> bearer(known, challenge, !refused.isEmpty(), cancellation);
            case "basic" -> basic(known);
            default -> Optional.empty();
          };
      if (next.isPresent() && !next.get().equals(refused)) {
        header = next.get();
        return true;
      }
    }
    return false;
  }

  private RegistryCredentials credentials() {
    RegistryCredentials known = credentials;
    if (known == null) {
      String registry = host.origin() ? host.domain() : host.authority();
      try {
        known = kept.find(registry, repository).orElse(RegistryCredentials.ANONYMOUS);
      } catch (IOException e) {
        // Asking again would cost the helper's deadline again.
        throw new OperationFailedException(
            "credentials for registry " + registry + ": " + e.getMessage(), e);
      }
      credentials = known;
    }
    return known;
  }

  private Optional<String> bearer(
      RegistryCredentials known, Challenge challenge, boolean renew, Cancellation cancellation)
      throws IOException {
    if (!known.registryToken().isEmpty()) {
      return Optional.of("Bearer " + known.registryToken());
    }
    return Optional.of(
        "Bearer "
            + tokens.token(challenge, host, repository, known, renew, transport, cancellation));
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
        || (host.origin() && canonical(authority).equals(canonical(host.domain())));
  }

  private static String canonical(String authority) {
    return switch (authority) {
      case "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com" ->
          ImageReference.DOCKER_HUB;
      default -> authority;
    };
  }
}
