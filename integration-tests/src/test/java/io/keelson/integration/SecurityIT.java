package io.keelson.integration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import com.google.protobuf.ByteString;
import io.grpc.Status;
import io.keelson.integration.harness.Cri;
import io.keelson.integration.harness.TestNode;
import io.keelson.proto.cri.v1.Capability;
import io.keelson.proto.cri.v1.ContainerConfig;
import io.keelson.proto.cri.v1.Device;
import io.keelson.proto.cri.v1.Int64Value;
import io.keelson.proto.cri.v1.KeyValue;
import io.keelson.proto.cri.v1.LinuxContainerSecurityContext;
import io.keelson.proto.cri.v1.Mount;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import io.keelson.proto.cri.v1.SecurityProfile;
import io.keelson.proto.cri.v1.StatusRequest;
import io.keelson.proto.cri.v1.SupplementalGroupsPolicy;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What a container may and may not, seen from inside. */
class SecurityIT {

  private static final int CAP_CHOWN = 0;
  private static final int CAP_NET_ADMIN = 12;
  private static final int CAP_NET_RAW = 13;
  private static final int CAP_SYS_ADMIN = 21;

  private static final String SECRET = "correct horse battery staple";

  @RegisterExtension static final TestNode node = TestNode.create();

  @Test
  void aPlainContainerHasTheUsualCapabilitiesAndFilter() {
    String id = run("plain", LinuxContainerSecurityContext.newBuilder());
    long effective = capabilities(id, "CapEff");
    assertThat(has(effective, CAP_CHOWN)).isTrue();
    assertThat(has(effective, CAP_NET_ADMIN)).isFalse();
    assertThat(has(effective, CAP_SYS_ADMIN)).isFalse();
    assertThat(capabilities(id, "CapBnd")).isEqualTo(effective);
    assertThat(capabilities(id, "CapInh")).isZero();
  }

  @Test
  void capabilitiesAreAddedAndDropped() {
    String id =
        run(
            "capabilities",
            LinuxContainerSecurityContext.newBuilder()
                .setCapabilities(
                    Capability.newBuilder()
                        .addAddCapabilities("NET_ADMIN")
                        .addDropCapabilities("CHOWN")));
    long effective = capabilities(id, "CapEff");
    assertThat(has(effective, CAP_NET_ADMIN)).isTrue();
    assertThat(has(effective, CAP_CHOWN)).isFalse();

    String none =
        run(
            "none",
            LinuxContainerSecurityContext.newBuilder()
                .setCapabilities(Capability.newBuilder().addDropCapabilities("ALL")));
    assertThat(capabilities(none, "CapBnd")).isZero();

    String one =
        run(
            "one",
            LinuxContainerSecurityContext.newBuilder()
                .setCapabilities(
                    Capability.newBuilder()
                        .addDropCapabilities("ALL")
                        .addAddCapabilities("CAP_NET_RAW")));
    assertThat(capabilities(one, "CapEff")).isEqualTo(1L << CAP_NET_RAW);
  }

  @Test
  void theDefaultSeccompProfileKeepsFromNewUserNamespaces() {
    String filtered =
        run(
            "filtered",
            LinuxContainerSecurityContext.newBuilder()
                .setSeccomp(
                    SecurityProfile.newBuilder()
                        .setProfileType(SecurityProfile.ProfileType.RuntimeDefault)));
    assertThat(status(filtered, "Seccomp")).isEqualTo("2");
    assertThat(node.cri().exec(filtered, "unshare", "-U", "true").getExitCode()).isNotZero();

    String free =
        run(
            "free",
            LinuxContainerSecurityContext.newBuilder()
                .setSeccomp(
                    SecurityProfile.newBuilder()
                        .setProfileType(SecurityProfile.ProfileType.Unconfined)));
    assertThat(status(free, "Seccomp")).isEqualTo("0");
    assertThat(node.cri().exec(free, "unshare", "-U", "true").getExitCode()).isZero();
  }

