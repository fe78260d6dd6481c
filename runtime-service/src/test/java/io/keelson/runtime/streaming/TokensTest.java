package io.keelson.runtime.streaming;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keelson.sandbox.error.ResourceExhaustedException;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class TokensTest {

  private static final StreamRequest REQUEST = new StreamRequest.PortForward("pod", List.of());

  private final AtomicLong now = new AtomicLong(Long.MAX_VALUE - 1_000_000); // about to overflow
  private final Tokens tokens = new Tokens(now::get);

  @Test
  void aTokenIsRedeemedOnce() {
    String token = tokens.issue(REQUEST);

    assertThat(tokens.redeem(token)).contains(REQUEST);
    assertThat(tokens.redeem(token)).isEmpty();
    assertThat(tokens.redeem("")).isEmpty();
  }

  @Test
  void aTokenLivesForAMinute() {
    String late = tokens.issue(REQUEST);
    String early = tokens.issue(REQUEST);

    now.addAndGet(Duration.ofSeconds(60).toNanos() - 1);
    assertThat(tokens.redeem(early)).isPresent();
    now.addAndGet(1);
    assertThat(tokens.redeem(late)).isEmpty();
  }

  @Test
  void noMoreThanAThousandWaitAndTheyMakeRoom() {
    Set<String> issued = new HashSet<>();
    for (int i = 0; i < 1_000; i++) {
      issued.add(tokens.issue(REQUEST));
    }
    assertThat(issued).hasSize(1_000).allMatch(token -> token.matches("[A-Za-z0-9_-]{24}"));
    assertThatThrownBy(() -> tokens.issue(REQUEST)).isInstanceOf(ResourceExhaustedException.class);

    assertThat(tokens.redeem(issued.iterator().next())).isPresent();
    assertThat(tokens.issue(REQUEST)).isNotEmpty();
    now.addAndGet(Duration.ofSeconds(60).toNanos());
    assertThat(tokens.issue(REQUEST)).isNotEmpty();
  }
}
