package io.keelson.sandbox.isolator;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.keelson.linux.Commands;
import io.keelson.linux.NamespaceType;
import io.keelson.linux.Namespaces;
import io.keelson.proto.cri.v1.Device;
import io.keelson.proto.cri.v1.Int64Value;
import io.keelson.proto.cri.v1.KeyValue;
import io.keelson.proto.cri.v1.LinuxContainerResources;
import io.keelson.proto.cri.v1.Mount;
import io.keelson.proto.cri.v1.NamespaceMode;
import io.keelson.proto.cri.v1.SecurityProfile;
import io.keelson.sandbox.error.NotFoundException;
import io.keelson.sandbox.port.Isolator;
import io.keelson.sandbox.spec.SpecBuilder;
import io.keelson.sandbox.spec.StoredSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** A spec of all isolators together, run by real OCI runtimes on the running kernel. */
@ParameterizedClass
@MethodSource("runtimes")
class StandardIsolatorsRunTest {

  private static final Path BUSYBOX = Path.of("/bin/busybox");
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  private final String id = "isolators-" + UUID.randomUUID();
  private final Path runtime;
  @TempDir Path root;
  private Given given;

  StandardIsolatorsRunTest(Path runtime) {
    this.runtime = runtime;
  }

  static List<Path> runtimes() {
    return Stream.of("/usr/bin/crun", "/usr/sbin/runc")
        .map(Path::of)
        .filter(Files::isExecutable)
        .toList();
  }

  @BeforeEach
  void pod() throws IOException {
    given = new Given(root);
    given.cgroup = "/" + id;
    Path bin = Files.createDirectories(given.rootfs().resolve("bin"));
    Files.copy(BUSYBOX, bin.resolve("busybox"));
    Files.createSymbolicLink(bin.resolve("sh"), Path.of("busybox"));
    given.file("etc/passwd", "app:x:1000:1001::/home/app:/bin/sh\n");
    given.file("etc/group", "app:x:1001:\naudio:x:29:app\n");
    Files.createDirectories(given.podDirectory().resolve("shm"));
    for (String file : List.of("hosts", "hostname", "resolv.conf")) {
      Files.writeString(given.podDirectory().resolve(file), file + " of the pod\n");
    }
    for (NamespaceType type : List.of(NamespaceType.NET, NamespaceType.IPC, NamespaceType.UTS)) {
      given.namespaces.put(type, root.resolve("ns-" + type.procName()));
    }
    Namespaces.create(given.namespaces, "pod-host", Map.of());
    given.security(
        security -> security.getNamespaceOptionsBuilder().setPid(NamespaceMode.CONTAINER));
  }

  @AfterEach
  void nothingIsLeft() throws IOException {
    runtime("delete", "--force", id);
    for (Path pin : given.namespaces.values()) {
      Namespaces.unpin(pin);
    }
  }

  @Test
  void anOrdinaryContainerRunsAsItsConfigSays() throws IOException {
    Path volume = Files.createDirectory(root.resolve("volume"));
    Files.writeString(volume.resolve("file"), "from the volume");
    given
        .config
        .addEnvs(
            KeyValue.newBuilder()
                .setKey("MINE")
                .setValue(ByteString.copyFromUtf8("caller"))
                .build())
        .addMounts(
            Mount.newBuilder()
                .setContainerPath("/data")
                .setHostPath(volume.toString())
                .setReadonly(true)
                .setRecursiveReadOnly(true)
                .addMountOptions("noexec"))
        .addDevices(Device.newBuilder().setHostPath("/dev/zero").setContainerPath("/dev/mine"))
        .setWorkingDir("/made/for/me");
    given
        .config
        .getLinuxBuilder()
        .setResources(
            LinuxContainerResources.newBuilder()
                .setCpuShares(256)
                .setMemoryLimitInBytes(64 << 20)
                .setOomScoreAdj(100));
    given.security(
        security ->
            security
                .setRunAsUser(Int64Value.newBuilder().setValue(1000))
                .addSupplementalGroups(60000)
                .addMaskedPaths("/proc/kcore")
                .addReadonlyPaths("/proc/sys")
                .setNoNewPrivs(true)
                .setSeccomp(
                    SecurityProfile.newBuilder()
                        .setProfileType(SecurityProfile.ProfileType.RuntimeDefault)));
    String output =
        run(
            """
            busybox id; busybox pwd; busybox hostname
            echo home=$HOME mine=$MINE from=$FROM
            busybox grep -E 'CapBnd|Seccomp:|NoNewPrivs' /proc/self/status
            busybox cat /data/file /etc/resolv.conf /proc/self/oom_score_adj
            busybox touch /data/new || echo data is read-only
            busybox mount | busybox grep ' /data '
            busybox head -c 1 /dev/mine | busybox wc -c
            busybox unshare -U true || echo no new namespaces
            busybox ls /sys/class/net
            echo pid=$$
            """);
    assertThat(output)
        .contains("uid=1000(app) gid=1001(app) groups=29(audio),1001(app),60000")
        .contains("/made/for/me\n")
        .contains("pod-host\n")
        .contains("home=/home/app mine=caller from=image")
        .contains("CapBnd:\t00000000a80425fb")
        .contains("NoNewPrivs:\t1")
        .contains("Seccomp:\t2")
        .contains("from the volume", "resolv.conf of the pod", "\n100\n")
        .contains("data is read-only")
        .containsPattern("/data type .*noexec")
        .contains("\n1\n")
        .contains("no new namespaces")
        .contains("\nlo\n")
        .contains("pid=1");
  }

