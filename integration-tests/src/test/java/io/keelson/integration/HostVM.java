package io.keelson.integration;

import static org.assertj.core.api.Assertions.assertThat;

import io.keelson.integration.harness.ContainerGroup;
import io.keelson.integration.harness.Cri;
import io.keelson.integration.harness.Shell;
import io.keelson.integration.harness.TestNode;
import io.keelson.proto.cri.v1.Capability;
import io.keelson.proto.cri.v1.ContainerConfig;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import io.keelson.proto.cri.v1.SecurityProfile;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The host that most have: cgroup v2 alone, systemd in charge of it, AppArmor. */
class HostVM {

  private static final Path CGROUPS = Path.of("/sys/fs/cgroup");
  private static final String PROFILE = "/proc/1/attr/current";

  @RegisterExtension static final TestNode node = TestNode.create();

  @Test
  void systemdHasAScopeForTheContainerAndASliceForItsPod() throws Exception {
    Cri cri = node.cri();
    PodSandboxConfig.Builder config = node.pod("slice");
    config.getLinuxBuilder().clearCgroupParent();
    PodSandboxConfig pod = config.build();
    String podId = cri.runPod(pod);
    String container = cri.run(podId, node.sleeper("main").build(), pod);
    String slice = "keelson-" + podId + ".slice";
    String scope = "keelson-" + container + ".scope";
    long pid = ContainerGroup.pids(container).getFirst();
    assertThat(Files.readString(Path.of("/proc", "" + pid, "cgroup")).strip())
        .isEqualTo("0::/keelson.slice/" + slice + "/" + scope);
    assertThat(units()).contains(slice, scope);

    cri.stopPod(podId);
    cri.removePod(podId);
    assertThat(units()).doesNotContain(slice, scope);
    assertThat(CGROUPS.resolve("keelson.slice").resolve(slice)).doesNotExist();
  }

  private static String units() {
    return Shell.output("systemctl", "list-units", "--all", "--plain", "--full", "keelson-*");
  }

  @Test
  void appArmorConfinesWhatDoesNotSayOtherwise() {
    String plain = run("plain", SecurityProfile.ProfileType.RuntimeDefault, "");
    assertThat(node.cri().output(plain, "cat", PROFILE)).isEqualTo("keelson-default (enforce)");
    assertThat(mount(plain)).contains("denied");

    String free = run("free", SecurityProfile.ProfileType.Unconfined, "");
    assertThat(node.cri().output(free, "cat", PROFILE)).isEqualTo("unconfined");
    assertThat(mount(free)).isEmpty();
  }

  @Test
  void aProfileOfTheHostIsTakenAndOneThatIsNotLoadedIsNamed() throws Exception {
    Path profile = node.folder("apparmor").resolve("own");
    Files.writeString(
        profile,
        """
        profile keelson-test flags=(attach_disconnected) {
          file,
          capability,
          signal,
          deny /tmp/** w,
        }
        """);
    Shell.output("apparmor_parser", "-Kr", profile.toString());
    String own = run("own", SecurityProfile.ProfileType.Localhost, "keelson-test");
    assertThat(node.cri().output(own, "cat", PROFILE)).isEqualTo("keelson-test (enforce)");
    assertThat(node.cri().exec(own, "touch", "/tmp/it").getExitCode()).isNotZero();
    assertThat(
            Failures.of(() -> run("none", SecurityProfile.ProfileType.Localhost, "keelson-none"))
                .message())
        .contains("keelson-none");
  }

  private static String mount(String container) {
    return node.cri()
        .exec(container, "mount", "-t", "tmpfs", "none", "/tmp")
        .getStderr()
        .toStringUtf8();
  }

  private static String run(String name, SecurityProfile.ProfileType type, String reference) {
    PodSandboxConfig pod = node.pod(name).build();
    ContainerConfig.Builder container = node.sleeper("main");
    container
        .getLinuxBuilder()
        .getSecurityContextBuilder()
        .setCapabilities(Capability.newBuilder().addAddCapabilities("SYS_ADMIN"))
        .setApparmor(SecurityProfile.newBuilder().setProfileType(type).setLocalhostRef(reference));
    return node.cri().run(node.cri().runPod(pod), container.build(), pod);
  }
}
