package io.keelson.image;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import io.keelson.image.fixture.LayerTar;
import io.keelson.image.fixture.MemoryFolders;
import io.keelson.image.fixture.TestImage;
import io.keelson.image.fixture.TestRegistry;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Each field of CRI's AuthConfig: what a registry and its token server get to see of it. */
class CallersCredentialsTest {

  private static final String BASIC = "Basic " + base64("me:se:cret");

  @TempDir(factory = MemoryFolders.class)
  Path root;

  private final List<String> askedForTokens = new CopyOnWriteArrayList<>();
  private TestRegistry registry;
  private Images images;
  private TestImage image;
  private String reference;

  @BeforeEach
  void open() throws IOException {
    image = TestImage.of(new LayerTar().folder("d/", 0755));
    registry = new TestRegistry();
    reference = registry.push(image, "app", "1");
    images = Images.open(ImageSettings.defaults(root));
  }

  @AfterEach
  void close() throws IOException {
    images.close();
    registry.close();
  }

  @Test
  void nameAndPassword() throws IOException {
    lockedBy(BASIC, "Basic realm=\"x\"");
    pull(RegistryCredentials.of("me", "se:cret"));
  }

  @Test
  void bothInOne() throws IOException {
    lockedBy(BASIC, "Basic realm=\"x\"");
    pull(new RegistryCredentials("", "", base64("me:se:cret"), "", "", ""));
  }

  @Test
  void bothInOneForATokenServer() throws IOException {
    lockedBy("Bearer t", tokenServer());
    pull(new RegistryCredentials("", "", base64("me:se:cret"), "", "", ""));
    assertThat(askedForTokens).singleElement().asString().startsWith("GET " + BASIC);
  }

  @Test
  void aTokenOfTheRegistryIsSentAsItIs() throws IOException {
    lockedBy("Bearer mine", tokenServer());
    pull(new RegistryCredentials("", "", "", "", "", "mine"));
    assertThat(askedForTokens).isEmpty();
  }

  @Test
  void anIdentityTokenIsExchanged() throws IOException {
    lockedBy("Bearer t", tokenServer());
    pull(new RegistryCredentials("", "", "", "", "refresh/me", ""));
    assertThat(askedForTokens)
        .singleElement()
        .asString()
        .startsWith("POST null ")
        .contains("grant_type=refresh_token", "refresh_token=refresh%2Fme", "service=s")
        .contains("scope=repository%3Aapp%3Apull");
  }

  @Test
  void theServersAddressIsTheirsAlone() throws IOException {
    lockedBy(BASIC, "Basic realm=\"x\"");
    for (String address : new String[] {"", "https://", "http://"}) {
      String own = address + registry.address();
      pull(new RegistryCredentials("me", "se:cret", "", own, "", ""));
      images.remove(reference);
    }
  }

  private void pull(RegistryCredentials credentials) throws IOException {
    PullRequest request =
        new PullRequest(reference, credentials, PullProgress.NONE, Cancellation.never());
    assertThat(images.pull(request)).isEqualTo(image.id());
  }

  private String tokenServer() {
    return "Bearer realm=\"http://%s/token\",service=\"s\",scope=\"repository:app:pull\""
        .formatted(registry.address());
  }

  private void lockedBy(String key, String challenge) {
    registry.gate(
        exchange -> {
          String shown = exchange.getRequestHeaders().getFirst("Authorization");
          if (exchange.getRequestURI().getPath().equals("/token")) {
            askedForTokens.add(asked(exchange, shown));
            TestRegistry.reply(exchange, 200, "{\"access_token\":\"t\"}");
            return false;
          }
          if (key.equals(shown)) {
            return true;
          }
          exchange.getResponseHeaders().set("WWW-Authenticate", challenge);
          TestRegistry.reply(exchange, 401, "");
          return false;
        });
  }

  private static String asked(HttpExchange exchange, @Nullable String shown) throws IOException {
    String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.US_ASCII);
    return exchange.getRequestMethod() + " " + shown + " " + body;
  }

  private static String base64(String text) {
    return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
  }
}
