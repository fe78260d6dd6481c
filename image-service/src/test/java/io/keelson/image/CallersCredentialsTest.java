package io.keelson.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import io.keelson.image.fixture.TestImage;
import io.keelson.image.fixture.TestRegistry;
import io.keelson.image.request.Cancellation;
import io.keelson.image.request.PullProgress;
import io.keelson.image.request.PullRequest;
import io.keelson.image.request.RegistryCredentials;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Each field of CRI's AuthConfig: what a registry and its token server get to see of it. */
@Timeout(60)
class CallersCredentialsTest extends PullTest {

  private static final String BASIC = "Basic " + base64("me:se:cret");

  private final List<String> askedForTokens = new CopyOnWriteArrayList<>();

  CallersCredentialsTest() {
    super(TestImage.ofNoise(TestImage.Compression.NONE, 3 << 20, 9));
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

  /** In the middle of a layer: what had come is kept, the rest is asked for with a new token. */
  @Test
  void aTokenThatExpiresUnderwayIsRenewed() throws IOException {
    AtomicInteger issued = new AtomicInteger();
    AtomicInteger expired = new AtomicInteger();
    numberedTokens(issued, expired, 300);
    List<String> served = new CopyOnWriteArrayList<>();
    registry.on(
        layer,
        (exchange, content, number) -> {
          Headers headers = exchange.getRequestHeaders();
          served.add(headers.getFirst("Authorization") + " " + headers.getFirst("Range"));
          if (served.size() == 1) {
            expired.set(1);
            TestRegistry.breakOff(exchange, content, 5 << 19);
          }
          TestRegistry.serve(exchange, content);
        });
    pull(RegistryCredentials.of("me", "se:cret"));
    assertThat(issued).hasValue(2);
    assertThat(served).hasSize(2);
    assertThat(served.get(0)).isEqualTo("Bearer 1 null");
    assertThat(served.get(1)).matches("Bearer 2 bytes=[1-9]\\d*-");
  }

  @Test
  void aTokenIsUsedForAsLongAsItsServerSays() throws Exception {
    AtomicInteger issued = new AtomicInteger();
    numberedTokens(issued, new AtomicInteger(), 300);
    pull(RegistryCredentials.of("me", "se:cret"));
    pull(RegistryCredentials.of("me", "se:cret"));
    assertThat(issued).hasValue(1);
    pull(RegistryCredentials.of("you", "se:cret"));
    assertThat(issued).as("nobody gets a token of another").hasValue(2);

    // A little less than it says, lest it ends on the way: a second.
    numberedTokens(issued, new AtomicInteger(), 3);
    pull(RegistryCredentials.of("they", "se:cret"));
    int before = issued.get(); // more than three if the pull took longer than the token held
    Thread.sleep(1100);
    pull(RegistryCredentials.of("they", "se:cret"));
    assertThat(issued).hasValueGreaterThan(before);
    assertThat(registry.count("GET /v2/app/manifests/1"))
        .as("each is told once that a token is wanted; none is shown that has ended")
        .isEqualTo(2 * 5);
  }

  /**
   * @param issued counts them
   * @param expired the last that holds no more
   * @param seconds that each is said to hold
   */
  private void numberedTokens(AtomicInteger issued, AtomicInteger expired, int seconds) {
    registry.gate(
        exchange -> {
          if (exchange.getRequestURI().getPath().equals("/token")) {
            TestRegistry.reply(
                exchange,
                200,
                "{\"token\":\"%d\",\"expires_in\":%d}"
                    .formatted(issued.incrementAndGet(), seconds));
            return false;
          }
          String shown = exchange.getRequestHeaders().getFirst("Authorization");
          boolean good =
              shown != null
                  && shown.startsWith("Bearer ")
                  && Integer.parseInt(shown.substring(7)) > expired.get();
          return good || refuse(exchange, tokenServer());
        });
  }

  /**
   * Who may see an image is found out for each caller; the work is done once for those who are the
   * same one.
   */
  @Test
  void pullsAtOnceAreSharedByThoseWithTheSameCredentialsAlone() throws Exception {
    String mine = "Basic " + base64("me:1");
    String yours = "Basic " + base64("you:2");
    Set<String> keys = Set.of(mine, yours);
    List<String> shown = new CopyOnWriteArrayList<>();
    CountDownLatch proceed = new CountDownLatch(1);
    registry.gate(
        exchange -> {
          String key = String.valueOf(exchange.getRequestHeaders().getFirst("Authorization"));
          if (keys.contains(key) && exchange.getRequestURI().getPath().contains("/manifests/")) {
            shown.add(key);
            await(proceed);
          }
          return keys.contains(key) || refuse(exchange, "Basic realm=\"x\"");
        });
    List<FutureTask<String>> pulls = new ArrayList<>();
    List<Thread> callers = new ArrayList<>();
    for (String caller : List.of("me:1", "you:2", "me:1", "you:2", "me:1", "me:wrong", "")) {
      String[] login = (caller + ":").split(":", -1);
      RegistryCredentials credentials = RegistryCredentials.of(login[0], login[1]);
      FutureTask<String> pull = new FutureTask<>(() -> images.pull(request(credentials)));
      pulls.add(pull);
      callers.add(Thread.ofPlatform().start(pull));
    }
    for (FutureTask<String> refused : pulls.subList(5, 7)) {
      assertThatThrownBy(refused::get).hasMessageContaining("refuses access");
    }
    for (Thread caller : callers.subList(0, 5)) {
      awaitWaiting(caller);
    }
    proceed.countDown();
    for (FutureTask<String> pull : pulls.subList(0, 5)) {
      assertThat(pull.get()).isEqualTo(image.id());
    }
    assertThat(shown).containsExactlyInAnyOrder(mine, yours);
    assertThat(registry.count("/blobs/" + image.layers().getFirst())).isEqualTo(1);
  }

  private static void await(CountDownLatch latch) throws IOException {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
  }

  /** Until the caller has started a pull or joined one. */
  private static void awaitWaiting(Thread caller) throws InterruptedException {
    while (caller.getState() != Thread.State.WAITING
        || Arrays.stream(caller.getStackTrace())
            .noneMatch(frame -> frame.getClassName().endsWith(".SharedPulls"))) {
      assertThat(caller.isAlive()).isTrue();
      Thread.sleep(5);
    }
  }

  private void pull(RegistryCredentials credentials) throws IOException {
    assertThat(images.pull(request(credentials))).isEqualTo(image.id());
  }

  private PullRequest request(RegistryCredentials credentials) {
    return new PullRequest(reference, credentials, PullProgress.NONE, Cancellation.never());
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
          return key.equals(shown) || refuse(exchange, challenge);
        });
  }

  private static boolean refuse(HttpExchange exchange, String challenge) throws IOException {
    exchange.getResponseHeaders().set("WWW-Authenticate", challenge);
    TestRegistry.reply(exchange, 401, "");
    return false;
  }

  private static String asked(HttpExchange exchange, @Nullable String shown) throws IOException {
    String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.US_ASCII);
    return exchange.getRequestMethod() + " " + shown + " " + body;
  }

  private static String base64(String text) {
    return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
  }
}
