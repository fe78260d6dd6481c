package io.keelson.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keelson.image.fixture.ConnectProxy;
import io.keelson.image.fixture.LayerTar;
import io.keelson.image.fixture.MemoryFolders;
import io.keelson.image.fixture.TestAuthority;
import io.keelson.image.fixture.TestImage;
import io.keelson.image.fixture.TestRegistry;
import io.keelson.image.registry.RegistrySettings;
import io.keelson.image.request.Cancellation;
import io.keelson.image.request.PullProgress;
import io.keelson.image.request.PullRequest;
import io.keelson.image.request.RegistryCredentials;
import io.keelson.sandbox.error.OperationFailedException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Registries with TLS behind the environment's proxy. */
@Timeout(60)
class TunnelsTest {

  @TempDir(factory = MemoryFolders.class)
  Path root;

  private final TestImage image = TestImage.of(new LayerTar().file("a", "content"));
  private TestAuthority authority;
  private TestRegistry registry;
  private ConnectProxy proxy;

  @BeforeEach
  void open() throws IOException {
    authority = new TestAuthority(root.resolve("authority"));
    registry = TestRegistry.tls(authority.server("DNS:registry.test"), false);
    registry.push(image, "app", "1");
    proxy = new ConnectProxy(registry.address());
  }

  @AfterEach
  void close() throws IOException {
    proxy.close();
    registry.close();
  }

  private String pull(String reference, Map<String, String> environment) throws IOException {
    RegistrySettings settings =
        RegistrySettings.of(Set.of(), Optional.of(authority.certificate()), List.of(), List.of())
            .withFirstPause(Duration.ofMillis(2))
            .with(environment);
    try (Images images =
        Images.open(ImageSettings.defaults(root.resolve("store")).withRegistries(settings))) {
      return images.pull(
          new PullRequest(
              reference,
              RegistryCredentials.of("me", "secret"),
              PullProgress.NONE,
              Cancellation.never()));
    }
  }

  @Test
  void whatIsSaidInATunnelIsSaidToTheRegistryAlone() throws IOException {
    List<String> shown = new CopyOnWriteArrayList<>();
    registry.gate(
        exchange -> {
          String login = exchange.getRequestHeaders().getFirst("Authorization");
          if (login == null) {
            exchange.getResponseHeaders().set("WWW-Authenticate", "Basic realm=\"x\"");
            TestRegistry.reply(exchange, 401, "");
            return false;
          }
          shown.add(login);
          return true;
        });
    assertThat(pull("registry.test/app:1", Map.of("https_proxy", proxy.url())))
        .isEqualTo(image.id());
    assertThat(shown).isNotEmpty();
    assertThat(proxy.heads())
        .isNotEmpty()
        .allMatch(head -> head.startsWith("CONNECT registry.test:443 HTTP/1.1\r\n"))
        .noneMatch(head -> head.contains("Authorization"));
  }

  @Test
  void theNameInTheCertificateIsThatOfTheRegistry() {
    assertThatThrownBy(() -> pull("other.test/app:1", Map.of("HTTPS_PROXY", proxy.url())))
        .isInstanceOf(OperationFailedException.class)
        .hasMessageContaining("other.test");
    assertThat(registry.requests()).isEmpty();
  }

  @Test
  void theProxyOfPlainHttpIsNotThatOfTls() {
    assertThatThrownBy(() -> pull("registry.test/app:1", Map.of("HTTP_PROXY", proxy.url())))
        .hasMessageStartingWith("RegistryUnavailable: ");
    assertThat(proxy.heads()).isEmpty();
  }

  /** Nobody knows its address but the proxy. */
  @Test
  void whatNeedsNoProxyIsReachedDirectly() throws IOException {
    Map<String, String> environment =
        Map.of("HTTPS_PROXY", proxy.url(), "NO_PROXY", "else.test,.test:443");
    assertThatThrownBy(() -> pull("registry.test/app:1", environment))
        .hasMessageStartingWith("RegistryUnavailable: ")
        .hasMessageContaining("UnknownHost");
    assertThat(proxy.heads()).isEmpty();
    assertThat(
            pull(
                "registry.test/app:1",
                Map.of("HTTPS_PROXY", proxy.url(), "NO_PROXY", "else.test,.test:5000")))
        .isEqualTo(image.id());
  }
}
