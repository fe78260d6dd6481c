package io.keelson.image.registry;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.keelson.image.request.Cancellation;
import io.keelson.image.request.RegistryCredentials;
import io.keelson.sandbox.error.OperationFailedException;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.StringJoiner;

/**
 * Gets bearer tokens from the servers that registries send to (distribution project, "Token
 * Authentication Specification"), and keeps each for as long as it holds. Safe for use by many
 * threads.
 */
final class TokenServer {

  private static final int MAX_ANSWER = 1 << 20;
  private static final int DEFAULT_LIFE_SECONDS = 60;
  private static final int MARGIN_SECONDS = 10;
  private static final String CLIENT = "keelson";

  private final ObjectMapper json = new ObjectMapper();
  private final Cache<Request, Token> known =
      Caffeine.newBuilder().maximumSize(500).expireAfterWrite(Duration.ofHours(1)).build();

  private record Request(
      String realm, String service, String scope, RegistryCredentials credentials) {}

  private record Token(String value, long expiresAtNanos) {
    boolean isFresh() {
      return System.nanoTime() - expiresAtNanos < 0;
    }
  }

  /**
   * @param transport by which the registry is reached, whose certificates are good for its token
   *     server too
   * @param renew the registry has refused the token that is kept
   * @throws OperationFailedException if the server gives none
   */
  String token(
      Challenge challenge,
      RegistryHost host,
      String repository,
      RegistryCredentials credentials,
      boolean renew,
      HttpTransport transport,
      Cancellation cancellation)
      throws IOException {
    String scope = challenge.parameter("scope");
    Request request =
        new Request(
            challenge.parameter("realm"),
            challenge.parameter("service"),
            scope.isEmpty() ? "repository:" + repository + ":pull" : scope,
            credentials);
    Token kept = known.getIfPresent(request);
    if (kept != null && !renew && kept.isFresh()) {
      return kept.value();
    }
    Token token = fetch(request, realm(request.realm(), host), transport, cancellation);
    known.put(request, token);
    return token.value();
  }

  private static URI realm(String realm, RegistryHost host) throws IOException {
    URI uri;
    try {
      uri = new URI(realm);
    } catch (URISyntaxException e) {
      throw new IOException("registry " + host.domain() + " names no token server: " + realm, e);
    }
    boolean secure = "https".equals(uri.getScheme());
    if (uri.getHost() == null || (!secure && !("http".equals(uri.getScheme()) && host.isPlain()))) {
      throw new IOException(
          "registry %s names a token server that can't be trusted with a password: %s"
              .formatted(host.domain(), realm));
    }
    return uri;
  }

  private Token fetch(
      Request request, URI realm, HttpTransport transport, Cancellation cancellation)
      throws IOException {
    try (HttpReply reply = ask(request, realm, transport, cancellation)) {
      if (RetryPolicy.isPassing(reply.status())) {
        throw new OverloadedException(
            "token server %s: HTTP %d".formatted(realm.getAuthority(), reply.status()),
            reply.header("Retry-After"));
      }
      if (!reply.isSuccess()) {
        throw new OperationFailedException(
            "token server %s refuses %s (HTTP %d): %s"
                .formatted(
                    realm.getAuthority(),
                    request.credentials(),
                    reply.status(),
                    reply.errorText()));
      }
      JsonNode answer = json.readTree(reply.body(MAX_ANSWER));
      String value = answer.path("token").asText("");
      if (value.isEmpty()) {
        value = answer.path("access_token").asText("");
      }
      if (value.isEmpty() || value.chars().anyMatch(c -> c <= ' ' || c > '~')) {
        throw new IOException("token server " + realm.getAuthority() + " answers without a token");
      }
      int life = Math.max(answer.path("expires_in").asInt(DEFAULT_LIFE_SECONDS), 0);
      long usable = Math.max(life - MARGIN_SECONDS, 1);
      return new Token(value, System.nanoTime() + Duration.ofSeconds(usable).toNanos());
    } catch (JsonProcessingException e) {
      throw new IOException("token server " + realm.getAuthority() + " answers no JSON", e);
    }
  }

  private static HttpReply ask(
      Request request, URI realm, HttpTransport transport, Cancellation cancellation)
      throws IOException {
    RegistryCredentials credentials = request.credentials();
    if (!credentials.identityToken().isEmpty()) {
      HttpReply reply = transport.post(realm, refresh(request), cancellation);
      boolean unknown = reply.status() == 404 || reply.status() == 405;
      if (!unknown || credentials.password().isEmpty()) {
        return reply;
      }
      // A server that knows the older way only.
      reply.close();
    }
    String joint = realm.getRawQuery() == null ? "?" : "&";
    URI uri = URI.create(realm + joint + query(request));
    Map<String, String> headers =
        Authorization.basic(credentials)
            .map(basic -> Map.of("Authorization", basic))
            .orElseGet(Map::of);
    return transport.get(uri, headers, cancellation);
  }

  private static String refresh(Request request) {
    return new StringJoiner("&")
        .add("service=" + encoded(request.service()))
        .add("scope=" + encoded(request.scope()))
        .add("client_id=" + CLIENT)
        .add("grant_type=refresh_token")
        .add("refresh_token=" + encoded(request.credentials().identityToken()))
        .toString();
  }

  private static String query(Request request) {
    StringJoiner query = new StringJoiner("&");
    if (!request.service().isEmpty()) {
      query.add("service=" + encoded(request.service()));
    }
    // Several scopes are several parameters.
    for (String scope : request.scope().split(" ", -1)) {
      query.add("scope=" + encoded(scope));
    }
    if (!request.credentials().username().isEmpty()) {
      query.add("account=" + encoded(request.credentials().username()));
    }
    return query.toString();
  }

  private static String encoded(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
  }
}
