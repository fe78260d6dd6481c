package io.keelson.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SignalsTest {

  @ParameterizedTest
  @CsvSource({
    "SIGTERM, 15",
    "TERM, 15",
    "sigterm, 15",
    "15, 15",
    "SIGKILL, 9",
    "WINCH, 28",
    "SIGSYS, 31",
    "SIGRTMIN, 34",
    "SIGRTMIN+3, 37",
    "RTMAX, 64",
    "rtmax-1, 63",
    "SIGPOLL, 29",
    "64, 64"
  })
  void isReadAsImagesWriteIt(String text, int signal) {
    assertThat(Signals.parse(text)).isEqualTo(signal);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "SIG",
        "0",
        "65",
        "99999999999",
        "-1",
        "SIGFOO",
        "RTMIN+31",
        "RTMAX-31",
        "SIGSIGTERM"
      })
  void whatIsNoSignalIsRefused(String text) {
    assertThatThrownBy(() -> Signals.parse(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("\"" + text + "\"");
  }

  @Test
  void everyNameIsReadBack() {
    for (int signal = 1; signal <= 64; signal++) {
      if (signal != 32 && signal != 33) { // the C library's own, without names
        assertThat(Signals.parse(Signals.name(signal))).isEqualTo(signal);
      }
    }
  }
}
