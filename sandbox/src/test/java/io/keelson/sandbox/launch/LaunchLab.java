package io.keelson.sandbox.launch;

import static org.assertj.core.api.Assertions.assertThat;

import io.keelson.linux.FdPoller;
import io.keelson.linux.NamespaceType;
import io.keelson.linux.ProcessWatcher;
import io.keelson.linux.cgroup.CgroupHost;
import io.keelson.linux.cgroup.Cgroups;
import io.keelson.sandbox.port.LaunchRequest;
import io.keelson.sandbox.port.RuntimeHandler;
import io.keelson.sandbox.spec.SpecBuilder;
import io.keelson.sandbox.spec.SpecMount;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Stream;

/**
 * A real launcher on folders of its own, with a root file system of busybox. Closing it leaves
 * nothing.
 */
final class LaunchLab implements AutoCloseable {

  static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final Path CONMON = Path.of("/usr/bin/conmon");
  private static final Path BUSYBOX = Path.of("/bin/busybox");
  private static final List<String> APPLETS =
      List.of(
          "sh", "sleep", "true", "echo", "cat", "setsid", "env", "dd", "kill", "id", "stty", "tty",
          "yes");

  final Path root;
  final Cgroups cgroups;
  final ProcessWatcher watcher;
  final FdPoller poller;
  final String group = "/keelson-test-" + id().substring(0, 12);
  private final List<LaunchRequest> made = new ArrayList<>();
  private ConmonLauncher launcher;

  LaunchLab(Path root) throws IOException {
    this.root = root;
    cgroups = CgroupHost.detect().cgroups();
    watcher = new ProcessWatcher();
    poller = new FdPoller();
    launcher = newLauncher(PATIENCE);
    Path bin = Files.createDirectories(root.resolve("rootfs/bin"));
    for (String folder : List.of("proc", "dev", "tmp", "sys", "etc")) {
      Files.createDirectories(root.resolve("rootfs").resolve(folder));
    }
    Files.copy(BUSYBOX, bin.resolve("busybox"));
    for (String applet : APPLETS) {
      Files.createSymbolicLink(bin.resolve(applet), Path.of("busybox"));
    }
  }

  ConmonLauncher launcher() {
    return launcher;
  }

  /**
   * What a daemon that was killed and started again has: the same folders and nothing in memory.
   */
  ConmonLauncher restarted() throws IOException {
    launcher.close();
    launcher = newLauncher(PATIENCE);
    return launcher;
  }

  ConmonLauncher newLauncher(Duration timeout) throws IOException {
    return newLauncher(timeout, watcher);
  }

  ConmonLauncher newLauncher(ProcessWatcher other) throws IOException {
    return newLauncher(PATIENCE, other);
  }

  private ConmonLauncher newLauncher(Duration timeout, ProcessWatcher used) throws IOException {
    return new ConmonLauncher(
        new LauncherSettings(CONMON, root.resolve("containers"), Optional::empty, timeout),
        cgroups,
        used,
        poller);
  }

  RuntimeHandler handler(String runtime) {
    Path binary = Path.of(runtime.equals("runc") ? "/usr/sbin/runc" : "/usr/bin/" + runtime);
    return new RuntimeHandler(runtime, binary, root.resolve(runtime), false);
  }

  /** A container whose bundle is written; the log has the name {@code ID.log}. */
  LaunchRequest request(String runtime, String... command) throws IOException {
    return request(runtime, true, spec(command));
  }

  LaunchRequest request(String runtime, boolean log, SpecBuilder spec) throws IOException {
    return request(handler(runtime), log, spec);
  }

  LaunchRequest request(RuntimeHandler handler, boolean log, SpecBuilder spec) throws IOException {
    String id = id();
    Path bundle = Files.createDirectories(root.resolve("containers").resolve(id));
    Files.write(bundle.resolve("config.json"), spec.cgroupsPath(group + "/" + id).toJson());
    return made(id, handler, bundle, log, Input.NONE);
  }

  private enum Input {
    NONE,
    OPEN,
    ONCE
  }

