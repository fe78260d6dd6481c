package io.keelson.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keelson.image.fixture.SlowLine;
import io.keelson.image.fixture.TestImage;
import io.keelson.image.fixture.TestRegistry;
import io.keelson.sandbox.error.OperationFailedException;
import java.io.IOException;
import java.io.OutputStream;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Layers of many segments: over several connections where one is slow, and from bad servers. */
@Timeout(60)
class LargeLayersTest extends PullTest {

  private static final Duration FIRST_PAUSE = Duration.ofMillis(20);

  LargeLayersTest() {
    super(TestImage.ofNoise(TestImage.Compression.NONE, 16 << 20, 11));
  }

  @Override
  ImageSettings settings() {
    return stallingAfter(Duration.ofSeconds(20));
  }

  private ImageSettings stallingAfter(Duration stallTimeout) {
    return settings(stallTimeout, 4, FIRST_PAUSE);
  }

  @Test
  void aSlowServerIsAskedForPartsSideBySide() throws Exception {
    AtomicInteger now = new AtomicInteger();
    AtomicInteger most = new AtomicInteger();
    Set<String> ranges = ConcurrentHashMap.newKeySet();
    registry.on(
        layer,
        (exchange, content, number) -> {
          most.accumulateAndGet(now.incrementAndGet(), Math::max);
          ranges.add(String.valueOf(exchange.getRequestHeaders().getFirst("Range")));
          try {
            SlowLine.serve(exchange, content, true);
          } finally {
            now.decrementAndGet();
          }
        });
    assertThat(pull()).isEqualTo(image.id());
    assertThat(most.get()).isBetween(2, 5);
    assertThat(ranges).anyMatch(range -> range.matches("bytes=\\d+-\\d+"));
    // No part twice.
    assertThat(registry.count(layer)).isEqualTo(ranges.size());
  }

  @Test
  void whereOneConnectionIsAllowedOneIsMade() throws Exception {
    reopen(settings(Duration.ofSeconds(20), 1, FIRST_PAUSE));
    registry.on(layer, (exchange, content, number) -> SlowLine.serve(exchange, content, true));
    assertThat(pull()).isEqualTo(image.id());
    assertThat(registry.count(layer)).isEqualTo(1);
  }

  @Test
  void aServerThatOnlySaysThatItKnowsRangesIsReadByOneConnection() throws Exception {
    registry.on(layer, (exchange, content, number) -> SlowLine.serve(exchange, content, false));
    assertThat(pull()).isEqualTo(image.id());
    assertThat(registry.count(layer)).isLessThan(8);
  }

  @Test
  void aPartThatBreaksOffIsFetchedAgain() throws Exception {
    registry.on(
        layer,
        (exchange, content, number) -> {
          if (number > 1 && number % 2 == 0) {
            throw new IOException("broken off for a test");
          }
          SlowLine.serve(exchange, content, true);
        });
    assertThat(pull()).isEqualTo(image.id());
    // One at least has been broken off.
    assertThat(registry.count(layer)).isGreaterThan(2);
  }

  @Test
  void partsOfAnotherBlobAreRefused() throws Exception {
    registry.on(
        layer,
        (exchange, content, number) -> {
          byte[] served = content;
          if (number > 1) {
            served = content.clone();
            served[served.length - 5000] ^= 1;
          }
          SlowLine.serve(exchange, served, true);
        });
    assertThatThrownBy(this::pull).isInstanceOf(OperationFailedException.class);
    assertThat(images.list()).isEmpty();
  }

  @Test
  void aBodyWithoutAnEndIsCutOff() throws Exception {
    registry.on(
        layer,
        (exchange, content, number) -> {
          exchange.sendResponseHeaders(200, 0);
          OutputStream body = exchange.getResponseBody();
          body.write(content);
          while (true) {
            body.write(content, 0, 1 << 16);
          }
        });
    assertThatThrownBy(this::pull)
        .isInstanceOf(OperationFailedException.class)
        .hasMessageContaining("longer than");
  }

  @Test
  void aServerThatTricklesIsGivenUp() throws Exception {
    reopen(stallingAfter(Duration.ofMillis(600)));
    AtomicInteger began = new AtomicInteger();
    registry.on(
        layer,
        (exchange, content, number) -> {
          began.incrementAndGet();
          exchange.sendResponseHeaders(200, content.length);
          for (int i = 0; i < 1000; i++) {
            exchange.getResponseBody().write(content[i]);
            exchange.getResponseBody().flush();
            TestRegistry.pause(Duration.ofMillis(100));
          }
        });
    assertThatThrownBy(this::pull)
        .isInstanceOf(OperationFailedException.class)
        .hasMessageContaining("RegistryUnavailable")
        .hasMessageContaining("bytes came in");
    assertThat(began).hasValue(5);
  }

  @Test
  void aServerThatFallsSilentIsAskedAgain() throws Exception {
    reopen(stallingAfter(Duration.ofSeconds(1)));
    registry.on(
        layer,
        (exchange, content, number) -> {
          if (number == 1) {
            exchange.sendResponseHeaders(200, content.length);
            exchange.getResponseBody().write(content, 0, 5 << 20);
            exchange.getResponseBody().flush();
            TestRegistry.pause(Duration.ofSeconds(10));
          }
          TestRegistry.serve(exchange, content);
        });
    assertThat(pull()).isEqualTo(image.id());
  }
}
