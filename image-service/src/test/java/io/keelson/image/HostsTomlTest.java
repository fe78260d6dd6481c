package io.keelson.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keelson.image.fixture.LayerTar;
import io.keelson.image.fixture.MemoryFolders;
import io.keelson.image.fixture.TestAuthority;
import io.keelson.image.fixture.TestImage;
import io.keelson.image.fixture.TestRegistry;
import io.keelson.image.registry.RegistrySettings;
import io.keelson.image.request.PullRequest;
import io.keelson.sandbox.error.OperationFailedException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What the keys of a hosts.toml do to servers that are really asked. */
@Timeout(60)
class HostsTomlTest {

  private static final String REFERENCE = "registry.test/app:1";

  @TempDir(factory = MemoryFolders.class)
  static Path certificates;

  private static TestAuthority authority;
  private static TestAuthority other;

  @TempDir(factory = MemoryFolders.class)
  Path root;

  private final TestImage image = TestImage.of(new LayerTar().file("a", "content"));
  private final String layer = "/blobs/" + image.layers().getFirst();
  private final List<TestRegistry> registries = new ArrayList<>();

  @BeforeAll
  static void makeAuthorities() throws IOException {
    authority = new TestAuthority(certificates.resolve("one"));
    other = new TestAuthority(certificates.resolve("other"));
  }

  @AfterEach
  void close() {
    registries.forEach(TestRegistry::close);
  }

  private TestRegistry plain() throws IOException {
    return with(new TestRegistry());
  }

  private TestRegistry tls(TestAuthority signer, boolean wantsClient, String... names)
      throws IOException {
    return with(TestRegistry.tls(signer.server(names), wantsClient));
  }

  private TestRegistry with(TestRegistry registry) {
    registries.add(registry);
    registry.push(image, "app", "1");
    return registry;
  }

  private String pull(String hosts) throws IOException {
    return pull("registry.test", hosts, REFERENCE);
  }

  private String pull(String folder, String hosts, String reference) throws IOException {
    Path file = Files.createDirectories(root.resolve("hosts").resolve(folder));
    Files.writeString(file.resolve("hosts.toml"), hosts);
    RegistrySettings settings =
        RegistrySettings.of(Set.of(), Optional.empty(), List.of(root.resolve("hosts")), List.of())
            .withFirstPause(Duration.ofMillis(2));
    try (Images images =
        Images.open(ImageSettings.defaults(root.resolve("store")).withRegistries(settings))) {
      String id = images.pull(PullRequest.of(reference));
      images.remove(id);
      return id;
    }
  }

  private void assertNotTrusted(String hosts) {
    assertThatThrownBy(() -> pull(hosts))
        .isInstanceOf(OperationFailedException.class)
        .hasMessageStartingWith("RegistryUnavailable: ")
        .hasMessageContaining("SSL");
  }

  @Test
  void severalAuthoritiesAreTrustedAtOnce() throws IOException {
    TestRegistry first = tls(authority, false, "IP:127.0.0.1");
    TestRegistry second = tls(other, false, "IP:127.0.0.1");
    Path both = root.resolve("both.pem");
    Files.writeString(
        both, Files.readString(authority.certificate()) + Files.readString(other.certificate()));
    for (TestRegistry registry : registries) {
      String server = "server = 'https://" + registry.address() + "'\n";
      assertThat(
              pull(
                  "%sca = ['%s', '%s']"
                      .formatted(server, authority.certificate(), other.certificate())))
          .isEqualTo(image.id());
      assertThat(pull(server + "ca = '" + both + "'")).isEqualTo(image.id());
      TestAuthority wrong = registry.equals(first) ? other : authority;
      assertNotTrusted(server + "ca = '" + wrong.certificate() + "'");
    }
    assertThat(second.requests()).isNotEmpty();
  }

  @Test
  void verificationIsSkippedForTheHostThatSaysSo() throws IOException {
    TestRegistry wrongName = tls(authority, false, "DNS:else.test");
    String server = "server = 'https://" + wrongName.address() + "'\n";
    assertNotTrusted(server + "ca = '" + authority.certificate() + "'");
    assertThat(pull(server + "skip_verify = true")).isEqualTo(image.id());
    assertNotTrusted(
        server + "[host.'https://%s']\nskip_verify = true".formatted(emptyMirror().address()));
  }

