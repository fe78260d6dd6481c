package io.keelson.cni.plugin;

import static io.keelson.cni.plugin.CniFixture.RESULT;
import static io.keelson.cni.plugin.CniFixture.pod;
import static io.keelson.cni.plugin.CniFixture.soon;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keelson.linux.ProcessId;
import io.keelson.sandbox.error.DeadlineExceededException;
import io.keelson.sandbox.error.OperationFailedException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Plugins that crash, hang and babble: each gives an error that says who did what, and nothing is
 * left.
 */
class PluginMisbehaviourTest {

  @TempDir Path folder;
  CniFixture cni;

  @BeforeEach
  void folders() throws IOException {
    cni = new CniFixture(folder);
    cni.configure("10-net.conflist", "1.0.0", "podnet", "odd");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "echo rubbish | ended well but printed what is no JSON: ",
        "echo '{}{}' | ended well but printed what is no JSON: ",
        "echo '[]' | ended well but printed what is no JSON object: \"[]\"",
        "echo oops >&2 | ended well but printed nothing; stderr: oops",
        "head -c 3000000 /dev/zero | ended well but printed more than 1048576 bytes, beginning with"
            + " ",
        "echo '{\"cniVersion\":\"9.9.9\"}' | ended well, but its result is of the unknown CNI"
            + " version 9.9.9",
        "echo '{\"code\":3,\"msg\":\"gone\"}' | failed: gone (code 3)",
        "echo oops >&2; exit 3 | failed with exit code 3 and printed nothing; stderr: oops",
        "echo '{\"ips\":[]}'; exit 2 | failed with exit code 2 and printed no error: ",
        "echo panic; exit 2 | failed with exit code 2 and printed what is no JSON: ",
        "kill -SEGV $$ | failed with exit code 139 (signal 11) and printed nothing",
        "head -c 3000000 /dev/zero >&2; exit 1 | failed with exit code 1 and printed nothing;"
            + " stderr: …",
      })
  void badAnswerNamesPluginCommandAndNetwork(String script, String message) throws IOException {
    cni.plugin("odd", "ADD) " + script + ";;");
    try (CniNetwork network = cni.open()) {
      assertThatThrownBy(() -> network.attach(pod("p1")))
          .isInstanceOf(OperationFailedException.class)
          .message()
          .startsWith("CNI plugin odd (ADD, network podnet) " + message)
          .hasSizeLessThan(3000);
      assertThat(cni.names()).containsExactly("odd ADD", "odd DEL");
      assertThat(network.isAttached("p1")).isFalse();
    }
  }

  @Test
  void hangingPluginIsKilledWithAllThatItStarted() throws IOException {
    Path child = folder.resolve("child");
    cni.plugin("odd", "ADD) echo waiting >&2; sleep 600 & echo $! > " + child + "; wait;;");
    CniSettings settings =
        cni.settings(Duration.ofSeconds(3), Duration.ofSeconds(5), Duration.ofMinutes(10));
    long start = System.nanoTime();
    try (CniNetwork network = CniNetwork.open(settings)) {
      assertThatThrownBy(() -> network.attach(pod("p1")))
          .isInstanceOf(DeadlineExceededException.class)
          .hasMessageStartingWith(
              "CNI plugin odd (ADD, network podnet) failed: no end within 3000 ms")
          .hasMessageContaining("waiting");
      assertThat(network.isAttached("p1")).isFalse();
    }
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(60));
    int pid = Integer.parseInt(Files.readString(child).strip());
    soon().until(() -> ProcessId.of(pid).filter(ProcessId::isAlive).isEmpty());
  }

  @Test
  void childThatHoldsTheOutputIsNotWaitedFor() throws IOException {
    Path child = folder.resolve("child");
    cni.plugin("odd", "ADD) sleep 600 & echo $! > " + child + "; echo '" + RESULT + "';;");
    try (CniNetwork network = cni.open()) {
      long start = System.nanoTime();
      assertThat(network.attach(pod("p1")).addresses()).hasSize(1);
      assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(15));
    } finally {
      long pid = Long.parseLong(Files.readString(child).strip());
      ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
    }
  }

  @Test
  void missingPluginSaysWhereItWasLookedFor() throws IOException {
    try (CniNetwork network = cni.open()) {
      assertThatThrownBy(() -> network.attach(pod("p1")))
          .isInstanceOf(OperationFailedException.class)
          .hasMessage(
              "CNI plugin odd (ADD, network podnet) is not installed: no such program in "
                  + cni.binaries);
      assertThat(network.isAttached("p1")).isFalse();
      assertThat(network.condition().ready()).isFalse();
      soon().until(() -> network.condition().message().contains("is not installed"));
      assertThat(network.condition().message()).contains("odd");
    }
  }
}
