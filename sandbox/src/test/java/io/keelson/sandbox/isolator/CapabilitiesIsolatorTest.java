package io.keelson.sandbox.isolator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.spec.SpecCapabilities;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CapabilitiesIsolatorTest {

  @TempDir Path root;
  private Given given;
  private HostFeatures host = Given.host();

  @BeforeEach
  void given() {
    given = new Given(root);
  }

  @Test
  void theDefaultSetIsTheFields() throws IOException {
    assertThat(sets().effective())
        .containsExactlyInAnyOrder(
            "CAP_AUDIT_WRITE",
            "CAP_CHOWN",
            "CAP_DAC_OVERRIDE",
            "CAP_FOWNER",
            "CAP_FSETID",
            "CAP_KILL",
            "CAP_MKNOD",
            "CAP_NET_BIND_SERVICE",
            "CAP_NET_RAW",
            "CAP_SETFCAP",
            "CAP_SETGID",
            "CAP_SETPCAP",
            "CAP_SETUID",
            "CAP_SYS_CHROOT");
    assertThat(sets().inheritable()).isEmpty();
    assertThat(sets().ambient()).isEmpty();
  }

  @Test
  void addsAndDropsWithAndWithoutPrefixInAnyCase() throws IOException {
    given.security(
        security ->
            security
                .getCapabilitiesBuilder()
                .addAddCapabilities("NET_ADMIN")
                .addAddCapabilities("cap_sys_time")
                .addDropCapabilities("CAP_CHOWN"));
    assertThat(sets().bounding())
        .contains("CAP_NET_ADMIN", "CAP_SYS_TIME", "CAP_KILL")
        .doesNotContain("CAP_CHOWN");
  }

  @Test
  void dropAllLeavesWhatIsAdded() throws IOException {
    given.security(
        security ->
            security
                .getCapabilitiesBuilder()
                .addDropCapabilities("ALL")
                .addAddCapabilities("NET_BIND_SERVICE"));
    assertThat(sets().permitted()).containsExactly("CAP_NET_BIND_SERVICE");
  }

  @Test
  void addAllGivesAllButWhatIsDropped() throws IOException {
    given.security(
        security ->
            security
                .getCapabilitiesBuilder()
                .addAddCapabilities("ALL")
                .addDropCapabilities("SYS_ADMIN"));
    assertThat(sets().effective())
        .hasSize(KernelCapability.values().length - 1)
        .doesNotContain("CAP_SYS_ADMIN");
  }

  @Test
  void ambientOnesAreInEverySet() throws IOException {
    given.security(
        security ->
            security
                .getCapabilitiesBuilder()
                .addDropCapabilities("ALL")
                .addAddAmbientCapabilities("NET_ADMIN"));
    assertThat(sets()).isEqualTo(SpecCapabilities.of(sets().ambient(), sets().ambient()));
    assertThat(sets().ambient()).containsExactly("CAP_NET_ADMIN");
  }

  @Test
  void privilegedHasWhatTheDaemonHasAndNoMore() throws IOException {
    host = Given.host("CAP_SYS_ADMIN", "CAP_KILL");
    given.privileged();
    assertThat(sets().bounding()).containsExactly("CAP_KILL", "CAP_SYS_ADMIN");
  }

  @Test
  void nothingIsGrantedThatTheDaemonLacks() throws IOException {
    host = Given.host("CAP_KILL");
    given.security(
        security -> security.getCapabilitiesBuilder().addAddCapabilities("SYS_RESOURCE"));
    assertThat(sets().bounding()).containsExactly("CAP_KILL");
  }

  @Test
  void refusesAnUnknownName() {
    given.security(security -> security.getCapabilitiesBuilder().addDropCapabilities("FLY"));
    assertThatThrownBy(this::sets)
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("FLY");
  }

  private SpecCapabilities sets() throws IOException {
    return given.prepared(new CapabilitiesIsolator(host)).capabilities();
  }
}
