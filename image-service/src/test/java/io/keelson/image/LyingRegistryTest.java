package io.keelson.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.keelson.image.fixture.LayerTar;
import io.keelson.image.fixture.TestImage;
import io.keelson.image.fixture.TestRegistry;
import io.keelson.image.request.Cancellation;
import io.keelson.image.request.PullProgress;
import io.keelson.image.request.PullRequest;
import io.keelson.image.request.RegistryCredentials;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.error.KeelsonException;
import io.keelson.sandbox.error.NotFoundException;
import io.keelson.sandbox.error.OperationFailedException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Registries that lie, break and refuse. Whatever they do, nothing of it becomes visible or stays.
 */
@Timeout(60)
class LyingRegistryTest extends PullTest {

  private static final Duration SECOND = Duration.ofMillis(990);

  LyingRegistryTest() {
    super(TestImage.ofNoise(TestImage.Compression.GZIP, 3 << 20, 7));
  }

  /** Those of a node, but for the pauses between attempts. */
  @Override
  ImageSettings settings() {
    ImageSettings defaults = super.settings();
    return defaults.withRegistries(defaults.registries().withFirstPause(Duration.ofMillis(20)));
  }

  private void assertRefused(String words) throws IOException {
    assertThatThrownBy(this::pull)
        .isInstanceOf(OperationFailedException.class)
        .hasMessageContaining(words);
    assertNothingLeft();
    registry.on(layer, (exchange, content, number) -> TestRegistry.serve(exchange, content));
  }

  private void assertNothingLeft() throws IOException {
    assertThat(images.list()).isEmpty();
    for (String part : List.of("images", "layers", "ingest", "trash")) {
      try (Stream<Path> entries = Files.list(root.resolve("images").resolve(part))) {
        assertThat(entries).as(part).isEmpty();
      }
    }
  }

  @Test
  void otherContentOfTheSameLengthIsRefused() throws IOException {
    registry.on(
        layer,
        (exchange, content, number) -> {
          byte[] other = content.clone();
          other[other.length / 2] ^= 1;
          TestRegistry.serve(exchange, other);
        });
    assertThatThrownBy(this::pull).isInstanceOf(KeelsonException.class);
    assertNothingLeft();
  }

  @Test
  void otherBlobThatUnpacksToTheSameIsRefused() throws IOException {
    registry.on(
        layer,
        (exchange, content, number) -> {
          byte[] other = content.clone();
          // The operating system in the gzip header: changes nothing of what is in it.
          other[9] ^= 1;
          TestRegistry.serve(exchange, other);
        });
    assertRefused("came with the digest");
    assertThat(pull()).isEqualTo(image.id());
  }

  /** The digest of the manifest holds, and still it is not what the config promises. */
  @Test
  void layerThatUnpacksToAnotherThanTheConfigSaysIsRefused() throws IOException {
    TestImage belied =
        TestImage.belied(new LayerTar().file("a", "other"), new LayerTar().file("a", "promised"));
    registry.push(belied, "app", "1");
    assertRefused("as the config says");
    assertThat(registry.count(belied.layers().getFirst())).isEqualTo(1);
  }

  @Test
  void shorterBlobIsRefused() throws IOException {
    registry.on(
        layer,
        (exchange, content, number) ->
            TestRegistry.serve(exchange, Arrays.copyOf(content, content.length - 100)));
    assertRefused("bytes");
  }

  @Test
  void longerBlobIsRefused() throws IOException {
    registry.on(
        layer,
        (exchange, content, number) ->
            TestRegistry.serve(exchange, Arrays.copyOf(content, content.length + 100)));
    assertRefused("longer than");
  }

  @Test
  void downloadThatBreaksOffGoesOnByRange() throws IOException {
    List<String> ranges = new CopyOnWriteArrayList<>();
    registry.on(
        layer,
        (exchange, content, number) -> {
          ranges.add(String.valueOf(exchange.getRequestHeaders().getFirst("Range")));
          if (number == 1) {
            TestRegistry.breakOff(exchange, content, 1 << 20);
          }
          TestRegistry.serve(exchange, content);
        });
    assertThat(pull()).isEqualTo(image.id());
    assertThat(ranges).hasSize(2);
    assertThat(ranges.get(1)).matches("bytes=[1-9]\\d*-");
  }

