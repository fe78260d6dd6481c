package io.keelson.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpExchange;
import io.keelson.image.fixture.TestImage;
import io.keelson.image.fixture.TestRegistry;
import io.keelson.sandbox.error.OperationFailedException;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** How long a registry is waited for: between questions, and for bytes. */
@Timeout(60)
class PatientPullsTest extends PullTest {

  private static final Duration FIRST_PAUSE = Duration.ofMillis(20);
  private static final Duration STALL = Duration.ofSeconds(3);
  private static final Duration ALMOST_A_SECOND = Duration.ofMillis(990);

  private static final DateTimeFormatter HTTP_DATE =
      DateTimeFormatter.ofPattern("EEE, dd MMM yyyy HH:mm:ss 'GMT'", Locale.ROOT)
          .withZone(ZoneOffset.UTC);

  PatientPullsTest() {
    super(TestImage.ofNoise(TestImage.Compression.NONE, 1 << 20, 5));
  }

  @Override
  ImageSettings settings() {
    return settings(STALL, 1, FIRST_PAUSE);
  }

  @ParameterizedTest
  @ValueSource(ints = {429, 500, 503})
  void aRegistryInTroubleIsAskedLessAndLessOften(int status) {
    List<Long> asked = new CopyOnWriteArrayList<>();
    registry.on(
        "/manifests/1",
        (exchange, content, number) -> {
          asked.add(System.nanoTime());
          TestRegistry.reply(exchange, status, "");
        });
    assertThatThrownBy(this::pull)
        .isInstanceOf(OperationFailedException.class)
        .hasMessageStartingWith("RegistryUnavailable: ")
        .hasMessageContaining("HTTP " + status);
    assertThat(asked).hasSize(5);
    for (int i = 1; i < asked.size(); i++) {
      // Between half of it and all of it, by chance; double with each.
      assertThat(Duration.ofNanos(asked.get(i) - asked.get(i - 1)))
          .isGreaterThanOrEqualTo(FIRST_PAUSE.multipliedBy(1L << (i - 1)).dividedBy(2));
    }
  }

  /** One answer of seconds, one of a date (RFC 9110, Retry-After). */
  @Test
  void aRegistryMaySayHowLongToWait() throws IOException {
    List<Long> asked = new CopyOnWriteArrayList<>();
    AtomicLong notBefore = new AtomicLong();
    registry.on(
        layer,
        (exchange, content, number) -> {
          asked.add(System.nanoTime());
          switch (number) {
            case 1 -> refuse(exchange, 429, "1");
            case 2 -> {
              Instant now = Instant.now();
              Instant until = now.plusMillis(1500).truncatedTo(ChronoUnit.SECONDS);
              notBefore.set(System.nanoTime() + Duration.between(now, until).toNanos());
              refuse(exchange, 503, HTTP_DATE.format(until));
            }
            default -> TestRegistry.serve(exchange, content);
          }
        });
    assertThat(pull()).isEqualTo(image.id());
    assertThat(Duration.ofNanos(asked.get(1) - asked.get(0))).isGreaterThan(ALMOST_A_SECOND);
    // The one clock may be put right by a little while the other goes on.
    assertThat(Duration.ofNanos(asked.get(2) - notBefore.get()))
        .isGreaterThan(Duration.ofMillis(-50));
  }

  @Test
  void aTokenServerMaySaySoToo() throws IOException {
    List<Long> asked = new CopyOnWriteArrayList<>();
    registry.gate(
        exchange -> {
          if (exchange.getRequestURI().getPath().equals("/token")) {
            asked.add(System.nanoTime());
            if (asked.size() == 1) {
              refuse(exchange, 429, "1");
            } else {
              TestRegistry.reply(exchange, 200, "{\"token\":\"t\"}");
            }
            return false;
          }
          if ("Bearer t".equals(exchange.getRequestHeaders().getFirst("Authorization"))) {
            return true;
          }
          exchange
              .getResponseHeaders()
              .set("WWW-Authenticate", "Bearer realm=\"http://" + registry.address() + "/token\"");
          TestRegistry.reply(exchange, 401, "");
          return false;
        });
    assertThat(pull()).isEqualTo(image.id());
    assertThat(asked).hasSize(2);
    assertThat(Duration.ofNanos(asked.get(1) - asked.get(0))).isGreaterThan(ALMOST_A_SECOND);
  }

  @Test
  void whatSaysNothingOfTheFutureDelaysNothing() throws IOException {
    List<String> says = List.of("Sun, 06 Nov 1994 08:49:37 GMT", "soon", "-5", "");
    registry.on(
        layer,
        (exchange, content, number) -> {
          if (number <= says.size()) {
            refuse(exchange, 429, says.get(number - 1));
          } else {
            TestRegistry.serve(exchange, content);
          }
        });
    assertThat(pull()).isEqualTo(image.id());
  }

  private static void refuse(HttpExchange exchange, int status, String retryAfter)
      throws IOException {
    exchange.getResponseHeaders().set("Retry-After", retryAfter);
    TestRegistry.reply(exchange, status, "");
  }

  /** Twice as long as a connection may be silent, and never silent for long. */
  @Test
  void aLayerThatComesSlowlyButSteadilyMayTakeItsTime() throws IOException {
    registry.on(layer, (exchange, content, number) -> trickle(exchange, content));
    long began = System.nanoTime();
    assertThat(pull()).isEqualTo(image.id());
    assertThat(Duration.ofNanos(System.nanoTime() - began)).isGreaterThan(STALL.multipliedBy(2));
    assertThat(registry.count(layer)).as("without being begun again").isEqualTo(1);
  }

  private static void trickle(HttpExchange exchange, byte[] content) throws IOException {
    int parts = 44;
    exchange.sendResponseHeaders(200, content.length);
    for (int i = 0; i < parts; i++) {
      int from = (int) ((long) content.length * i / parts);
      int end = (int) ((long) content.length * (i + 1) / parts);
      exchange.getResponseBody().write(content, from, end - from);
      exchange.getResponseBody().flush();
      TestRegistry.pause(Duration.ofMillis(150));
    }
  }

  @Test
  void aLayerThatStandsStillIsGivenUp() throws IOException {
    reopen(settings(Duration.ofMillis(500), 1, Duration.ofMillis(2)));
    CountDownLatch never = new CountDownLatch(1);
    List<String> ranges = new CopyOnWriteArrayList<>();
    registry.on(
        layer,
        (exchange, content, number) -> {
          ranges.add(String.valueOf(exchange.getRequestHeaders().getFirst("Range")));
          exchange.sendResponseHeaders(200, content.length);
          exchange.getResponseBody().write(content, 0, content.length / 2);
          exchange.getResponseBody().flush();
          hang(never);
        });
    assertThatThrownBy(this::pull)
        .isInstanceOf(OperationFailedException.class)
        .hasMessageStartingWith("RegistryUnavailable: ")
        .hasMessageContaining("timed out");
    // More often where even the answer's head was late.
    assertThat(ranges).hasSizeGreaterThanOrEqualTo(5);
    assertThat(images.list()).isEmpty();
    never.countDown();
  }

  private static void hang(CountDownLatch latch) throws IOException {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
  }
}
