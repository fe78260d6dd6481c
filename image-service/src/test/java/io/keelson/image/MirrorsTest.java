package io.keelson.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keelson.image.fixture.LayerTar;
import io.keelson.image.fixture.MemoryFolders;
import io.keelson.image.fixture.TestImage;
import io.keelson.image.fixture.TestRegistry;
import io.keelson.image.registry.RegistrySettings;
import io.keelson.image.request.Cancellation;
import io.keelson.image.request.PullProgress;
import io.keelson.image.request.PullRequest;
import io.keelson.image.request.RegistryCredentials;
import io.keelson.sandbox.error.NotFoundException;
import io.keelson.sandbox.error.OperationFailedException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
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
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Registries that are reached by hosts.toml and by proxies. */
@Timeout(60)
class MirrorsTest {

  private static final String REFERENCE = "registry.test/app:1";

  @TempDir(factory = MemoryFolders.class)
  Path root;

  private TestRegistry mirror;
  private TestRegistry origin;
  private TestImage image;
  private String layer;

  @BeforeEach
  void open() throws IOException {
    image = TestImage.of(new LayerTar().file("a", "content"));
    layer = image.layers().getFirst();
    mirror = new TestRegistry();
    origin = new TestRegistry();
    mirror.push(image, "app", "1");
    origin.push(image, "app", "1");
  }

  @AfterEach
  void close() {
    mirror.close();
    origin.close();
  }

  private String pull(String hosts) throws IOException {
    return pull(hosts, RegistryCredentials.ANONYMOUS, Map.of());
  }

  private String pull(
      String hosts, RegistryCredentials credentials, Map<String, String> environment)
      throws IOException {
    Path file = Files.createDirectories(root.resolve("hosts/registry.test")).resolve("hosts.toml");
    Files.writeString(
        file, hosts.replace("MIRROR", mirror.address()).replace("ORIGIN", origin.address()));
    RegistrySettings registries =
        RegistrySettings.of(
                Set.of("registry.test"),
                Optional.empty(),
                List.of(root.resolve("hosts")),
                List.of(root.resolve("auth.json")))
            .with(environment);
    try (Images images =
        Images.open(ImageSettings.defaults(root.resolve("store")).withRegistries(registries))) {
      String id =
          images.pull(
              new PullRequest(REFERENCE, credentials, PullProgress.NONE, Cancellation.never()));
      assertThat(images.list().getFirst().repoTags()).containsExactly(REFERENCE);
      return id;
    }
  }

  @Test
  void aMirrorIsAskedFirstAndToldWhichRegistryIsMeant() throws Exception {
    List<String> headers = new CopyOnWriteArrayList<>();
    mirror.gate(
        exchange -> {
          headers.add(exchange.getRequestHeaders().getFirst("X-Team"));
          return true;
        });
    assertThat(
            pull(
                """
                server = "http://ORIGIN"
                [host."http://MIRROR"]
                [host."http://MIRROR".header]
                x-team = "blue"
                """))
        .isEqualTo(image.id());
    assertThat(origin.requests()).isEmpty();
    assertThat(mirror.requests())
        .contains("GET /v2/app/manifests/1?ns=registry.test")
        .contains("GET /v2/app/blobs/" + layer + "?ns=registry.test");
    assertThat(headers).containsOnly("blue");
  }

  @Test
  void aMirrorThatMayOnlyPullIsNotAskedForTags() throws Exception {
    assertThat(
            pull(
                """
                server = "http://ORIGIN"
                [host."http://MIRROR"]
                capabilities = ["pull"]
                """))
        .isEqualTo(image.id());
    assertThat(origin.requests()).containsExactly("GET /v2/app/manifests/1?ns=registry.test");
    assertThat(mirror.count("/manifests/")).isZero();
    assertThat(mirror.count("/blobs/")).isEqualTo(2);
  }

  @Test
  void whatAMirrorLacksComesFromTheNextHost() throws Exception {
    mirror.on(layer, (exchange, content, number) -> TestRegistry.reply(exchange, 404, ""));
    assertThat(pull("server = 'http://ORIGIN'\n[host.'http://MIRROR']")).isEqualTo(image.id());
    assertThat(origin.requests())
        .containsExactly("GET /v2/app/blobs/" + layer + "?ns=registry.test");
  }

