package io.keelson.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ProcessIdTest {

  @Test
  void aRunningProcessIsAlive() {
    int self = (int) ProcessHandle.current().pid();

    assertThat(ProcessId.of(self)).hasValueSatisfying(id -> assertThat(id.isAlive()).isTrue());
  }

  @Test
  void theSameNumberWithAnotherStartTimeIsAnotherProcess() {
    ProcessId self = ProcessId.of((int) ProcessHandle.current().pid()).orElseThrow();

    assertThat(new ProcessId(self.pid(), self.startTime() - 1).isAlive()).isFalse();
  }

  @Test
  void aZombieIsDead() throws Exception {
    try (Spawned child = Spawn.start(List.of("true"), Map.of(), null, SpawnFiles.none(), false)) {
      ProcessId id = child.processId();
      assertThat(child.pidfd().await(Duration.ofSeconds(10))).isTrue();

      assertThat(id.isAlive()).as("not yet waited for").isFalse();
      assertThat(id.canBeEntered()).isFalse();
      assertThat(ProcessId.of(id.pid())).contains(id);

      child.await();
      assertThat(ProcessId.of(id.pid())).isEmpty();
    }
  }

  @Test
  void aNameWithParenthesesAndSpacesIsNoTrap() throws Exception {
    String script = "printf ') Z 1 2 (' > /proc/self/comm; echo ready; read x";
    Fd[] in = Fd.pipe();
    Fd[] out = Fd.pipe();
    try (Fd ours = in[1];
        Fd theirs = in[0];
        Fd read = out[0];
        Fd write = out[1];
        Spawned child =
            Spawn.start(
                List.of("bash", "-c", script),
                Map.of(),
                null,
                SpawnFiles.none().fd(0, theirs).fd(1, write),
                true)) {
      assertThat(ours.number()).isPositive();
      assertThat(read.read(new byte[10], 0, 10)).isPositive();

      assertThat(child.processId().isAlive()).isTrue();
      assertThat(child.processId().canBeEntered()).isTrue();
    }
  }

  @Test
  void noNumberIsNoProcess() {
    assertThat(ProcessId.of(0)).isEmpty();
    assertThat(ProcessId.of(-1)).isEmpty();
    assertThat(ProcessId.of(Integer.MAX_VALUE)).isEmpty();
  }
}
