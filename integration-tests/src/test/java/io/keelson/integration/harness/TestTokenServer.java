package io.keelson.integration.harness;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Instant;
import java.util.Base64;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Gives tokens that a real registry believes (distribution project, "Token Authentication
 * Specification"), to one user by password and by refresh token. Others get tokens for nothing.
 */
public final class TestTokenServer implements AutoCloseable {

  public static final String USER = "tokens";
  public static final String PASSWORD = "pass word";
  public static final String REFRESH_TOKEN = "refresh+token";
  static final String ISSUER = "test-issuer";
  static final String SERVICE = "test service";

  private final HttpServer server;
  private final TestCertificates certificates;
  private final AtomicInteger count = new AtomicInteger();

  private TestTokenServer(HttpServer server, TestCertificates certificates) {
    this.server = server;
    this.certificates = certificates;
  }

  public static TestTokenServer start(TestCertificates certificates) throws IOException {
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    TestTokenServer tokens = new TestTokenServer(server, certificates);
    server.createContext("/token", tokens::answer);
    server.start();
    return tokens;
  }

  String realm() {
    return "http://127.0.0.1:" + server.getAddress().getPort() + "/token";
  }

  /** Whose certificates' signatures the registry is to believe. */
  Path authority() {
    return certificates.authority();
  }

  /** How many tokens were asked for. */
  public int count() {
    return count.get();
  }

  private void answer(HttpExchange exchange) throws IOException {
    try (exchange) {
      count.incrementAndGet();
      String form =
          exchange.getRequestMethod().equals("POST")
              ? new String(exchange.getRequestBody().readAllBytes(), UTF_8)
              : exchange.getRequestURI().getRawQuery();
      String login = String.valueOf(exchange.getRequestHeaders().getFirst("Authorization"));
      String right =
          "Basic " + Base64.getEncoder().encodeToString((USER + ":" + PASSWORD).getBytes(UTF_8));
      boolean known = login.equals(right) || parameter(form, "refresh_token").equals(REFRESH_TOKEN);
      boolean asksForLogin = !login.equals("null") || !parameter(form, "refresh_token").isEmpty();
      if (asksForLogin && !known) {
        exchange.sendResponseHeaders(401, -1);
        return;
      }
      String repository = parameter(form, "scope").replaceAll("^repository:|:pull$", "");
      String key = exchange.getRequestMethod().equals("POST") ? "access_token" : "token";
      byte[] body =
          "{\"%s\":\"%s\",\"expires_in\":300}"
              .formatted(key, token(repository, known))
              .getBytes(UTF_8);
      exchange.sendResponseHeaders(200, body.length);
      exchange.getResponseBody().write(body);
    }
  }

  private static String parameter(String form, String name) {
    for (String pair : form.split("&", -1)) {
      if (pair.startsWith(name + "=")) {
        return URLDecoder.decode(pair.substring(name.length() + 1), UTF_8);
      }
    }
    return "";
  }

  /** A token for pulling from a repository, or one that is good for nothing. */
  public String token(String repository, boolean allowed) throws IOException {
    long now = Instant.now().getEpochSecond();
    String header =
        "{\"typ\":\"JWT\",\"alg\":\"RS256\",\"x5c\":[\"%s\"]}"
            .formatted(block(certificates.authority()));
    String access =
        allowed
            ? "{\"type\":\"repository\",\"name\":\"%s\",\"actions\":[\"pull\"]}"
                .formatted(repository)
            : "";
    String claims =
        """
        {"iss":"%s","sub":"x","aud":"%s","exp":%d,"nbf":%d,"iat":%d,"jti":"1","access":[%s]}\
        """
            .formatted(ISSUER, SERVICE, now + 300, now - 10, now, access);
    String text = encoded(header.getBytes(UTF_8)) + "." + encoded(claims.getBytes(UTF_8));
    try {
      Signature signature = Signature.getInstance("SHA256withRSA");
      signature.initSign(key());
      signature.update(text.getBytes(UTF_8));
      return text + "." + encoded(signature.sign());
    } catch (GeneralSecurityException e) {
      throw new IOException(e);
    }
  }

  private PrivateKey key() throws IOException, GeneralSecurityException {
    byte[] der = Base64.getDecoder().decode(block(certificates.authorityKey()));
    return KeyFactory.getInstance("RSA").generatePrivate(new PKCS8EncodedKeySpec(der));
  }

  private static String block(Path pem) throws IOException {
    return Files.readString(pem).replaceAll("-----[A-Z ]+-----|\\s", "");
  }

  private static String encoded(byte[] bytes) {
    return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
  }

  @Override
  public void close() {
    server.stop(0);
  }
}
