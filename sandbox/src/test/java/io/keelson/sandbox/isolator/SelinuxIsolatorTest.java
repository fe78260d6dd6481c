package io.keelson.sandbox.isolator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keelson.linux.tree.FileLabels;
import io.keelson.proto.cri.v1.Mount;
import io.keelson.proto.cri.v1.SELinuxOption;
import io.keelson.sandbox.error.FailedPreconditionException;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.port.RootOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files can be labelled where SELinux is off, too: the labels mean nothing then. */
class SelinuxIsolatorTest {

  @TempDir Path root;
  private Given given;
  private boolean policyKnowsContainers = true;

  @BeforeEach
  void given() throws IOException {
    given = new Given(root);
    Path contexts = Files.createDirectories(root.resolve("selinux/mls/contexts"));
    Files.writeString(root.resolve("selinux/config"), "SELINUX=enforcing\nSELINUXTYPE=mls\n");
    Files.writeString(
        contexts.resolve("lxc_contexts"),
        """
        process = "sys_u:sys_r:box_t:s0"
        content = "sys_u:object_r:virt_var_lib_t:s0"
        file = "sys_u:object_r:box_file_t:s0"
        """);
  }

  @Test
  void containersOfAPodShareALabelOfThePolicy() throws IOException {
    // Of the pod's id 5a5a...: categories 0x5a5a5a5a modulo 1024 and 1023.
    assertThat(process()).isEqualTo("sys_u:sys_r:box_t:s0:c602,c664");
    assertThat(file()).isEqualTo("sys_u:object_r:box_file_t:s0:c602,c664");
    assertThat(isolator(true).root(given.context(), RootOptions.USUAL).fileLabel())
        .isEqualTo(file());
  }

  @Test
  void whatTheContainerSaysIsOverWhatThePodSays() throws IOException {
    given
        .podConfig
        .getLinuxBuilder()
        .getSecurityContextBuilder()
        .setSelinuxOptions(SELinuxOption.newBuilder().setLevel("s0:c1,c2").setType("pod_t"));
    given.security(
        security ->
            security.setSelinuxOptions(SELinuxOption.newBuilder().setType("mine_t").setUser("u")));
    assertThat(process()).isEqualTo("u:sys_r:mine_t:s0:c1,c2");
    assertThat(file()).isEqualTo("sys_u:object_r:box_file_t:s0:c1,c2");

    given.security(
        security -> security.setSelinuxOptions(SELinuxOption.newBuilder().setType("a:b")));
    assertThatThrownBy(this::process).isInstanceOf(InvalidRequestException.class);
  }

  @Test
  void aPrivilegedContainerHasNoneUnlessItSaysSo() throws IOException {
    given.privileged();
    assertThat(process()).isEmpty();
    given.security(
        security -> security.setSelinuxOptions(SELinuxOption.newBuilder().setType("mine_t")));
    assertThat(process()).startsWith("sys_u:sys_r:mine_t:");
  }

  @Test
  void whereItIsOffNothingIsLabelled() throws IOException {
    given.security(
        security -> security.setSelinuxOptions(SELinuxOption.newBuilder().setLevel("s0")));
    assertThat(Given.json(given.prepared(isolator(false))).at("/process/selinuxLabel").asText())
        .isEmpty();
    assertThat(isolator(false).root(given.context(), RootOptions.USUAL).fileLabel()).isEmpty();
  }

  @Test
  void aLabelThatThePolicyLacksIsNamed() {
    policyKnowsContainers = false;
    assertThatThrownBy(() -> isolator(true).root(given.context(), RootOptions.USUAL))
        .isInstanceOf(FailedPreconditionException.class)
        .hasMessageContaining("sys_u:sys_r:box_t:s0:c602,c664")
        .hasMessageContaining("container-selinux");

    policyKnowsContainers = true;
    given.security(
        security -> security.setSelinuxOptions(SELinuxOption.newBuilder().setType("unknown_t")));
    assertThatThrownBy(() -> isolator(true).root(given.context(), RootOptions.USUAL))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("sys_u:sys_r:unknown_t:s0");
  }

  @Test
  void volumesAreLabelledWhereAskedForAndThePodsFilesAlways() throws IOException {
    Path wanted = Files.createDirectories(root.resolve("wanted/below"));
    Path file = Files.createFile(wanted.resolve("file"));
    Files.createSymbolicLink(wanted.resolve("link"), Path.of("/etc/passwd"));
    Path other = Files.createFile(root.resolve("other"));
    Files.writeString(given.podDirectory().resolve("hosts"), "x");
    given.config.addMounts(mount(root.resolve("wanted")).setSelinuxRelabel(true));
    given.config.addMounts(mount(other));
    String label = file();
    assertThat(FileLabels.of(file)).contains(label);
    assertThat(FileLabels.of(wanted)).contains(label);
    assertThat(FileLabels.of(root.resolve("wanted"))).contains(label);
    assertThat(FileLabels.of(given.podDirectory().resolve("hosts"))).contains(label);
    assertThat(FileLabels.of(other)).isEmpty();
    assertThat(FileLabels.of(Path.of("/etc/passwd"))).isNotEqualTo(FileLabels.of(file));
  }

  @Test
  void theHostsOwnFoldersAreNotLabelled() {
    given.config.addMounts(mount(Path.of("/usr")).setSelinuxRelabel(true));
    assertThatThrownBy(this::process)
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("/usr");
  }

  private static Mount.Builder mount(Path source) {
    return Mount.newBuilder().setHostPath(source.toString()).setContainerPath("/data");
  }

  private SelinuxIsolator isolator(boolean on) {
    HostFeatures usual = Given.host();
    return new SelinuxIsolator(
        new HostFeatures(
            usual.unifiedCgroups(),
            usual.hugetlb(),
            usual.swapLimit(),
            usual.cgroupMountOptions(),
            usual.capabilities(),
            usual.lowestOomScoreAdj(),
            usual.seccomp(),
            usual.appArmor(),
            usual.appArmorParser(),
            on,
            usual.userNamespaces(),
            usual.kernel(),
            usual.machine()),
        root.resolve("selinux"),
        label -> !label.contains("unknown_t") && policyKnowsContainers);
  }

  private static RelabelIsolator relabel() {
    return new RelabelIsolator(new HostPaths(Duration.ofSeconds(10)));
  }

  private String process() throws IOException {
    return Given.json(given.prepared(isolator(true), relabel()))
        .at("/process/selinuxLabel")
        .asText();
  }

  private String file() throws IOException {
    return Given.json(given.prepared(isolator(true), relabel())).at("/linux/mountLabel").asText();
  }
}