  private LaunchRequest made(
      String id, RuntimeHandler handler, Path bundle, boolean log, Input input) throws IOException {
    LaunchRequest request =
        new LaunchRequest(
            id,
            handler,
            bundle,
            Files.createDirectories(root.resolve("exits")).resolve(id),
            log ? Optional.of(root.resolve("logs").resolve(id + ".log")) : Optional.empty(),
            false,
            input != Input.NONE,
            input == Input.ONCE,
            false,
            Optional.empty());
    made.add(request);
    return request;
  }

  /** As {@link #request}, with standard input. */
  LaunchRequest interactive(String runtime, boolean once, String... command) throws IOException {
    LaunchRequest plain = request(runtime, command);
    made.remove(plain);
    return made(
        plain.containerId(), plain.handler(), plain.bundle(), true, once ? Input.ONCE : Input.OPEN);
  }

  SpecBuilder spec(String... command) {
    return new SpecBuilder()
        .args(List.of(command))
        .env("PATH", "/bin")
        .root(root.resolve("rootfs"), true)
        .mount(new SpecMount("/proc", "proc", "proc", List.of()))
        .mount(new SpecMount("/dev", "tmpfs", "tmpfs", List.of("mode=755")))
        .mount(
            new SpecMount("/dev/pts", "devpts", "devpts", List.of("newinstance", "ptmxmode=0666")))
        .newNamespace(NamespaceType.PID)
        .newNamespace(NamespaceType.MOUNT)
        .newNamespace(NamespaceType.IPC);
  }

  byte[] process(String... command) {
    return process(false, command);
  }

  byte[] process(boolean terminal, String... command) {
    return spec(command).terminal(terminal).process();
  }

  String log(LaunchRequest request) throws IOException {
    return Files.readString(request.logFile().orElseThrow());
  }

  int exitCode(LaunchRequest request) throws Exception {
    until(() -> Files.exists(request.exitFile()));
    return Integer.parseInt(Files.readString(request.exitFile()));
  }

  /** Nothing of the container is in the kernel or with the runtime. */
  void assertGone(LaunchRequest request) throws IOException {
    assertThat(cgroups.exists(group + "/" + request.containerId())).isFalse();
    assertThat(request.handler().root().resolve(request.containerId())).doesNotExist();
    assertThat(processesNaming(request.containerId())).isEmpty();
  }

  /** The command lines of running processes that contain a text. */
  static List<String> processesNaming(String text) throws IOException {
    List<String> found = new ArrayList<>();
    try (Stream<Path> entries = Files.list(Path.of("/proc"))) {
      for (Path entry : (Iterable<Path>) entries::iterator) {
        try {
          String command = Files.readString(entry.resolve("cmdline")).replace('\0', ' ');
          if (command.contains(text)) {
            found.add(entry.getFileName() + " " + command);
          }
        } catch (IOException e) {
          // No process, or one that has ended.
        }
      }
    }
    return found;
  }

  static void until(Callable<Boolean> condition) throws Exception {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (!condition.call()) {
      assertThat(System.nanoTime()).as("waited for too long").isLessThan(deadline);
      Thread.sleep(5);
    }
  }

  static String id() {
    byte[] bytes = new byte[32];
    ThreadLocalRandom.current().nextBytes(bytes);
    return HexFormat.of().formatHex(bytes);
  }

  /** A dead monitor that nobody waited for would outlive the test as a zombie. */
  private static void awaitReaped() {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (ProcessHandle.current().children().findAny().isPresent()
        && System.nanoTime() < deadline) {
      Thread.onSpinWait();
    }
    assertThat(ProcessHandle.current().children()).isEmpty();
  }

  @Override
  public void close() throws IOException {
    try {
      for (LaunchRequest request : made) {
        launcher.delete(request);
      }
    } finally {
      cgroups.killAll(group, PATIENCE);
      cgroups.remove(group, PATIENCE);
      launcher.close();
      awaitReaped();
      watcher.close();
      poller.close();
    }
  }
}
