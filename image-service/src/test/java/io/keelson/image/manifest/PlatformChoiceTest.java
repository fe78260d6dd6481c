package io.keelson.image.manifest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keelson.image.reference.Digest;
import io.keelson.sandbox.error.NotFoundException;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which image of an index a node takes. */
class PlatformChoiceTest {

  private static Platform platform(String text) {
    String[] parts = text.split("/", -1);
    return new Platform(parts[0], parts[1], parts.length > 2 ? parts[2] : "");
  }

  @ParameterizedTest
  @CsvSource({
    "linux/amd64/v3, linux/arm64 linux/amd64, linux/amd64",
    "linux/amd64/v3, linux/amd64 linux/amd64/v2 linux/amd64/v3 linux/amd64/v4, linux/amd64/v3",
    "linux/amd64/v1, linux/amd64/v2 linux/amd64, linux/amd64",
    "linux/amd64/v2, linux/386 linux/amd64, linux/amd64",
    "linux/amd64/v2, windows/amd64 linux/386, linux/386",
    "linux/arm64/v8, linux/arm/v7 linux/arm64/v8, linux/arm64/v8",
    "linux/arm64/v8, linux/arm/v6 linux/arm/v7, linux/arm/v7",
    "linux/arm64/v8, linux/arm64/v9 linux/arm64, linux/arm64",
    "linux/riscv64, linux/amd64 linux/riscv64, linux/riscv64",
    "linux/amd64/v3, unknown/unknown linux/amd64, linux/amd64"
  })
  void theBestOfAnIndexIsTaken(String host, String offered, String chosen) {
    Manifest.Index index = index(offered);
    assertThat(PlatformChoice.choose(index, platform(host), "x").platform())
        .isEqualTo(platform(chosen));
  }

  private static Manifest.Index index(String offered) {
    return new Manifest.Index(
        Arrays.stream(offered.split(" ", -1))
            .map(
                text ->
                    new Descriptor(
                        MediaTypes.OCI_MANIFEST,
                        Digest.of(text.getBytes(java.nio.charset.StandardCharsets.UTF_8)),
                        1,
                        platform(text),
                        Map.of()))
            .toList());
  }

  @Test
  void whatRunsOnNoAccountIsRefusedWithWhatThereIs() {
    assertThatThrownBy(
            () ->
                PlatformChoice.choose(
                    index("linux/amd64/v4 windows/amd64"), platform("linux/amd64/v2"), "app:1"))
        .isInstanceOf(NotFoundException.class)
        .hasMessage("app:1 has no image for linux/amd64/v2; it has: linux/amd64/v4, windows/amd64");
  }

  @Test
  void theLevelOfAProcessorIsWhatAllItsFlagsAllow() {
    String v2 = "fpu cx16 lahf_lm popcnt pni sse4_1 sse4_2 ssse3";
    String v3 = v2 + " avx avx2 bmi1 bmi2 f16c fma abm movbe xsave";
    assertThat(X86Level.of("fpu sse2")).isEqualTo("v1");
    assertThat(X86Level.of(v2)).isEqualTo("v2");
    assertThat(X86Level.of(v3.replace("bmi2 ", ""))).isEqualTo("v2");
    assertThat(X86Level.of(v3)).isEqualTo("v3");
    assertThat(X86Level.of(v3 + " avx512f avx512bw avx512cd avx512dq avx512vl")).isEqualTo("v4");
  }
}
