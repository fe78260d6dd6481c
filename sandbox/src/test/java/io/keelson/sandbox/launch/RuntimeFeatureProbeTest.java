package io.keelson.sandbox.launch;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Of programs that answer as crun and runc of several years do. */
class RuntimeFeatureProbeTest {

  private static final String NEW =
      """
      {"ociVersionMin": "1.0.0", "ociVersionMax": "1.1.0+dev", "linux": {"netDevices": {"enabled":
       true}, "memoryPolicy": {"modes": ["MPOL_BIND", "MPOL_LOCAL"], "flags": []}}}
      """;

  @TempDir Path folder;

  private final RuntimeFeatureProbe probe = new RuntimeFeatureProbe(Duration.ofSeconds(10));

  private RuntimeFeatures of(String script) throws IOException {
    Path program = folder.resolve("runtime");
    Files.writeString(program, "#!/bin/sh\n" + script + "\n");
    Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));
    return probe.of(program);
  }

  @Test
  void aNewRuntimeTellsWhatItKnows() throws IOException {
    RuntimeFeatures features = of("[ \"$*\" = features ] && echo '" + NEW + "'");
    assertThat(features.hasSchedulers()).isTrue();
    assertThat(features.hasNetDevices()).isTrue();
    assertThat(features.hasMemoryPolicy("MPOL_BIND")).isTrue();
    assertThat(features.hasMemoryPolicy("MPOL_INTERLEAVE")).isFalse();
  }

  @Test
  void oneOfAnEarlierSpecKnowsLess() throws IOException {
    RuntimeFeatures features = of("echo '{\"ociVersionMax\": \"1.0.2-dev\", \"linux\": {}}'");
    assertThat(features.hasSchedulers()).isFalse();
    assertThat(features.hasNetDevices()).isFalse();
    assertThat(features.hasMemoryPolicy("MPOL_BIND")).isFalse();
  }

  @Test
  void oneWithoutTheCommandKnowsNothingOfIt() throws IOException {
    assertThat(of("echo unknown command >&2; exit 1").hasSchedulers()).isFalse();
    assertThat(of("echo hello").hasSchedulers()).isFalse();
  }

  @Test
  void anUpdatedProgramIsAskedAnew() throws IOException {
    assertThat(of("exit 1").hasNetDevices()).isFalse();
    Path program = folder.resolve("runtime");
    Files.writeString(program, "#!/bin/sh\necho '" + NEW + "'; echo x >>" + folder + "/asked\n");
    Files.setLastModifiedTime(program, FileTime.from(Instant.now().plusSeconds(5)));
    assertThat(probe.of(program).hasNetDevices()).isTrue();
    assertThat(probe.of(program).hasNetDevices()).isTrue();
    assertThat(folder.resolve("asked")).hasContent("x");
  }
}
