package io.keelson.csi.driver;

import static org.assertj.core.api.Assertions.assertThat;

import io.keelson.proto.csi.v1.NodeStageVolumeRequest;
import java.util.List;
import org.junit.jupiter.api.Test;

class RedactionTest {

  @Test
  void theLongerSecretGoesBeforeItsPart() {
    assertThat(Redaction.of(List.of("abcd", "abcdefgh")).of("abcdefgh, then abcd"))
        .isEqualTo("***, then ***");
  }

  /** As a program prints a file that it has trimmed or quoted. */
  @Test
  void aSecretOfSeveralLinesIsFoundByLine() {
    assertThat(Redaction.of(List.of("[client]\n  key = AQB7\n")).of("\"[client]\\n  key = AQB7\""))
        .isEqualTo("\"***\\n  ***\"");
  }

  /** A password of one letter would leave nothing to read. */
  @Test
  void shortOnesAreLeft() {
    assertThat(Redaction.of(List.of("a", "", "yes")).of("a yes")).isEqualTo("a yes");
  }

  @Test
  void otherFieldsOfTheRequestAreNoSecrets() {
    NodeStageVolumeRequest request =
        NodeStageVolumeRequest.newBuilder()
            .setVolumeId("volume")
            .putVolumeContext("server", "far.away")
            .putSecrets("password", "hush-hush")
            .build();
    assertThat(Redaction.of(request).of("volume at far.away: hush-hush"))
        .isEqualTo("volume at far.away: ***");
  }
}