  @Test
  void aMirrorThatLiesOfAManifestIsPassedOver() throws Exception {
    mirror.on(
        "/blobs/" + image.id(),
        (exchange, content, number) -> {
          byte[] other = content.clone();
          other[3] ^= 1;
          TestRegistry.serve(exchange, other);
        });
    assertThat(pull("server = 'http://ORIGIN'\n[host.'http://MIRROR']")).isEqualTo(image.id());
    assertThat(origin.count("/blobs/" + image.id())).isEqualTo(1);
  }

  @Test
  void aMirrorThatIsDownIsTriedOnceAPull() throws Exception {
    mirror.gate(
        exchange -> {
          TestRegistry.reply(exchange, 500, "");
          return false;
        });
    // Nobody listens there, and nobody else can.
    try (Socket taken = new Socket()) {
      taken.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
      assertThat(
              pull(
                  "server = 'http://ORIGIN'\n[host.'http://127.0.0.1:%d']\n[host.'http://MIRROR']"
                      .formatted(taken.getLocalPort())))
          .isEqualTo(image.id());
    }
    assertThat(mirror.requests()).hasSize(2);
    assertThat(origin.requests()).hasSize(3);
  }

  @Test
  void aMirrorThatBreaksOffInTheMiddleIsLeft() throws Exception {
    byte[] noise = new byte[1 << 20];
    new java.util.Random(3).nextBytes(noise);
    image = TestImage.of(new LayerTar().file("noise", 0644, noise, entry -> {}));
    mirror.push(image, "app", "1");
    origin.push(image, "app", "1");
    mirror.on(
        image.layers().getFirst(),
        (exchange, content, number) ->
            TestRegistry.breakOff(exchange, content, Math.min(300_000, content.length)));
    assertThat(pull("server = 'http://ORIGIN'\n[host.'http://MIRROR']")).isEqualTo(image.id());
    assertThat(origin.count("/blobs/" + image.layers().getFirst())).isEqualTo(1);
  }

  /** Whatever is wrong with it, and wherever that is found out: in the archive or at its end. */
  @ParameterizedTest
  @CsvSource({
    "GZIP, 0, 9",
    "GZIP, 0, 40000",
    "ZSTD, 0, 40000",
    "NONE, 0, 257",
    "NONE, 0, 40000",
    "GZIP, -100, -1",
    "NONE, -100, -1",
    "ZSTD, 100, -1"
  })
  void aLayerThatAMirrorGarblesComesFromTheNextHost(
      TestImage.Compression compression, int longer, int changed) throws Exception {
    byte[] noise = new byte[100_000];
    new java.util.Random(3).nextBytes(noise);
    image =
        TestImage.of(
            compression,
            new LayerTar().file("noise", 0644, noise, entry -> {}),
            new LayerTar().file("a", "content"));
    mirror.push(image, "app", "1");
    origin.push(image, "app", "1");
    layer = image.layers().getFirst();
    mirror.on(
        layer,
        (exchange, content, number) -> {
          byte[] other = Arrays.copyOf(content, content.length + longer);
          if (changed >= 0) {
            other[changed] ^= 1;
          }
          TestRegistry.serve(exchange, other);
        });
    assertThat(pull("server = 'http://ORIGIN'\n[host.'http://MIRROR']")).isEqualTo(image.id());
    assertThat(origin.count("/blobs/" + layer)).isEqualTo(1);
    assertThat(origin.count("/manifests/")).isZero();
  }

  @Test
  void aLayerThatAllHostsGarbleIsAskedForOnceAtEach() {
    for (TestRegistry registry : Arrays.asList(mirror, origin)) {
      registry.on(
          layer,
          (exchange, content, number) -> {
            byte[] other = content.clone();
            other[9] ^= 1;
            TestRegistry.serve(exchange, other);
          });
    }
    assertThatThrownBy(() -> pull("server = 'http://ORIGIN'\n[host.'http://MIRROR']"))
        .isInstanceOf(OperationFailedException.class)
        .hasMessageContaining("came with the digest");
    assertThat(mirror.count("/blobs/" + layer)).isEqualTo(1);
    assertThat(origin.count("/blobs/" + layer)).isEqualTo(1);
  }

  @Test
  void theRegistryHasTheLastWord() {
    for (TestRegistry registry : Arrays.asList(mirror, origin)) {
      registry.on(
          "/manifests/1",
          (exchange, content, number) ->
              TestRegistry.reply(exchange, registry == mirror ? 403 : 404, ""));
    }
    assertThatThrownBy(() -> pull("server = 'http://ORIGIN'\n[host.'http://MIRROR']"))
        .isInstanceOf(NotFoundException.class);
  }