  @Test
  void aSeccompProfileOfTheNodeIsTaken() throws IOException {
    Path profile = node.folder("seccomp").resolve("no-chmod.json");
    Files.writeString(
        profile,
        """
        {"defaultAction": "SCMP_ACT_ALLOW",
         "syscalls": [{"names": ["chmod", "fchmod", "fchmodat"], "action": "SCMP_ACT_ERRNO"}]}
        """);
    String id =
        run(
            "local",
            LinuxContainerSecurityContext.newBuilder()
                .setSeccomp(
                    SecurityProfile.newBuilder()
                        .setProfileType(SecurityProfile.ProfileType.Localhost)
                        .setLocalhostRef(profile.toString())));
    assertThat(node.cri().exec(id, "chmod", "700", "/tmp").getExitCode()).isNotZero();
    assertThat(node.cri().exec(id, "touch", "/tmp/x").getExitCode()).isZero();

    assertThat(
            failure(
                LinuxContainerSecurityContext.newBuilder()
                    .setSeccomp(
                        SecurityProfile.newBuilder()
                            .setProfileType(SecurityProfile.ProfileType.Localhost)
                            .setLocalhostRef("/no/such/profile.json"))))
        .isNotEqualTo(Status.Code.OK);
  }

  @Test
  void appArmorProfilesAreRefusedWhereTheKernelHasNone() {
    assumeThat(Path.of("/sys/module/apparmor/parameters/enabled")).doesNotExist();
    for (SecurityProfile.Builder profile :
        List.of(
            SecurityProfile.newBuilder()
                .setProfileType(SecurityProfile.ProfileType.Localhost)
                .setLocalhostRef("mine"),
            SecurityProfile.newBuilder()
                .setProfileType(SecurityProfile.ProfileType.RuntimeDefault))) {
      assertThat(failure(LinuxContainerSecurityContext.newBuilder().setApparmor(profile)))
          .isEqualTo(Status.Code.FAILED_PRECONDITION);
    }
    String free =
        run(
            "no-apparmor",
            LinuxContainerSecurityContext.newBuilder()
                .setApparmor(
                    SecurityProfile.newBuilder()
                        .setProfileType(SecurityProfile.ProfileType.Unconfined)));
    assertThat(node.cri().output(free, "id", "-u")).isEqualTo("0");
  }

  @Test
  void usersAreResolvedInTheImage() {
    String byName =
        run("by-name", LinuxContainerSecurityContext.newBuilder().setRunAsUsername("web"));
    assertThat(node.cri().output(byName, "id", "-u")).isEqualTo("1000");
    assertThat(node.cri().output(byName, "id", "-g")).isEqualTo("1001");
    assertThat(node.cri().output(byName, "id", "-G")).isEqualTo("1001 2002");
    assertThat(node.cri().output(byName, "sh", "-c", "echo $HOME")).isEqualTo("/www");

    String byNumber =
        run(
            "by-number",
            LinuxContainerSecurityContext.newBuilder()
                .setRunAsUser(Int64Value.newBuilder().setValue(4000))
                .setRunAsGroup(Int64Value.newBuilder().setValue(4001))
                .addSupplementalGroups(4002));
    assertThat(node.cri().output(byNumber, "id", "-u")).isEqualTo("4000");
    assertThat(node.cri().output(byNumber, "id", "-G")).isEqualTo("4001 4002");
    assertThat(node.cri().status(byNumber).getUser().getLinux().getUid()).isEqualTo(4000);

    assertThat(failure(LinuxContainerSecurityContext.newBuilder().setRunAsUsername("nobody-here")))
        .isNotEqualTo(Status.Code.OK);
    assertThat(
            failure(
                LinuxContainerSecurityContext.newBuilder()
                    .setRunAsGroup(Int64Value.newBuilder().setValue(5))))
        .as("a group without a user")
        .isEqualTo(Status.Code.INVALID_ARGUMENT);
  }

