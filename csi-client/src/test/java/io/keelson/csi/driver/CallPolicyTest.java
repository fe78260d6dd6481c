package io.keelson.csi.driver;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CallPolicyTest {

  /** A quarter more at most, so that those who failed together do not come again together. */
  @ParameterizedTest
  @CsvSource({
    "1, 100",
    "2, 200",
    "3, 400",
    "7, 6400",
    "8, 10000",
    "22, 10000",
    "65, 10000",
    "10000, 10000"
  })
  void pausesDoubleUntilTheLongest(int attempt, long millis) {
    for (int i = 0; i < 100; i++) {
      assertThat(CallPolicy.DEFAULT.pauseAfter(attempt))
          .isBetween(Duration.ofMillis(millis), Duration.ofMillis(millis * 5 / 4));
    }
  }
}