  @Test
  void aPrivilegedContainerRunsWithAllThatTheDaemonHas() throws IOException {
    given.privileged();
    String output =
        run(
            """
            busybox grep -E 'CapEff|Seccomp:' /proc/self/status
            busybox touch /sys/fs/cgroup/x 2>&1
            busybox ls /dev/full
            busybox mount | busybox grep ' /sys '
            """);
    String mask =
        Files.readString(Path.of("/proc/self/status"))
            .replaceAll("(?s).*CapBnd:\\s*(\\w+).*", "$1");
    assertThat(output)
        .contains("CapEff:\t" + mask)
        .contains("Seccomp:\t0")
        .contains("/dev/full")
        .containsPattern("/sys type sysfs \\(rw");
  }

  @Test
  void aSecondCommandRunsInTheSameContainer() throws IOException {
    given.security(security -> security.setRunAsUsername("app"));
    SpecBuilder spec = prepared("busybox sleep 60");
    Path bundle = given.root.resolve("bundle");
    Files.write(bundle.resolve("config.json"), spec.toJson());
    Path process =
        Files.write(
            root.resolve("process.json"),
            new StoredSpec(spec.toJson())
                .execProcess(List.of("/bin/sh", "-c", "busybox id -u; echo $HOME"), false));
    Commands.Output started = runtime("run", "--detach", "--bundle", bundle.toString(), id);
    assertThat(started.stderrText()).isEmpty();
    Commands.Output output = runtime("exec", "--process", process.toString(), id);
    assertThat(output.stdoutText()).isEqualTo("1000\n/home/app\n");
  }

  private String run(String script) throws IOException {
    Path bundle = given.root.resolve("bundle");
    Files.write(bundle.resolve("config.json"), prepared(script).toJson());
    Commands.Output output = runtime("run", "--bundle", bundle.toString(), id);
    String all = output.stdoutText() + output.stderrText();
    assertThat(output.exitCode()).as(all).isZero();
    return all;
  }

  private SpecBuilder prepared(String script) throws IOException {
    given.config.clearCommand().addCommand("/bin/sh").addCommand("-c").addCommand(script);
    given.config.addEnvs(
        KeyValue.newBuilder().setKey("PATH").setValue(ByteString.copyFromUtf8("/bin")).build());
    List<Isolator> all =
        StandardIsolators.create(
            HostFeatures.probe(),
            (_, _) -> OptionalInt.empty(),
            (_, image, _, _, _) -> {
              throw new NotFoundException(image);
            },
            StandardIsolators.Settings.DEFAULT);
    return given.prepared(all.toArray(Isolator[]::new));
  }

  private Commands.Output runtime(String... args) throws IOException {
    List<String> command = new ArrayList<>();
    command.addAll(List.of(runtime.toString(), "--root", root.resolve("runtime").toString()));
    command.addAll(List.of(args));
    return Commands.run(command, Map.of("PATH", "/usr/bin:/bin"), new byte[0], PATIENCE, 1 << 20);
  }
}