  @Test
  void supplementalGroupsAreMergedWithThoseOfTheImageOrNot() {
    LinuxContainerSecurityContext.Builder web =
        LinuxContainerSecurityContext.newBuilder()
            .setRunAsUser(Int64Value.newBuilder().setValue(1000))
            .addSupplementalGroups(50_000);
    String merged =
        run("merge", web.clone().setSupplementalGroupsPolicy(SupplementalGroupsPolicy.Merge));
    assertThat(node.cri().output(merged, "id", "-G")).isEqualTo("1001 2002 50000");
    assertThat(node.cri().status(merged).getUser().getLinux().getSupplementalGroupsList())
        .containsExactly(1001L, 2002L, 50_000L);

    String strict =
        run("strict", web.clone().setSupplementalGroupsPolicy(SupplementalGroupsPolicy.Strict));
    assertThat(node.cri().output(strict, "id", "-G")).isEqualTo("1001 50000");
    assertThat(node.cri().status(strict).getUser().getLinux().getSupplementalGroupsList())
        .containsExactly(1001L, 50_000L);
    assertThat(
            node.cri()
                .runtime()
                .status(StatusRequest.getDefaultInstance())
                .getFeatures()
                .getSupplementalGroupsPolicy())
        .isTrue();
  }

  /** As a kubelet does it for fsGroup: the volume's group is one more of each process. */
  @Test
  void aVolumeIsWrittenToThroughTheGroupThatItBelongsTo() throws IOException {
    Path volume = node.folder("of-a-group");
    Files.setAttribute(volume, "unix:gid", 50_001);
    Files.setAttribute(volume, "unix:mode", 02770);
    ContainerConfig.Builder config = node.sleeper("main");
    config.addMounts(Mount.newBuilder().setContainerPath("/volume").setHostPath(volume.toString()));
    config
        .getLinuxBuilder()
        .getSecurityContextBuilder()
        .setRunAsUser(Int64Value.newBuilder().setValue(1000));
    PodSandboxConfig pod = node.pod("of-a-group").build();
    String podId = node.cri().runPod(pod);
    String stranger = node.cri().run(podId, config.build(), pod);
    assertThat(node.cri().exec(stranger, "touch", "/volume/x").getExitCode()).isNotZero();

    config.getMetadataBuilder().setName("member");
    config.getLinuxBuilder().getSecurityContextBuilder().addSupplementalGroups(50_001);
    String member = node.cri().run(podId, config.build(), pod);
    assertThat(node.cri().exec(member, "touch", "/volume/mine").getExitCode()).isZero();
    assertThat(Files.getAttribute(volume.resolve("mine"), "unix:uid")).isEqualTo(1000);
    assertThat(Files.getAttribute(volume.resolve("mine"), "unix:gid")).isEqualTo(50_001);
  }

  @Test
  void ambientCapabilitiesReachAProcessThatIsNotRoot() {
    LinuxContainerSecurityContext.Builder user =
        LinuxContainerSecurityContext.newBuilder()
            .setRunAsUser(Int64Value.newBuilder().setValue(1000));
    String ambient =
        run(
            "ambient",
            user.clone()
                .setCapabilities(Capability.newBuilder().addAddAmbientCapabilities("NET_ADMIN")));
    assertThat(capabilities(ambient, "CapAmb")).isEqualTo(1L << CAP_NET_ADMIN);
    assertThat(has(capabilities(ambient, "CapEff"), CAP_NET_ADMIN)).isTrue();
    assertThat(node.cri().exec(ambient, "ip", "link", "set", "eth0", "mtu", "1300").getExitCode())
        .as("a command in it has them too")
        .isZero();

    String added =
        run(
            "added",
            user.clone().setCapabilities(Capability.newBuilder().addAddCapabilities("NET_ADMIN")));
    assertThat(capabilities(added, "CapAmb")).isZero();
    assertThat(capabilities(added, "CapEff")).isZero();
  }

  @Test
  void secretsOfAContainerAreForRootAlone() throws IOException {
    Cri cri = node.cri();
    PodSandboxConfig pod = node.pod("secret").build();
    cri.run(
        cri.runPod(pod),
        node.sleeper("main")
            .addEnvs(
                KeyValue.newBuilder().setKey("PASSWORD").setValue(ByteString.copyFromUtf8(SECRET)))
            .build(),
        pod);
    List<Path> telling = new ArrayList<>();
    for (Path folder : List.of(node.root(), node.state())) {
      Files.walkFileTree(folder, new ReadableByOthers(telling));
    }
    assertThat(telling).isEmpty();
  }

