package io.keelson.cni.plugin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keelson.sandbox.error.InvalidRequestException;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PodBandwidthTest {

  @ParameterizedTest
  @CsvSource({
    "10M, 10000000",
    "1k, 1000",
    "1P, 1000000000000000",
    "1.5Mi, 1572864",
    "1e6, 1000000",
    "2E3, 2000",
    "1000.1, 1001",
    "5000000m, 5000",
    ".5G, 500000000"
  })
  void quantitiesAreBitsPerSecond(String quantity, long bits) {
    var limits = PodBandwidth.of(Map.of("kubernetes.io/egress-bandwidth", quantity)).orElseThrow();
    assertThat(limits.path("egressRate").longValue()).isEqualTo(bits);
    assertThat(limits.path("egressBurst").longValue()).isEqualTo(4294967295L);
    assertThat(limits.has("ingressRate")).isFalse();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "fast",
        "10m",
        "999",
        "2P",
        "1E",
        "-5M",
        "1e99999999999",
        "1e-3",
        "1MM",
        "1e",
        "1ee3",
        "10 M"
      })
  void otherValuesAreRefused(String quantity) {
    assertThatThrownBy(() -> PodBandwidth.of(Map.of("kubernetes.io/ingress-bandwidth", quantity)))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("kubernetes.io/ingress-bandwidth is \"" + quantity + "\"");
  }

  @Test
  void podsWithoutLimitsGetNone() {
    assertThat(PodBandwidth.of(Map.of("other", "1"))).isEmpty();
  }
}
