package io.keelson.sandbox.isolator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.isolator.HostFeatures.KernelVersion;
import io.keelson.sandbox.spec.SpecRlimit;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Those isolators that have but one or two things to say. */
class SmallIsolatorsTest {

  @TempDir Path root;
  private Given given;

  @BeforeEach
  void given() {
    given = new Given(root);
  }

  @Test
  void privilegedNeedsAPrivilegedSandbox() throws IOException {
    given.security(security -> security.setPrivileged(true).setNoNewPrivs(true));
    assertThatThrownBy(() -> given.prepared(new PrivilegeIsolator()))
        .isInstanceOf(InvalidRequestException.class);
    given.privileged();
    assertThat(
            Given.json(given.prepared(new PrivilegeIsolator()))
                .at("/process/noNewPrivileges")
                .asBoolean())
        .isTrue();
  }

  @Test
  void rootIsReadOnlyWhenAskedFor() throws IOException {
    given.security(security -> security.setReadonlyRootfs(true));
    JsonNode spec = Given.json(given.prepared(new RootfsIsolator()));
    assertThat(spec.at("/root/path").asText()).isEqualTo(given.rootfs().toString());
    assertThat(spec.at("/root/readonly").asBoolean()).isTrue();
  }

  @Test
  void pathsAreExactlyTheCallersAndNoneWhenPrivileged() throws IOException {
    given.security(
        security -> security.addMaskedPaths("/proc/kcore").addReadonlyPaths("/proc/sys"));
    JsonNode linux = Given.json(given.prepared(new PathsIsolator())).path("linux");
    assertThat(linux.path("maskedPaths")).hasSize(1);
    assertThat(linux.at("/readonlyPaths/0").asText()).isEqualTo("/proc/sys");
    given.privileged();
    assertThat(Given.json(given.prepared(new PathsIsolator())).at("/linux/maskedPaths")).isEmpty();
  }

  @Test
  void limitsOfTheSettingsApplyToAll() throws IOException {
    JsonNode spec =
        Given.json(
            given.prepared(
                new RlimitsIsolator(List.of(new SpecRlimit("RLIMIT_NOFILE", 1024, -1)))));
    assertThat(spec.at("/process/rlimits/0/soft").asLong()).isEqualTo(1024);
    assertThat(spec.at("/process/rlimits/0/hard").asText()).isEqualTo("18446744073709551615");
  }

  @Test
  void annotationsTellThePod() throws IOException {
    given.config.getImageBuilder().setImage("sha256:cafe").setUserSpecifiedImage("busybox:1");
    assertThat(given.prepared(new AnnotationsIsolator()).annotations())
        .containsEntry("io.kubernetes.cri.container-type", "container")
        .containsEntry("io.kubernetes.cri.sandbox-name", "pod")
        .containsEntry("io.kubernetes.cri.container-name", "app")
        .containsEntry("io.kubernetes.cri.image-name", "busybox:1");
  }

  @Test
  void theHostCanBeProbed() throws IOException {
    HostFeatures host = HostFeatures.probe();
    assertThat(host.kernel().atLeast(5, 10)).isTrue();
    assertThat(host.capabilities()).contains("CAP_CHOWN");
    assertThat(host.lowestOomScoreAdj()).isBetween(-1000, 1000);
  }

  @Test
  void kernelVersionsAreReadAsDistributionsWriteThem() {
    assertThat(KernelVersion.parse("6.18.0-amd64")).isEqualTo(new KernelVersion(6, 18));
    assertThat(KernelVersion.parse("5.4")).isEqualTo(new KernelVersion(5, 4));
    assertThat(KernelVersion.parse("7")).isEqualTo(new KernelVersion(7, 0));
  }
}