  private TestRegistry emptyMirror() throws IOException {
    TestRegistry mirror = TestRegistry.tls(other.server("IP:127.0.0.1"), false);
    registries.add(mirror);
    return mirror;
  }

  @Test
  void ofSeveralClientsTheOneIsShownThatTheServerKnows() throws IOException {
    TestRegistry closed = tls(authority, true, "IP:127.0.0.1");
    String hosts =
        "server = 'https://%s'\nca = '%s'\n".formatted(closed.address(), authority.certificate());
    assertThat(pull(hosts + "client = [%s, %s]".formatted(other.client(), authority.client())))
        .isEqualTo(image.id());
    assertThatThrownBy(() -> pull(hosts + "client = [%s]".formatted(other.client())))
        .hasMessageStartingWith("RegistryUnavailable: ");
    assertThatThrownBy(() -> pull(hosts)).hasMessageStartingWith("RegistryUnavailable: ");
  }

  @Test
  void theDefaultFolderIsForRegistriesThatHaveNone() throws IOException {
    TestRegistry mirror = plain();
    TestRegistry own = plain();
    assertThat(pull("_default", "[host.'http://" + mirror.address() + "']", REFERENCE))
        .isEqualTo(image.id());
    assertThat(mirror.requests()).isNotEmpty().allMatch(ask -> ask.endsWith("?ns=registry.test"));
    int asked = mirror.requests().size();
    assertThat(pull("server = 'http://" + own.address() + "'")).isEqualTo(image.id());
    assertThat(mirror.requests()).hasSize(asked);
  }

  @Test
  void aMirrorMayKnowTagsAloneOrContentAlone() throws IOException {
    TestRegistry tags = plain();
    TestRegistry content = plain();
    TestRegistry origin = plain();
    String hosts =
        """
        server = 'http://%s'
        [host.'http://%s']
        capabilities = ['resolve']
        [host.'http://%s']
        capabilities = ['pull']
        """
            .formatted(origin.address(), tags.address(), content.address());
    assertThat(pull(hosts)).isEqualTo(image.id());
    assertThat(tags.requests()).containsExactly("GET /v2/app/manifests/1?ns=registry.test");
    assertThat(content.requests()).hasSize(2).allMatch(ask -> ask.contains("/blobs/"));
    assertThat(origin.requests()).isEmpty();
    // A digest needs nobody who is trusted to know what a tag means.
    String byDigest = "registry.test/app@" + image.manifestDigest();
    assertThat(pull("registry.test", hosts, byDigest)).isEqualTo(image.id());
    assertThat(tags.requests()).hasSize(1);
    assertThat(content.count("/manifests/" + image.manifestDigest())).isEqualTo(1);
  }

  @Test
  void hostsAreAskedInTheOrderOfTheFile() throws IOException {
    List<String> asked = new CopyOnWriteArrayList<>();
    StringBuilder hosts = new StringBuilder();
    for (String name : List.of("zeta", "alpha", "middle", "origin")) {
      TestRegistry registry = plain();
      registry.on(
          "/manifests/1",
          (exchange, content, number) -> {
            asked.add(name);
            TestRegistry.reply(exchange, 404, "");
          });
      if (name.equals("origin")) {
        hosts.insert(0, "server = 'http://" + registry.address() + "'\n");
      } else {
        // The file's order is not that of the names.
        String address = "http://%s/%s".formatted(registry.address(), name);
        hosts.append("[host.'%s']\noverride_path = true\n".formatted(address));
      }
    }
    assertThatThrownBy(() -> pull(hosts.toString())).hasMessageContaining("not found");
    assertThat(asked).containsExactly("zeta", "alpha", "middle", "origin");
  }

