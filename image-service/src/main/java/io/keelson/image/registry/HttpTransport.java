package io.keelson.image.registry;

import io.keelson.image.registry.tls.Tls;
import io.keelson.image.request.Cancellation;
import java.io.IOException;
import java.io.OutputStream;
import java.net.HttpURLConnection;
import java.net.MalformedURLException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CancellationException;
import javax.net.ssl.HttpsURLConnection;
import org.jspecify.annotations.Nullable;

/**
 * Sends single requests; follows redirects without carrying credentials to other hosts. The JDK's
 * older client, because it moves a byte for a third of the newer one's processor time. Safe for use
 * by many threads.
 */
final class HttpTransport {

  private static final int MAX_REDIRECTS = 8;

  /** All others may hold secrets of the host that they are for. */
  private static final Set<String> HEADERS_FOR_ALL = Set.of("Accept", "Range");

  private final TlsSource tls;
  private final Proxies proxies;
  private final Duration connectTimeout;
  private final Duration stallTimeout;

  /** Gives what TLS needs, when it is needed: plain HTTP reads no certificates. */
  @FunctionalInterface
  interface TlsSource {
    Tls get() throws IOException;
  }

  HttpTransport(TlsSource tls, Proxies proxies, Duration connectTimeout, Duration stallTimeout) {
    this.tls = tls;
    this.proxies = proxies;
    this.connectTimeout = connectTimeout;
    this.stallTimeout = stallTimeout;
  }

  Duration stallTimeout() {
    return stallTimeout;
  }

  /**
   * GET, over redirects.
   *
   * @throws CancellationException if {@code cancellation} came before the answer
   */
  HttpReply get(URI uri, Map<String, String> headers, Cancellation cancellation)
      throws IOException {
    URI target = uri;
    boolean sameOrigin = true;
    for (int redirects = 0; ; redirects++) {
      HttpReply reply = send(target, headers, sameOrigin, null, cancellation);
      if (!isRedirect(reply.status())) {
        return reply;
      }
      String location = reply.header("Location");
      reply.close();
      if (location == null || redirects == MAX_REDIRECTS) {
        throw new IOException(
            location == null
                ? target + " redirects to nowhere"
                : uri + " redirects more than " + MAX_REDIRECTS + " times");
      }
      URI next = resolve(target, location);
      if (target.getScheme().equals("https") && !next.getScheme().equals("https")) {
        throw new IOException(uri + " redirects from TLS to plain HTTP");
      }
      sameOrigin &= isSameOrigin(target, next);
      target = next;
    }
  }

  /** POST of a form. A redirect is an answer like others. */
  HttpReply post(URI uri, String form, Cancellation cancellation) throws IOException {
    return send(
        uri,
        Map.of("Content-Type", "application/x-www-form-urlencoded"),
        true,
        form.getBytes(StandardCharsets.UTF_8),
        cancellation);
  }

  private HttpReply send(
      URI uri,
      Map<String, String> headers,
      boolean withCredentials,
      byte @Nullable [] body,
      Cancellation cancellation)
      throws IOException {
    HttpURLConnection connection = open(uri);
    headers.forEach(
        (name, value) -> {
          if (withCredentials || HEADERS_FOR_ALL.contains(name)) {
            connection.setRequestProperty(name, value);
          }
        });
    try {
      if (body != null) {
        connection.setDoOutput(true);
        connection.setRequestMethod("POST");
        connection.setFixedLengthStreamingMode(body.length);
        try (OutputStream out = connection.getOutputStream()) {
          out.write(body);
        }
      }
      return new HttpReply(connection, uri);
    } catch (IOException | RuntimeException e) {
      connection.disconnect();
      cancellation.check();
      throw e;
    }
  }

  private HttpURLConnection open(URI uri) throws IOException {
    HttpURLConnection connection;
    Proxies.Choice proxy = proxies.of(uri);
    try {
      connection = (HttpURLConnection) uri.toURL().openConnection(proxy.proxy());
    } catch (MalformedURLException | IllegalArgumentException | ClassCastException e) {
      throw new IOException("no address of a web server: " + uri, e);
    }
    if (connection instanceof HttpsURLConnection secure) {
      Tls settings = tls.get();
      secure.setSSLSocketFactory(settings.sockets());
      if (settings.skipVerify()) {
        secure.setHostnameVerifier((name, session) -> true);
      }
    }
    if (proxy.login() != null) {
      connection.setAuthenticator(proxy.login());
    }
    connection.setInstanceFollowRedirects(false);
    connection.setUseCaches(false);
    connection.setConnectTimeout((int) connectTimeout.toMillis());
    connection.setReadTimeout((int) stallTimeout.toMillis());
    connection.setRequestProperty("User-Agent", "keelson");
    connection.setRequestProperty("Accept-Encoding", "identity");
    return connection;
  }

  static CancellationException cancelled() {
    return new CancellationException("the caller has gone");
  }

  private static boolean isRedirect(int status) {
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
  }

  private static URI resolve(URI from, String location) throws IOException {
    URI next;
    try {
      next = from.resolve(new URI(location));
    } catch (URISyntaxException e) {
      throw new IOException(from + " redirects to what is no address: " + location, e);
    }
    if (next.getHost() == null
        || !("http".equals(next.getScheme()) || "https".equals(next.getScheme()))) {
      throw new IOException(from + " redirects to what is no web server: " + location);
    }
    return next;
  }

  private static boolean isSameOrigin(URI a, URI b) {
    return a.getScheme().equals(b.getScheme())
        && a.getHost().equalsIgnoreCase(b.getHost())
        && port(a) == port(b);
  }

  private static int port(URI uri) {
    if (uri.getPort() >= 0) {
      return uri.getPort();
    }
    return uri.getScheme().equals("https") ? 443 : 80;
  }
}