  @Test
  void downloadThatBreaksOffBeginsAnewWhereRangesAreIgnored() throws IOException {
    registry.on(
        layer,
        (exchange, content, number) -> {
          if (number <= 2) {
            TestRegistry.breakOff(exchange, content, number << 20);
          }
          TestRegistry.serveWhole(exchange, content);
        });
    assertThat(pull()).isEqualTo(image.id());
  }

  @Test
  void registryThatAlwaysBreaksOffIsGivenUp() throws IOException {
    registry.on(
        layer,
        (exchange, content, number) -> {
          TestRegistry.breakOff(exchange, content, 1000);
        });
    assertRefused("RegistryUnavailable");
  }

  @Test
  void overloadedRegistryIsAskedAgain() throws IOException {
    AtomicLong refused = new AtomicLong();
    AtomicLong askedAgain = new AtomicLong();
    registry.on(
        layer,
        (exchange, content, number) -> {
          if (number == 1) {
            TestRegistry.reply(exchange, 503, "busy");
          } else if (number == 2) {
            exchange.getResponseHeaders().set("Retry-After", "1");
            refused.set(System.nanoTime());
            TestRegistry.reply(exchange, 429, "slow down");
          } else {
            askedAgain.set(System.nanoTime());
            TestRegistry.serve(exchange, content);
          }
        });
    assertThat(pull()).isEqualTo(image.id());
    assertThat(registry.count(layer)).isEqualTo(3);
    // As the registry says, although the pauses of these tests are shorter by far.
    assertThat(Duration.ofNanos(askedAgain.get() - refused.get())).isGreaterThan(SECOND);
  }

  @Test
  void missingBlobIsNotAskedForAgain() throws IOException {
    registry.on(
        layer, (exchange, content, number) -> TestRegistry.reply(exchange, 404, "no such blob"));
    assertThatThrownBy(this::pull).isInstanceOf(NotFoundException.class);
    assertThat(registry.count(layer)).isEqualTo(1);
    assertNothingLeft();
  }

  @Test
  void unreachableRegistryIsCalledUnavailable() throws IOException {
    // Nobody listens there, and nobody else can.
    try (Socket taken = new Socket()) {
      taken.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
      String address = "127.0.0.1:" + taken.getLocalPort();
      assertThatThrownBy(() -> images.pull(PullRequest.of(address + "/app:1")))
          .isInstanceOf(OperationFailedException.class)
          .hasMessageStartingWith("RegistryUnavailable: ");
    }
  }

  @Test
  void manifestOfAnotherDigestIsRefused() throws IOException {
    registry.on(
        image.manifestDigest(),
        (exchange, content, number) ->
            TestRegistry.serve(exchange, TestImage.variant(image, "other").manifest()));
    assertThatThrownBy(
            () ->
                images.pull(PullRequest.of(registry.address() + "/app@" + image.manifestDigest())))
        .isInstanceOf(OperationFailedException.class)
        .hasMessageContaining("digest");
    assertNothingLeft();
  }

  @Test
  void manifestWithoutAnEndIsRefused() throws IOException {
    registry.on(
        "/manifests/1",
        (exchange, content, number) -> {
          exchange.sendResponseHeaders(200, 0);
          byte[] blanks = new byte[1 << 16];
          Arrays.fill(blanks, (byte) ' ');
          for (int i = 0; i < 1000; i++) {
            exchange.getResponseBody().write(blanks);
          }
        });
    assertThatThrownBy(this::pull)
        .isInstanceOf(OperationFailedException.class)
        .hasMessageContaining("more than");
  }

  @Test
  void theLimitOfManifestsIsASetting() throws IOException {
    int size = image.manifest().length;
    reopen(settings().withMaxManifest(size - 1));
    assertThatThrownBy(this::pull)
        .isInstanceOf(OperationFailedException.class)
        .hasMessageContaining("more than the " + (size - 1) + " bytes");
    reopen(settings().withMaxManifest(size));
    assertThat(pull()).isEqualTo(image.id());
  }