  @Test
  void aPathMayBeTheRootOfTheApi() throws Exception {
    mirror.push(image, "proxy/app", "1");
    assertThat(pull("[host.'http://MIRROR/v2/proxy']\noverride_path = true")).isEqualTo(image.id());
    assertThat(mirror.requests()).allMatch(request -> request.contains(" /v2/proxy/app/"));
  }

  @Test
  void credentialsThatNameTheRegistryGoToNoMirror() throws Exception {
    List<String> shown = new CopyOnWriteArrayList<>();
    for (TestRegistry registry : Arrays.asList(mirror, origin)) {
      registry.gate(
          exchange -> {
            String authorization = exchange.getRequestHeaders().getFirst("Authorization");
            if (authorization != null) {
              shown.add(registry == mirror ? "mirror" : "origin");
              return true;
            }
            exchange.getResponseHeaders().set("WWW-Authenticate", "Basic realm=\"x\"");
            TestRegistry.reply(exchange, 401, "");
            return false;
          });
    }
    String hosts = "server = 'http://ORIGIN'\n[host.'http://MIRROR']";
    assertThat(
            pull(
                hosts,
                new RegistryCredentials("me", "secret", "", origin.address(), "", ""),
                Map.of()))
        .isEqualTo(image.id());
    assertThat(shown).containsOnly("origin");
  }

  @Test
  void aFileWithAMistakeStopsThePullInWords() {
    assertThatThrownBy(() -> pull("server = ["))
        .isInstanceOf(OperationFailedException.class)
        .hasMessageContaining("registry.test/hosts.toml");
    assertThatThrownBy(() -> pull("[host.'ftp://x']"))
        .isInstanceOf(OperationFailedException.class)
        .hasMessageContaining("ftp://x");
  }

  @Test
  void theProxyOfTheEnvironmentIsUsed() throws Exception {
    // A server that is asked over a proxy sees the whole URL, which the JDK's server takes too.
    assertThat(
            pull(
                "",
                RegistryCredentials.ANONYMOUS,
                Map.of("http_proxy", "http://" + mirror.address(), "NO_PROXY", "other.test")))
        .isEqualTo(image.id());
    assertThat(mirror.requests()).contains("GET http://registry.test/v2/app/manifests/1");
  }

  @Test
  void aProxyThatRefusesIsNotTakenForTheRegistry() {
    mirror.gate(
        exchange -> {
          exchange.getResponseHeaders().set("Proxy-Authenticate", "Basic realm=\"x\"");
          TestRegistry.reply(exchange, 407, "");
          return false;
        });
    assertThatThrownBy(
            () ->
                pull(
                    "",
                    RegistryCredentials.of("me", "secret"),
                    Map.of("HTTP_PROXY", "http://" + mirror.address())))
        .isInstanceOf(OperationFailedException.class)
        .hasMessageStartingWith("RegistryUnavailable: the proxy wants");
  }

  @Test
  void whatTheNodeKeepsIsShownToTheHostThatAsks() throws Exception {
    List<String> shown = new CopyOnWriteArrayList<>();
    for (TestRegistry registry : Arrays.asList(mirror, origin)) {
      registry.gate(
          exchange -> {
            String authorization = exchange.getRequestHeaders().getFirst("Authorization");
            if (authorization != null) {
              shown.add((registry == mirror ? "mirror " : "origin ") + authorization);
              return true;
            }
            exchange.getResponseHeaders().set("WWW-Authenticate", "Basic realm=\"x\"");
            TestRegistry.reply(exchange, 401, "");
            return false;
          });
    }
    mirror.on(layer, (exchange, content, number) -> TestRegistry.reply(exchange, 404, ""));
    Files.writeString(
        root.resolve("auth.json"),
        """
        {"auths": {"%s": {"auth": "bTp4"}, "registry.test/app": {"auth": "bzp4"}}}\
        """
            .formatted(mirror.address()));
    assertThat(pull("server = 'http://ORIGIN'\n[host.'http://MIRROR']")).isEqualTo(image.id());
    assertThat(shown).contains("mirror Basic bTp4", "origin Basic bzp4");
    // Who brings credentials is not helped out with those of the node.
    shown.clear();
    assertThatThrownBy(
            () ->
                pull(
                    "server = 'http://ORIGIN'",
                    new RegistryCredentials("me", "", "", "other.test", "", ""),
                    Map.of()))
        .isInstanceOf(OperationFailedException.class);
    assertThat(shown).isEmpty();
  }
}
