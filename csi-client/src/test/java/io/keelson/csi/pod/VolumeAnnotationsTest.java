package io.keelson.csi.pod;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keelson.proto.node.v1.VolumeSource;
import io.keelson.sandbox.error.InvalidRequestException;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class VolumeAnnotationsTest {

  @Test
  void othersAnnotationsAreNotLookedAt() {
    Map<String, String> others = Map.of("volumes.example.org/a", "{", "keelson.io/x", "y");
    assertThat(VolumeAnnotations.volumes(others)).isEmpty();
    assertThat(VolumeAnnotations.mounts(others)).isEmpty();
  }

  @Test
  void aVolumeIsTheJsonFormOfItsSource() {
    Map<String, VolumeSource> volumes =
        VolumeAnnotations.volumes(
            Map.of(
                "volumes.keelson.io/b",
                    "{\"tmpfs\": {\"sizeBytes\": \"4096\"}, \"readOnly\": true}",
                "volumes.keelson.io/a-1", "{\"volume\": \"data\"}"));
    assertThat(volumes).containsOnlyKeys("a-1", "b");
    assertThat(volumes)
        .hasEntrySatisfying("a-1", volume -> assertThat(volume.getVolume()).isEqualTo("data"))
        .hasEntrySatisfying(
            "b",
            volume -> {
              assertThat(volume.getTmpfs().getSizeBytes()).isEqualTo(4096);
              assertThat(volume.getReadOnly()).isTrue();
            });
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "A", "-a", "a-", "a.b", "a/b", "../a", "a b"})
  void aNameThatIsNoneIsRefusedByIt(String name) {
    assertRefused(
        () -> VolumeAnnotations.volumes(Map.of("volumes.keelson.io/" + name, "{}")), name);
    assertRefused(() -> VolumeAnnotations.mounts(Map.of("mounts.keelson.io/" + name, "/x")), name);
  }

  @Test
  void namesHaveTheLengthOfALabel() {
    assertThat(VolumeAnnotations.volumes(Map.of("volumes.keelson.io/" + "a".repeat(63), "{}")))
        .hasSize(1);
    assertRefused(
        () -> VolumeAnnotations.volumes(Map.of("volumes.keelson.io/" + "a".repeat(64), "{}")),
        "no name");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "data", "[]", "{\"tmpfs\": {\"colour\": 1}}", "{\"tmpfs\": {}"})
  void whatIsNoVolumeIsRefusedWithItsAnnotation(String value) {
    assertRefused(
        () -> VolumeAnnotations.volumes(Map.of("volumes.keelson.io/v", value)),
        "volumes.keelson.io/v");
  }

  @ParameterizedTest
  @CsvSource({
    "/data, /data, false",
    "/data:ro, /data, true",
    "/data:rw, /data, false",
    "/a/../b//c/, /b/c, false",
    "/with:colon, /with:colon, false",
    "/with:colon:ro, /with:colon, true"
  })
  void aMountIsAPathAndPerhapsAMode(String value, String path, boolean readOnly) {
    assertThat(VolumeAnnotations.mounts(Map.of("mounts.keelson.io/v", value)))
        .containsExactly(new VolumeAnnotations.MountWish("v", path, readOnly));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "data", "./data", ":ro", "/", "/:ro", "/a/..", "/../..", "/a\0b"})
  void aMountThatIsNoneIsRefusedWithItsAnnotation(String value) {
    assertRefused(
        () -> VolumeAnnotations.mounts(Map.of("mounts.keelson.io/v", value)),
        "mounts.keelson.io/v");
  }

  @Test
  void aMountBelowAnotherComesAfterIt() {
    assertThat(
            VolumeAnnotations.mounts(
                Map.of(
                    "mounts.keelson.io/a", "/x/y/z",
                    "mounts.keelson.io/b", "/x",
                    "mounts.keelson.io/c", "/x/y")))
        .extracting(VolumeAnnotations.MountWish::path)
        .containsExactly("/x", "/x/y", "/x/y/z");
  }

  private static void assertRefused(Runnable parsing, String word) {
    assertThatThrownBy(parsing::run)
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining(word);
  }
}
