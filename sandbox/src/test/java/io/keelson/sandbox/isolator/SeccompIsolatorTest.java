package io.keelson.sandbox.isolator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import io.keelson.proto.cri.v1.SecurityProfile;
import io.keelson.proto.cri.v1.SecurityProfile.ProfileType;
import io.keelson.sandbox.error.FailedPreconditionException;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.spec.SpecBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@SuppressWarnings("deprecation") // seccomp_profile_path
class SeccompIsolatorTest {

  @TempDir Path root;
  private Given given;

  @BeforeEach
  void given() {
    given = new Given(root);
  }

  @Test
  void withoutAWordThereIsNoFilter() throws IOException {
    assertThat(seccomp().isMissingNode()).isTrue();
  }

  @Test
  void unconfinedAndPrivilegedHaveNoFilter() throws IOException {
    profile(ProfileType.Unconfined, "");
    assertThat(seccomp().isMissingNode()).isTrue();
    profile(ProfileType.RuntimeDefault, "");
    given.privileged();
    assertThat(seccomp().isMissingNode()).isTrue();
  }

  @Test
  void theDefaultProfileDeniesWhatNeedsCapabilitiesThatAreMissing() throws IOException {
    profile(ProfileType.RuntimeDefault, "");
    JsonNode seccomp = seccomp();
    assertThat(seccomp.path("defaultAction").asText()).isEqualTo("SCMP_ACT_ERRNO");
    assertThat(seccomp.path("architectures").get(0).asText()).isEqualTo("SCMP_ARCH_X86_64");
    assertThat(allowed(seccomp))
        .contains("read", "execve", "chroot", "arch_prctl", "clone")
        .doesNotContain("mount", "unshare", "clone3", "set_tls", "bpf", "reboot");
    assertThat(rule(seccomp, "clone3").path("errnoRet").asInt()).isEqualTo(38);
    assertThat(rule(seccomp, "clone").path("args").get(0).path("value").asLong())
        .isEqualTo(0x7E020000L);
    assertThat(seccomp.toString()).doesNotContain("includes", "excludes", "comment");
  }

  @Test
  void whatACapabilityPermitsIsAllowed() throws IOException {
    profile(ProfileType.RuntimeDefault, "");
    given.security(s -> s.getCapabilitiesBuilder().addAddCapabilities("SYS_ADMIN"));
    assertThat(allowed(seccomp())).contains("mount", "clone3", "unshare");
    assertThat(rule(seccomp(), "clone").has("args")).isFalse();
  }

  @Test
  void aLocalProfileIsReadInBothFormats() throws IOException {
    Path file = root.resolve("profile.json");
    Files.writeString(
        file,
        """
        {"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_X86_64"],
         "flags":["SECCOMP_FILTER_FLAG_LOG"],
         "syscalls":[
           {"names":["mkdir"],"action":"SCMP_ACT_ERRNO","errnoRet":13},
           {"name":"rmdir","action":"SCMP_ACT_ERRNO"},
           {"names":["kill"],"action":"SCMP_ACT_ERRNO","excludes":{"caps":["CAP_KILL"]}},
           {"names":["sync"],"action":"SCMP_ACT_ERRNO","includes":{"minKernel":"99.1"}}]}
        """);
    profile(ProfileType.Localhost, file.toString());
    JsonNode seccomp = seccomp();
    assertThat(rule(seccomp, "mkdir").path("errnoRet").asInt()).isEqualTo(13);
    assertThat(rule(seccomp, "rmdir").isMissingNode()).isFalse();
    assertThat(rule(seccomp, "kill").isMissingNode()).isTrue();
    assertThat(rule(seccomp, "sync").isMissingNode()).isTrue();
    assertThat(seccomp.at("/flags/0").asText()).isEqualTo("SECCOMP_FILTER_FLAG_LOG");
  }

  @Test
  void theOldFieldCountsWhereTheNewOneIsAbsent() throws IOException {
    given.security(security -> security.setSeccompProfilePath("runtime/default"));
    assertThat(seccomp().isMissingNode()).isFalse();
    profile(ProfileType.Unconfined, "");
    assertThat(seccomp().isMissingNode()).isTrue();
    given.security(security -> security.clearSeccomp().setSeccompProfilePath("odd"));
    assertThatThrownBy(this::seccomp).isInstanceOf(InvalidRequestException.class);
  }

  @Test
  void refusesLocalProfilesThatCantBe() throws IOException {
    profile(ProfileType.Localhost, "relative.json");
    assertThatThrownBy(this::seccomp).isInstanceOf(InvalidRequestException.class);
    profile(ProfileType.Localhost, root.resolve("missing").toString());
    assertThatThrownBy(this::seccomp)
        .isInstanceOf(FailedPreconditionException.class)
        .hasMessageContaining("missing");
    Path rubbish = Files.writeString(root.resolve("rubbish"), "no json");
    profile(ProfileType.Localhost, rubbish.toString());
    assertThatThrownBy(this::seccomp)
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("rubbish");
    Files.writeString(rubbish, "{}");
    assertThatThrownBy(this::seccomp)
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("defaultAction");
  }

  private void profile(ProfileType type, String reference) {
    given.security(
        security ->
            security.setSeccomp(
                SecurityProfile.newBuilder().setProfileType(type).setLocalhostRef(reference)));
  }

  private JsonNode seccomp() throws IOException {
    HostFeatures host = Given.host();
    SpecBuilder spec = given.prepared(new CapabilitiesIsolator(host), new SeccompIsolator(host));
    return Given.json(spec).at("/linux/seccomp");
  }

  private static List<String> allowed(JsonNode seccomp) {
    List<String> names = new ArrayList<>();
    for (JsonNode rule : seccomp.path("syscalls")) {
      if (rule.path("action").asText().equals("SCMP_ACT_ALLOW")) {
        rule.path("names").forEach(name -> names.add(name.asText()));
      }
    }
    return names;
  }

  private static JsonNode rule(JsonNode seccomp, String syscall) {
    for (JsonNode rule : seccomp.path("syscalls")) {
      for (JsonNode name : rule.path("names")) {
        if (name.asText().equals(syscall)) {
          return rule;
        }
      }
    }
    return MissingNode.getInstance();
  }
}