  @Test
  void rubbishForAManifestIsRefused() throws IOException {
    for (String rubbish :
        List.of(
            "",
            "no json",
            "[]",
            "{}",
            "{\"schemaVersion\":2,\"config\":{},\"layers\":[]}",
            "{\"schemaVersion\":2,\"config\":{\"digest\":\"sha256:../../x\",\"size\":3},\"layers\":[]}",
            "{\"schemaVersion\":2,\"manifests\":[],\"layers\":[]}")) {
      registry.on(
          "/manifests/1",
          (exchange, content, number) -> TestRegistry.reply(exchange, 200, rubbish));
      assertThatThrownBy(this::pull).as(rubbish).isInstanceOf(InvalidRequestException.class);
    }
    assertNothingLeft();
  }

  @Test
  void tokenIsFetchedOnceAndShown() throws IOException {
    AtomicInteger tokens = new AtomicInteger();
    List<String> asked = new CopyOnWriteArrayList<>();
    registry.gate(
        exchange -> {
          String authorization = exchange.getRequestHeaders().getFirst("Authorization");
          if (exchange.getRequestURI().getPath().equals("/token")) {
            asked.add(exchange.getRequestURI().getQuery() + " " + authorization);
            TestRegistry.reply(exchange, 200, "{\"token\":\"t" + tokens.incrementAndGet() + "\"}");
            return false;
          }
          if ("Bearer t1".equals(authorization)) {
            return true;
          }
          challenge(
              exchange,
              "Bearer realm=\"http://%s/token\",service=\"s, \\\"x\\\"\",scope=\"repository:app:pull\""
                  .formatted(registry.address()));
          return false;
        });
    assertThat(
            images.pull(
                new PullRequest(
                    reference,
                    RegistryCredentials.of("me", "secret"),
                    PullProgress.NONE,
                    Cancellation.never())))
        .isEqualTo(image.id());
    String basic =
        "Basic " + Base64.getEncoder().encodeToString("me:secret".getBytes(StandardCharsets.UTF_8));
    assertThat(asked)
        .containsExactly("service=s, \"x\"&scope=repository:app:pull&account=me " + basic);
  }

  @Test
  void registryThatAlwaysWantsMoreIsGivenUp() throws IOException {
    registry.gate(
        exchange -> {
          challenge(exchange, "Basic realm=\"x\"");
          return false;
        });
    assertThatThrownBy(
            () ->
                images.pull(
                    new PullRequest(
                        reference,
                        RegistryCredentials.of("me", "wrong"),
                        PullProgress.NONE,
                        Cancellation.never())))
        .isInstanceOf(OperationFailedException.class)
        .hasMessageContaining("refuses access");
    assertThat(registry.count("/manifests/")).isEqualTo(2);
  }

  @Test
  void credentialsGoToNoOtherRegistry() throws IOException {
    List<String> shown = new CopyOnWriteArrayList<>();
    registry.gate(
        exchange -> {
          shown.add(String.valueOf(exchange.getRequestHeaders().getFirst("Authorization")));
          challenge(exchange, "Basic realm=\"x\"");
          return false;
        });
    assertThatThrownBy(
            () ->
                images.pull(
                    new PullRequest(
                        reference,
                        new RegistryCredentials("me", "secret", "", "https://else.example", "", ""),
                        PullProgress.NONE,
                        Cancellation.never())))
        .isInstanceOf(OperationFailedException.class);
    assertThat(shown).containsOnly("null");
  }

  @Test
  void redirectsDoNotCarryCredentials() throws IOException {
    List<String> shown = new CopyOnWriteArrayList<>();
    HttpServer storage =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    storage.createContext(
        "/",
        exchange -> {
          try (exchange) {
            shown.add(String.valueOf(exchange.getRequestHeaders().getFirst("Authorization")));
            TestRegistry.serve(exchange, image.blob(layer));
          }
        });
    storage.start();
    try {
      registry.gate(
          exchange -> {
            if (exchange.getRequestHeaders().getFirst("Authorization") == null) {
              challenge(exchange, "Basic realm=\"x\"");
              return false;
            }
            return true;
          });
      registry.on(
          layer,
          (exchange, content, number) -> {
            exchange
                .getResponseHeaders()
                .set("Location", "http://127.0.0.1:" + storage.getAddress().getPort() + "/blob");
            TestRegistry.reply(exchange, 307, "");
          });
      images.pull(
          new PullRequest(
              reference,
              RegistryCredentials.of("me", "secret"),
              PullProgress.NONE,
              Cancellation.never()));
      assertThat(shown).containsExactly("null");
    } finally {
      storage.stop(0);
    }
  }

