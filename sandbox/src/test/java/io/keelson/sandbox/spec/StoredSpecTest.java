package io.keelson.sandbox.spec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class StoredSpecTest {

  private static final ObjectMapper JSON = new ObjectMapper();

  @Test
  void aFurtherCommandKeepsAllButItsCommandLineAndTerminal() throws IOException {
    SpecBuilder spec = spec();
    JsonNode original = JSON.readTree(spec.process());
    JsonNode exec =
        JSON.readTree(new StoredSpec(spec.toJson()).execProcess(List.of("ls", "a b"), false));
    assertThat(exec.path("args")).hasToString("[\"ls\",\"a b\"]");
    assertThat(exec.path("terminal").asBoolean()).isFalse();
    for (String same :
        List.of(
            "user", "env", "cwd", "capabilities", "rlimits", "noNewPrivileges", "oomScoreAdj")) {
      assertThat(exec.path(same)).as(same).isEqualTo(original.path(same));
    }
  }

  @Test
  void aTerminalBringsTermOnce() throws IOException {
    StoredSpec stored = new StoredSpec(spec().toJson());
    assertThat(JSON.readTree(stored.execProcess(List.of("sh"), true)).path("env"))
        .hasToString("[\"A=b=c\",\"TERM=xterm\"]");
    StoredSpec withTerm = new StoredSpec(spec().env("TERM", "vt100").toJson());
    assertThat(JSON.readTree(withTerm.execProcess(List.of("sh"), true)).path("env"))
        .hasToString("[\"A=b=c\",\"TERM=vt100\"]");
  }

  @Test
  void newLimitsAreMergedIntoOldOnes() throws IOException {
    SpecBuilder update = new SpecBuilder();
    update.limits().cpuShares(2).memoryLimit(99);
    JsonNode changed =
        JSON.readTree(new StoredSpec(spec().toJson()).withResources(update.resources()));
    assertThat(changed.at("/linux/resources/cpu/shares").asInt()).isEqualTo(2);
    assertThat(changed.at("/linux/resources/cpu/quota").asInt()).isEqualTo(7);
    assertThat(changed.at("/linux/resources/memory/limit").asInt()).isEqualTo(99);
    assertThat(changed.at("/process/cwd").asText()).isEqualTo("/w");
  }

  @Test
  void whatIsDamagedIsNotGuessedAt() {
    StoredSpec torn = new StoredSpec("{\"ociVersion\":\"1.0.2\",".getBytes(StandardCharsets.UTF_8));
    assertThatThrownBy(() -> torn.execProcess(List.of("ls"), false))
        .isInstanceOf(IOException.class);
    StoredSpec other = new StoredSpec("[]".getBytes(StandardCharsets.UTF_8));
    assertThatThrownBy(() -> other.execProcess(List.of("ls"), false))
        .isInstanceOf(IOException.class);
    assertThatThrownBy(() -> other.withResources(new byte[] {'{', '}'}))
        .isInstanceOf(IOException.class);
  }

  private static SpecBuilder spec() {
    SpecBuilder spec =
        new SpecBuilder()
            .args(List.of("/init"))
            .env("A", "b=c")
            .cwd("/w")
            .terminal(true)
            .user(new SpecUser(1, 2, List.of(2L, 3L)))
            .capabilities(SpecCapabilities.of(Set.of("CAP_KILL"), Set.of()))
            .noNewPrivileges(true)
            .oomScoreAdj(5)
            .rlimit(new SpecRlimit("RLIMIT_NOFILE", 1, 2))
            .hook(
                SpecHook.Stage.POSTSTOP, new SpecHook("/bin/true", List.of("true"), List.of(), 3));
    spec.limits().cpuShares(1024).cpuQuota(7);
    return spec;
  }
}
