package io.keelson.sandbox.launch;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** What people read when a container does not start. */
class RuntimeWordsTest {

  @Test
  void plainLinesStayAsTheyAre() {
    assertThat(RuntimeWords.of("open `/x`: No such file or directory\n"))
        .isEqualTo("open `/x`: No such file or directory");
  }

  @Test
  void theMessageIsTakenOutOfALogLine() {
    assertThat(
            RuntimeWords.of(
                "time=\"2026-11-22T03:32:33Z\" level=error msg=\"exec: \\\"nosuch\\\": not found\"\n"))
        .isEqualTo("exec: \"nosuch\": not found");
  }

  @Test
  void theMessageIsTakenOutOfJson() {
    assertThat(RuntimeWords.of("{\"msg\":\"a\",\"level\":\"error\"}\n{\"msg\":\"b\"}"))
        .isEqualTo("a; b");
  }

  @Test
  void whatLooksLikeJsonAndIsNoneStays() {
    assertThat(RuntimeWords.of("{oops")).isEqualTo("{oops");
  }

  @Test
  void warningsAreNoErrors() {
    assertThat(RuntimeWords.errorIn("{\"level\":\"warning\",\"msg\":\"slow\"}\n")).isEmpty();
    assertThat(
            RuntimeWords.errorIn(
                "{\"level\":\"error\",\"msg\":\"bad\"}\n{\"level\":\"warning\",\"msg\":\"slow\"}\n"))
        .hasValue("bad");
    assertThat(RuntimeWords.errorIn("")).isEmpty();
  }
}