  @Test
  void redirectsInARingEnd() throws IOException {
    registry.on(
        layer,
        (exchange, content, number) -> {
          exchange.getResponseHeaders().set("Location", exchange.getRequestURI().toString());
          TestRegistry.reply(exchange, 302, "");
        });
    assertRefused("redirects more than");
  }

  @Test
  void samePullAtOnceIsDoneOnce() throws Exception {
    CountDownLatch started = new CountDownLatch(1);
    CountDownLatch proceed = new CountDownLatch(1);
    registry.on(
        layer,
        (exchange, content, number) -> {
          started.countDown();
          await(proceed);
          TestRegistry.serve(exchange, content);
        });
    try (ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<String>> pulls = new ArrayList<>();
      pulls.add(callers.submit(this::pull));
      assertThat(started.await(20, TimeUnit.SECONDS)).isTrue();
      for (int i = 0; i < 9; i++) {
        pulls.add(callers.submit(this::pull));
      }
      Thread.sleep(100);
      proceed.countDown();
      for (Future<String> pull : pulls) {
        assertThat(pull.get()).isEqualTo(image.id());
      }
    }
    assertThat(registry.count(layer)).isEqualTo(1);
  }

  @Test
  void layerOfTwoImagesAtOnceIsFetchedOnce() throws Exception {
    TestImage other = TestImage.variant(image, "other");
    String otherReference = registry.push(other, "other", "1");
    registry.on(
        layer,
        (exchange, content, number) -> {
          TestRegistry.pause(Duration.ofMillis(300));
          TestRegistry.serve(exchange, content);
        });
    try (ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<String> a = callers.submit(this::pull);
      Future<String> b = callers.submit(() -> images.pull(PullRequest.of(otherReference)));
      assertThat(a.get()).isEqualTo(image.id());
      assertThat(b.get()).isEqualTo(other.id());
    }
    assertThat(registry.count(layer)).isEqualTo(1);
  }

  @Test
  void cancelledPullStopsAndLeavesNothing() throws Exception {
    CountDownLatch hanging = new CountDownLatch(1);
    CountDownLatch never = new CountDownLatch(1);
    registry.on(
        layer,
        (exchange, content, number) -> {
          exchange.sendResponseHeaders(200, content.length);
          exchange.getResponseBody().write(content, 0, 1 << 20);
          exchange.getResponseBody().flush();
          hanging.countDown();
          await(never);
        });
    Cancellation cancellation = new Cancellation();
    try (ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<String> pull =
          callers.submit(
              () ->
                  images.pull(
                      new PullRequest(
                          reference,
                          RegistryCredentials.ANONYMOUS,
                          PullProgress.NONE,
                          cancellation)));
      assertThat(hanging.await(20, TimeUnit.SECONDS)).isTrue();
      cancellation.cancel();
      assertThatThrownBy(pull::get).hasCauseInstanceOf(CancellationException.class);
    }
    // Although the server still holds the connection open.
    awaitNothingLeft();
    never.countDown();
    registry.on(layer, (exchange, content, number) -> TestRegistry.serve(exchange, content));
    assertThat(pull()).isEqualTo(image.id());
  }

  private void awaitNothingLeft() throws Exception {
    for (int i = 0; ; i++) {
      try {
        assertNothingLeft();
        return;
      } catch (AssertionError e) {
        if (i == 600) {
          throw e;
        }
        Thread.sleep(50);
      }
    }
  }

  private static void challenge(HttpExchange exchange, String challenge) throws IOException {
    exchange.getResponseHeaders().set("WWW-Authenticate", challenge);
    TestRegistry.reply(exchange, 401, "{\"errors\":[{\"code\":\"UNAUTHORIZED\"}]}");
  }

  private static void await(CountDownLatch latch) throws IOException {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
  }
}
