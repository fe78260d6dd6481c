package io.keelson.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class PidfdTest {

  @Test
  void signalsAndAwaitsAProcess() throws Exception {
    try (Spawned child = sleeper();
        Pidfd pidfd = Pidfd.open(child.processId()).orElseThrow()) {
      assertThat(pidfd.await(Duration.ZERO)).isFalse();
      assertThat(pidfd.await(Duration.ofMillis(5))).isFalse();

      assertThat(pidfd.signal(Signals.SIGTERM)).isTrue();

      assertThat(pidfd.await(Duration.ofSeconds(10))).isTrue();
      assertThat(child.await()).isEqualTo(128 + Signals.SIGTERM);
      assertThat(pidfd.signal(Signals.SIGTERM)).as("has ended").isFalse();
    }
  }

  @Test
  void anotherProcessWithTheNumberIsNotOpened() throws Exception {
    ProcessId self = ProcessId.of((int) ProcessHandle.current().pid()).orElseThrow();

    assertThat(Pidfd.open(new ProcessId(self.pid(), self.startTime() - 1))).isEmpty();
    assertThat(Pidfd.open(new ProcessId(Integer.MAX_VALUE, 1))).isEmpty();
  }

  private static Spawned sleeper() throws IOException {
    return Spawn.start(List.of("sleep", "1000"), Map.of(), null, SpawnFiles.none(), false);
  }
}
