package io.keelson.image.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import io.keelson.image.registry.hosts.TlsFiles;
import io.keelson.image.registry.tls.TlsContexts;
import io.keelson.image.request.Cancellation;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which servers are reached over the environment's proxy. */
class ProxiesTest {

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "https://example.org | | true",
        "http://example.org | | false",
        "https://localhost:5000 | | false",
        "https://127.3.2.1:5000 | | false",
        "https://[::1]:5000 | | false",
        "https://example.org | example.org | false",
        "https://a.example.org | example.org | false",
        "https://aexample.org | example.org | true",
        "https://example.org | .example.org | true",
        "https://a.Example.org | .example.ORG | false",
        "https://a.example.org | *.example.org | false",
        "https://example.org:5000 | example.org:5000 | false",
        "https://example.org:5001 | example.org:5000 | true",
        "https://example.org | example.org:443 | false",
        "https://10.1.2.3 | 10.1.0.0/16 | false",
        "https://10.2.2.3 | 10.1.0.0/16 | true",
        "https://example.org | 10.1.0.0/16 | true",
        "https://10.1.2.3 | 10.1.2.3 | false",
        "https://[fd00::5]:5000 | fd00::/8 | false",
        "https://[fd00::5]:5000 | fd00::5 | false",
        "https://[fd00::5]:5000 | [fd00::5]:5001 | true",
        "https://example.org | a,  b , example.org | false",
        "https://example.org | * | false",
      })
  void exceptionsAreMadeAsOtherProgramsMakeThem(String server, String except, boolean proxied)
      throws Exception {
    Proxies proxies =
        new Proxies(
            Map.of("HTTPS_PROXY", "proxy.test:3128", "no_proxy", except == null ? "" : except));
    assertThat(proxies.of(URI.create(server)).proxy().type())
        .isEqualTo(proxied ? Proxy.Type.HTTP : Proxy.Type.DIRECT);
  }

  @Test
  void whatIsNoProxyIsNotPassedBy() {
    for (String wrong : List.of("https://proxy.test", "http://", "::", "ftp://a:1")) {
      Proxies proxies = new Proxies(Map.of("HTTP_PROXY", wrong));
      assertThatThrownBy(() -> proxies.of(URI.create("http://example.org")))
          .as(wrong)
          .isInstanceOf(IOException.class)
          .hasMessageContaining("proxy");
    }
  }

  @Test
  void aProxyThatAsksWhoItIsGetsNameAndPassword() throws Exception {
    List<String> shown = new CopyOnWriteArrayList<>();
    HttpServer proxy =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    proxy.createContext(
        "/",
        exchange -> {
          try (exchange) {
            String login = exchange.getRequestHeaders().getFirst("Proxy-Authorization");
            shown.add(exchange.getRequestURI() + " " + login);
            if (login == null) {
              exchange.getResponseHeaders().set("Proxy-Authenticate", "Basic realm=\"x\"");
              exchange.sendResponseHeaders(407, -1);
            } else {
              exchange.sendResponseHeaders(200, 2);
              exchange.getResponseBody().write("ok".getBytes(StandardCharsets.UTF_8));
            }
          }
        });
    proxy.start();
    try {
      String environment = "http://me:p%40ss@127.0.0.1:" + proxy.getAddress().getPort();
      TlsContexts tls = new TlsContexts(Optional.empty());
      HttpTransport transport =
          new HttpTransport(
              () -> tls.of(TlsFiles.SYSTEM),
              new Proxies(Map.of("HTTP_PROXY", environment)),
              Duration.ofSeconds(5),
              Duration.ofSeconds(5));
      try (HttpReply reply =
          transport.get(URI.create("http://example.test/v2/"), Map.of(), Cancellation.never())) {
        assertThat(reply.status()).isEqualTo(200);
      }
      assertThat(shown)
          .containsExactly(
              "http://example.test/v2/ null", "http://example.test/v2/ Basic bWU6cEBzcw==");
    } finally {
      proxy.stop(0);
    }
  }
}
