package io.keelson.sandbox.isolator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.entry;

import com.google.protobuf.ByteString;
import io.keelson.proto.cri.v1.KeyValue;
import io.keelson.sandbox.error.InvalidRequestException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProcessIsolatorTest {

  private final ProcessIsolator isolator = new ProcessIsolator();
  @TempDir Path root;
  private Given given;

  @BeforeEach
  void given() {
    given = new Given(root);
  }

  @Test
  void takesEntrypointAndCommandOfTheImageWhenNothingIsSaid() throws IOException {
    assertThat(given.prepared(isolator).args()).containsExactly("/entry", "cmd");
  }

  @Test
  void argsReplaceTheImagesCommandOnly() throws IOException {
    given.config.addArgs("other");
    assertThat(given.prepared(isolator).args()).containsExactly("/entry", "other");
  }

  @Test
  void commandReplacesBothOfTheImage() throws IOException {
    given.config.addCommand("/mine");
    assertThat(given.prepared(isolator).args()).containsExactly("/mine");
  }

  @Test
  void commandAndArgsReplaceAll() throws IOException {
    given.config.addCommand("/mine").addArgs("a").addArgs("b");
    assertThat(given.prepared(isolator).args()).containsExactly("/mine", "a", "b");
  }

  @Test
  void anEmptyEntrypointOfOldBuildersIsNone() throws IOException {
    given.image("", List.of(""), List.of("cmd"));
    assertThat(given.prepared(isolator).args()).containsExactly("cmd");
  }

  @Test
  void refusesAContainerWithoutAnyCommand() {
    given.image("", List.of(), List.of());
    assertThatThrownBy(() -> given.prepared(isolator))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("app");
  }

  @Test
  void hostnameComesFirstAndTheCallersEnvironmentWins() throws IOException {
    given.config.addEnvs(variable("FROM", "caller")).addEnvs(variable("LAST", "a=b"));
    assertThat(given.prepared(isolator).env())
        .containsExactly(
            entry("HOSTNAME", "pod-host"),
            entry("PATH", "/image"),
            entry("FROM", "caller"),
            entry("LAST", "a=b"));
  }

  @Test
  void aTerminalBringsTermUnlessItIsSet() throws IOException {
    given.config.setTty(true);
    assertThat(given.prepared(isolator).env()).containsEntry("TERM", "xterm");
    given.config.addEnvs(variable("TERM", "vt100"));
    assertThat(given.prepared(isolator).env()).containsEntry("TERM", "vt100");
    assertThat(Given.json(given.prepared(isolator)).at("/process/terminal").asBoolean()).isTrue();
  }

  @Test
  void refusesAVariableThatNoProcessCanHave() {
    given.config.addEnvs(variable("A=B", "c"));
    assertThatThrownBy(() -> given.prepared(isolator)).isInstanceOf(InvalidRequestException.class);
  }

  @Test
  void workingDirectoryOfTheCallerBeforeTheImages() throws IOException {
    assertThat(given.prepared(isolator).cwd()).isEqualTo("/srv");
    given.config.setWorkingDir("/mine");
    assertThat(given.prepared(isolator).cwd()).isEqualTo("/mine");
  }

  private static KeyValue variable(String key, String value) {
    return KeyValue.newBuilder().setKey(key).setValue(ByteString.copyFromUtf8(value)).build();
  }
}
