package io.keelson.sandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keelson.proto.cri.v1.Signal;
import io.keelson.sandbox.error.InvalidRequestException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class StopSignalTest {

  @Test
  void theCallersSignalWinsOverTheImages() {
    assertThat(StopSignal.of(Signal.SIGNAL_SIGUSR1, "SIGQUIT")).isEqualTo(10);
  }

  @Test
  void theImagesSignalWinsOverTheDefault() {
    assertThat(StopSignal.of(Signal.SIGNAL_RUNTIME_DEFAULT, "SIGQUIT")).isEqualTo(3);
    assertThat(StopSignal.of(Signal.SIGNAL_RUNTIME_DEFAULT, "9")).isEqualTo(9);
    assertThat(StopSignal.of(Signal.SIGNAL_RUNTIME_DEFAULT, "")).isEqualTo(15);
  }

  @Test
  void rubbishInAnImageMeansTheDefault() {
    assertThat(StopSignal.of(Signal.SIGNAL_RUNTIME_DEFAULT, "SIGNONSENSE")).isEqualTo(15);
  }

  @Test
  void anUnknownNumberIsRefused() {
    assertThatThrownBy(() -> StopSignal.of(Signal.UNRECOGNIZED, ""))
        .isInstanceOf(InvalidRequestException.class);
  }

  @ParameterizedTest
  @EnumSource(
      mode = EnumSource.Mode.EXCLUDE,
      names = {"SIGNAL_RUNTIME_DEFAULT", "UNRECOGNIZED"})
  void everySignalOfTheContractHasANumberThatLeadsBack(Signal signal) {
    int number = StopSignal.of(signal, "");

    assertThat(number).isBetween(1, 64);
    assertThat(StopSignal.of(StopSignal.toProto(number), "")).isEqualTo(number);
  }
}