  /** Looks where a user without rights can look. */
  private static final class ReadableByOthers extends SimpleFileVisitor<Path> {

    private final List<Path> telling;

    ReadableByOthers(List<Path> telling) {
      this.telling = telling;
    }

    @Override
    public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes)
        throws IOException {
      return Files.getPosixFilePermissions(folder).contains(PosixFilePermission.OTHERS_EXECUTE)
              && !folder.endsWith("merged")
              && !folder.endsWith("ns")
          ? FileVisitResult.CONTINUE
          : FileVisitResult.SKIP_SUBTREE;
    }

    @Override
    public FileVisitResult visitFileFailed(Path file, IOException e) {
      return FileVisitResult.CONTINUE; // a temporary one, gone again
    }

    @Override
    public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
      try {
        if (attributes.isRegularFile()
            && attributes.size() < 1 << 20
            && Files.getPosixFilePermissions(file).contains(PosixFilePermission.OTHERS_READ)
            && Files.readString(file, StandardCharsets.ISO_8859_1).contains(SECRET)) {
          telling.add(file);
        }
      } catch (NoSuchFileException e) {
        return visitFileFailed(file, e);
      }
      return FileVisitResult.CONTINUE;
    }
  }

  @Test
  void noNewPrivilegesAndAReadOnlyRoot() {
    String id =
        run(
            "strict",
            LinuxContainerSecurityContext.newBuilder().setNoNewPrivs(true).setReadonlyRootfs(true));
    assertThat(status(id, "NoNewPrivs")).isEqualTo("1");
    assertThat(node.cri().exec(id, "touch", "/file").getExitCode()).isNotZero();
    String loose = run("loose", LinuxContainerSecurityContext.newBuilder());
    assertThat(status(loose, "NoNewPrivs")).isEqualTo("0");
    assertThat(node.cri().exec(loose, "touch", "/file").getExitCode()).isZero();
  }

  @Test
  void pathsAreMaskedAndReadOnlyAsTheCallerSays() {
    String id =
        run(
            "masked",
            LinuxContainerSecurityContext.newBuilder()
                .addMaskedPaths("/proc/kcore")
                .addMaskedPaths("/sys/firmware")
                .addReadonlyPaths("/proc/sys"));
    assertThat(node.cri().output(id, "sh", "-c", "head -c1 /proc/kcore | wc -c")).isEqualTo("0");
    assertThat(node.cri().output(id, "sh", "-c", "ls /sys/firmware | wc -l")).isEqualTo("0");
    assertThat(
            node.cri()
                .exec(id, "sh", "-c", "echo x > /proc/sys/kernel/shm_rmid_forced")
                .getExitCode())
        .isNotZero();
  }

  @Test
  void aPrivilegedContainerHasItAll() throws IOException {
    Cri cri = node.cri();
    PodSandboxConfig.Builder builder = node.pod("privileged");
    builder.getLinuxBuilder().getSecurityContextBuilder().setPrivileged(true);
    PodSandboxConfig pod = builder.build();
    ContainerConfig.Builder container = node.sleeper("main");
    container.getLinuxBuilder().getSecurityContextBuilder().setPrivileged(true);
    String id = cri.run(cri.runPod(pod), container.build(), pod);

    long ours = Long.parseUnsignedLong(bounding(), 16);
    assertThat(capabilities(id, "CapEff")).isEqualTo(ours);
    assertThat(cri.output(id, "grep", " /sys ", "/proc/mounts")).contains("rw,");
    assertThat(status(id, "Seccomp")).isEqualTo("0");
    assertThat(cri.output(id, "ls", "/dev")).contains("kmsg");
    assertThat(cri.exec(id, "mount", "-t", "tmpfs", "x", "/tmp").getExitCode()).isZero();

    PodSandboxConfig plain = node.pod("plain-pod").build();
    String plainId = cri.runPod(plain);
    assertThat(Failures.code(() -> cri.create(plainId, container.build(), plain)))
        .as("a privileged container in a pod that is not")
        .isNotEqualTo(Status.Code.OK);
  }

  @Test
  void devicesAreGivenWithTheRightsThatAreAskedFor() {
    Cri cri = node.cri();
    PodSandboxConfig pod = node.pod("devices").build();
    String podId = cri.runPod(pod);
    ContainerConfig.Builder container =
        node.sleeper("main")
            .addDevices(
                Device.newBuilder()
                    .setHostPath("/dev/null")
                    .setContainerPath("/dev/mine")
                    .setPermissions("rwm"))
            .addDevices(
                Device.newBuilder()
                    .setHostPath("/dev/kmsg")
                    .setContainerPath("/dev/log-of-kernel")
                    .setPermissions("r"));
    String id = cri.run(podId, container.build(), pod);
    assertThat(cri.output(id, "sh", "-c", "echo x > /dev/mine && stat -c %t,%T /dev/mine"))
        .isEqualTo("1,3");
    assertThat(cri.output(id, "sh", "-c", "head -c 1 /dev/log-of-kernel | wc -c; true"))
        .isNotNull();
    assertThat(cri.exec(id, "sh", "-c", "echo x > /dev/log-of-kernel").getExitCode()).isNotZero();

    String bare = cri.run(podId, node.sleeper("bare").build(), pod);
    assertThat(cri.output(bare, "ls", "/dev"))
        .contains("null", "zero", "full", "random", "urandom", "tty")
        .doesNotContain("kmsg", "mem", "loop");
    assertThat(cri.exec(bare, "sh", "-c", "mknod /tmp/kmsg c 1 11 && cat /tmp/kmsg").getExitCode())
        .as("a node of a device that was not given")
        .isNotZero();
  }

  @Test
  void environmentAndWorkingDirectory() {
    Cri cri = node.cri();
    PodSandboxConfig pod = node.pod("environment").build();
    String id =
        cri.run(
            cri.runPod(pod),
            node.sleeper("main")
                .addEnvs(
                    KeyValue.newBuilder()
                        .setKey("GREETING")
                        .setValue(ByteString.copyFromUtf8("grüß = dich")))
                .setWorkingDir("/made/on/the/way")
                .build(),
            pod);
    assertThat(cri.output(id, "sh", "-c", "echo $GREETING")).isEqualTo("grüß = dich");
    assertThat(cri.output(id, "pwd")).isEqualTo("/made/on/the/way");
    assertThat(cri.output(id, "sh", "-c", "echo $PATH")).isEqualTo("/bin");
  }

  private static String run(String name, LinuxContainerSecurityContext.Builder context) {
    PodSandboxConfig pod = node.pod(name).build();
    ContainerConfig.Builder container = node.sleeper("main");
    context.setNamespaceOptions(TestNode.OWN_PROCESSES);
    container.getLinuxBuilder().setSecurityContext(context);
    return node.cri().run(node.cri().runPod(pod), container.build(), pod);
  }

  private static Status.Code failure(LinuxContainerSecurityContext.Builder context) {
    return Failures.code(() -> run("refused", context));
  }

  private static long capabilities(String container, String set) {
    return HexFormat.fromHexDigitsToLong(status(container, set));
  }

  private static String status(String container, String field) {
    return node.cri()
        .output(container, "cat", "/proc/1/status")
        .lines()
        .filter(line -> line.startsWith(field + ":"))
        .map(line -> line.substring(field.length() + 1).strip())
        .findFirst()
        .orElseThrow();
  }

  private static String bounding() throws IOException {
    return Files.readAllLines(Path.of("/proc/self/status")).stream()
        .filter(line -> line.startsWith("CapBnd:"))
        .map(line -> line.substring("CapBnd:".length()).strip())
        .findFirst()
        .orElseThrow();
  }

  private static boolean has(long set, int capability) {
    return (set & (1L << capability)) != 0;
  }
}
