package io.keelson.sandbox.isolator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keelson.proto.cri.v1.SecurityProfile;
import io.keelson.proto.cri.v1.SecurityProfile.ProfileType;
import io.keelson.sandbox.error.FailedPreconditionException;
import io.keelson.sandbox.error.InvalidRequestException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AppArmorIsolatorTest {

  @TempDir Path root;
  private Given given;
  private Path loaded;
  private AppArmorIsolator isolator;

  @BeforeEach
  void given() throws IOException {
    given = new Given(root);
    loaded = root.resolve("loaded");
    isolator = withParser("cat >> " + loaded);
  }

  @Test
  void aContainerThatSaysNothingHasTheDefaultProfileWhichIsLoadedOnce() throws IOException {
    assertThat(profile()).isEqualTo("keelson-default");
    assertThat(profile()).isEqualTo("keelson-default");
    assertThat(Files.readString(loaded)).containsOnlyOnce("profile keelson-default ");
    given.security(security -> security.setApparmor(of(ProfileType.RuntimeDefault, "")));
    assertThat(profile()).isEqualTo("keelson-default");
  }

  @Test
  void unconfinedAndPrivilegedContainersHaveNone() throws IOException {
    given.security(security -> security.setApparmor(of(ProfileType.Unconfined, "")));
    assertThat(profile()).isEmpty();
    given.security(security -> security.setApparmor(of(ProfileType.RuntimeDefault, "")));
    given.privileged();
    assertThat(profile()).isEmpty();
    assertThat(loaded).doesNotExist();
  }

  @Test
  @SuppressWarnings("deprecation") // older kubelets know nothing else
  void theOldWayToName() throws IOException {
    given.security(security -> security.setApparmorProfile("runtime/default"));
    assertThat(profile()).isEqualTo("keelson-default");
    given.security(security -> security.setApparmorProfile("unconfined"));
    assertThat(profile()).isEmpty();
    given.security(security -> security.setApparmorProfile("mine"));
    assertThatThrownBy(this::profile).isInstanceOf(InvalidRequestException.class);
  }

  @Test
  void whatTheParserSaysIsTold() throws IOException {
    isolator = withParser("echo no such thing >&2; exit 1");
    assertThatThrownBy(this::profile)
        .isInstanceOf(IOException.class)
        .hasMessageContaining("no such thing");
  }

  @Test
  void withoutAppArmorWhatIsAskedForIsRefused() throws IOException {
    isolator = new AppArmorIsolator(Given.host());
    assertThat(profile()).isEmpty();
    given.security(security -> security.setApparmor(of(ProfileType.Localhost, "mine")));
    assertThatThrownBy(this::profile)
        .isInstanceOf(FailedPreconditionException.class)
        .hasMessageContaining("mine");
    given.security(security -> security.setApparmor(of(ProfileType.RuntimeDefault, "")));
    assertThatThrownBy(this::profile).isInstanceOf(FailedPreconditionException.class);
    given.security(security -> security.setApparmor(of(ProfileType.Unconfined, "")));
    assertThat(profile()).isEmpty();
  }

  @Test
  void withoutTheParserOnlyWhatIsAskedForIsRefused() throws IOException {
    isolator = new AppArmorIsolator(host(true, Optional.empty()));
    assertThat(profile()).isEmpty();
    given.security(security -> security.setApparmor(of(ProfileType.RuntimeDefault, "")));
    assertThatThrownBy(this::profile)
        .isInstanceOf(FailedPreconditionException.class)
        .hasMessageContaining("apparmor_parser");
  }

  @Test
  void nonsenseIsRefused() {
    given.security(security -> security.setApparmor(of(ProfileType.Localhost, "")));
    assertThatThrownBy(this::profile).isInstanceOf(InvalidRequestException.class);
    given.security(security -> security.setApparmor(of(ProfileType.RuntimeDefault, "mine")));
    assertThatThrownBy(this::profile).isInstanceOf(InvalidRequestException.class);
  }

  private AppArmorIsolator withParser(String script) throws IOException {
    Path parser = root.resolve("apparmor_parser");
    Files.writeString(parser, "#!/bin/sh\n" + script + "\n");
    Files.setPosixFilePermissions(parser, PosixFilePermissions.fromString("rwxr-xr-x"));
    return new AppArmorIsolator(host(true, Optional.of(parser)));
  }

  private static HostFeatures host(boolean appArmor, Optional<Path> parser) {
    HostFeatures usual = Given.host();
    return new HostFeatures(
        usual.unifiedCgroups(),
        usual.hugetlb(),
        usual.swapLimit(),
        usual.cgroupMountOptions(),
        usual.capabilities(),
        usual.lowestOomScoreAdj(),
        usual.seccomp(),
        appArmor,
        parser,
        usual.selinux(),
        usual.userNamespaces(),
        usual.kernel(),
        usual.machine());
  }

  private static SecurityProfile of(ProfileType type, String name) {
    return SecurityProfile.newBuilder().setProfileType(type).setLocalhostRef(name).build();
  }

  private String profile() throws IOException {
    return Given.json(given.prepared(isolator)).at("/process/apparmorProfile").asText();
  }
}
