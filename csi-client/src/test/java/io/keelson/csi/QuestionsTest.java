package io.keelson.csi;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Status;
import io.keelson.sandbox.error.UnavailableException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What is only asked about a volume never holds up what becomes of it. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class QuestionsTest {

  /** For a call. */
  private static final Duration LONG = Duration.ofMinutes(2);

  @RegisterExtension final NodeUnderTest node = new NodeUnderTest(LONG);

  record Asked(String method, Misdeed misdeed) {}

  static Stream<Asked> questions() {
    Misdeed isAway = new Misdeed(false, Optional.of(Status.UNAVAILABLE), false);
    return Stream.of("NodeGetVolumeStats", "ControllerGetVolume", "ValidateVolumeCapabilities")
        .flatMap(method -> Stream.of(new Asked(method, Misdeed.HANGS), new Asked(method, isAway)));
  }

  @ParameterizedTest
  @MethodSource("questions")
  void aVolumeIsUnpublishedWhileTheDriverThinks(Asked asked) throws Exception {
    node.create("v");
    node.publish("p", "v");
    Misdeed[] always = new Misdeed[10_000];
    java.util.Arrays.fill(always, asked.misdeed());
    node.driver().next(asked.method(), always);
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<?> question =
          threads.submit(
              () ->
                  switch (asked.method()) {
                    case "NodeGetVolumeStats" -> node.volumes().queries().stats("v");
                    case "ControllerGetVolume" -> node.volumes().queries().volume("v");
                    default -> node.volumes().provisioning().validate("v");
                  });
      NodeUnderTest.await("the driver was asked", () -> node.driver().calls(asked.method()) > 0);

      long began = System.nanoTime();
      node.unpublish("p");

      assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(10));
      assertThat(question)
          .failsWithin(Duration.ofSeconds(10))
          .withThrowableOfType(ExecutionException.class)
          .withCauseInstanceOf(UnavailableException.class);
    }
    assertThat(node.mounts()).isEmpty();
  }
}