  @Test
  void aPathComesBeforeTheApiUnlessItIsTheApi() throws IOException {
    TestRegistry mirror = plain();
    String host = "server = 'http://127.0.0.1:1'\n[host.'http://" + mirror.address() + "/a/b']\n";
    assertThatThrownBy(() -> pull(host + "[host.'http://" + mirror.address() + "/c/v2']"))
        .isInstanceOf(OperationFailedException.class);
    assertThatThrownBy(() -> pull(host + "override_path = true"))
        .isInstanceOf(OperationFailedException.class);
    assertThat(mirror.requests())
        .contains(
            "GET /a/b/v2/app/manifests/1?ns=registry.test",
            "GET /c/v2/app/manifests/1?ns=registry.test",
            "GET /a/b/app/manifests/1?ns=registry.test");
  }

  @Test
  void aHostThatTakesNoConnectionIsWaitedForAsTheFileSays() throws IOException {
    TestRegistry origin = plain();
    List<Socket> waiting = new ArrayList<>();
    try (ServerSocket full = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      fill(full, waiting);
      long began = System.nanoTime();
      assertThat(
              pull(
                  "server = 'http://%s'\n[host.'http://127.0.0.1:%d']\ndial_timeout = '150ms'"
                      .formatted(origin.address(), full.getLocalPort())))
          .isEqualTo(image.id());
      // Else it would be ten seconds, twice.
      assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(10));
    } finally {
      for (Socket socket : waiting) {
        socket.close();
      }
    }
  }

  /** Until the kernel takes no more connections for it, as a host behind a firewall. */
  private static void fill(ServerSocket server, List<Socket> waiting) throws IOException {
    while (true) {
      Socket socket = new Socket();
      waiting.add(socket);
      try {
        socket.connect(server.getLocalSocketAddress(), 200);
      } catch (SocketTimeoutException e) {
        return;
      }
    }
  }

  @Test
  void headersOfAHostGoToItAlone() throws IOException {
    TestRegistry mirror = plain();
    TestRegistry storage = plain();
    TestRegistry origin = plain();
    List<String> shown = new CopyOnWriteArrayList<>();
    for (TestRegistry registry : registries) {
      registry.gate(
          exchange -> {
            String who =
                registry.equals(mirror)
                    ? "mirror"
                    : registry.equals(storage) ? "storage" : "origin";
            String secret = exchange.getRequestHeaders().getFirst("X-Secret");
            shown.add(who + " " + exchange.getRequestURI().getPath().contains("/moved/") + secret);
            return true;
          });
    }
    // To itself, and from there to the storage.
    mirror.on(
        layer,
        (exchange, content, number) -> {
          String path = exchange.getRequestURI().getPath();
          exchange
              .getResponseHeaders()
              .set(
                  "Location",
                  path.contains("/moved/")
                      ? "http://" + storage.address() + "/v2/app" + layer
                      : "/moved" + layer);
          TestRegistry.reply(exchange, 307, "");
        });
    assertThat(
            pull(
                """
                server = 'http://%s'
                [host.'http://%s']
                capabilities = ['pull']
                [host.'http://%s'.header]
                x-secret = ['a', 'b']
                """
                    .formatted(origin.address(), mirror.address(), mirror.address())))
        .isEqualTo(image.id());
    assertThat(shown)
        .containsExactly(
            "origin falsenull",
            "mirror falsea, b",
            "mirror falsea, b",
            "mirror truea, b",
            "storage falsenull");
  }

  @Test
  void aRedirectLeadsNotFromTlsToPlainHttp() throws IOException {
    TestRegistry secure = tls(authority, false, "IP:127.0.0.1");
    TestRegistry open = plain();
    secure.on(
        layer,
        (exchange, content, number) -> {
          exchange
              .getResponseHeaders()
              .set("Location", "http://" + open.address() + "/v2/app" + layer);
          TestRegistry.reply(exchange, 302, "");
        });
    assertThatThrownBy(
            () ->
                pull(
                    "server = 'https://%s'\nca = '%s'"
                        .formatted(secure.address(), authority.certificate())))
        .hasMessageContaining("from TLS to plain HTTP");
    assertThat(open.requests()).isEmpty();
  }
}
