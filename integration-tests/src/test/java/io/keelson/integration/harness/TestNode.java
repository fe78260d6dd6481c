package io.keelson.integration.harness;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.keelson.proto.cri.v1.ContainerConfig;
import io.keelson.proto.cri.v1.ContainerMetadata;
import io.keelson.proto.cri.v1.IDMapping;
import io.keelson.proto.cri.v1.ImageSpec;
import io.keelson.proto.cri.v1.LinuxContainerConfig;
import io.keelson.proto.cri.v1.LinuxContainerSecurityContext;
import io.keelson.proto.cri.v1.LinuxPodSandboxConfig;
import io.keelson.proto.cri.v1.NamespaceMode;
import io.keelson.proto.cri.v1.NamespaceOption;
import io.keelson.proto.cri.v1.PodSandbox;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import io.keelson.proto.cri.v1.PodSandboxMetadata;
import io.keelson.proto.cri.v1.UserNamespace;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * A node of one test class: a daemon with folders, bridge, subnets and control groups of its own,
 * and an image of busybox. After each test it removes all pods and fails the test if anything of
 * them is left on the host; after the class it ends the daemon and looks again.
 *
 * <p>Use as a static field with {@code @RegisterExtension}.
 */
public final class TestNode implements BeforeAllCallback, AfterEachCallback, AfterAllCallback {

  /** The name of the image that every node has. */
  public static final String IMAGE = "test.invalid/busybox:1";

  /** How many different subnets nodes can have. */
  private static final int NETS = 120;

  private static final AtomicInteger COUNT = new AtomicInteger();

  /** Empty for what the daemon finds best. */
  private static final String CGROUP_DRIVER = System.getProperty("keelson.cgroup_driver", "");

  private final Path base;
  private final String tag;
  private final int net;
  private final Map<String, String> settings = new TreeMap<>();
  private final TestDaemon daemon;
  private final LeakCheck leaks;
  private Path devicePlugins;
  private Path pluginRegistrations;
  private boolean bare;
  private @Nullable Cri cri;
  private @Nullable Map<String, List<String>> before;

  private TestNode() {
    int number = COUNT.incrementAndGet();
    long pid = ProcessHandle.current().pid();
    tag = "kit" + pid % 100_000 + "n" + number;
    net = freeNet(pid * 7 + number);
    base = Path.of(System.getProperty("java.io.tmpdir"), tag);
    set("root", quoted(base.resolve("root")));
    set("state", quoted(base.resolve("state")));
    if (!CGROUP_DRIVER.isEmpty()) {
      set("cgroup_driver", quoted(CGROUP_DRIVER));
    }
    set("log.level", "\"debug\"");
    set("network.bridge", quoted(bridge()));
    set("network.ipv4_subnet", "\"" + ipv4Prefix() + ".0.0/16\"");
    set("network.ipv6_subnet", "\"" + ipv6Prefix() + "::/64\"");
    set("network.cni_conf_dir", quoted(cniConfigurations()));
    set("network.netns_dir", quoted(base.resolve("netns")));
    set("volumes.local_driver_dir", quoted(localVolumes()));
    set("volumes.secrets_dir", quoted(secrets()));
    set("volumes.docker_plugin_dirs", "[" + quoted(dockerPlugins()) + "]");
    set("images.hosts_dirs", "[" + quoted(registries()) + "]");
    set("nri.socket", quoted(nriSocket()));
    set("nri.plugin_dir", quoted(nriPlugins()));
    set("nri.config_dir", quoted(base.resolve("nri.conf")));
    set("nri.block_io_file", quoted(nriBlockIo()));
    devicePlugins = root().resolve("device-plugins");
    pluginRegistrations = root().resolve("plugins_registry");
    daemon = new TestDaemon(configuration(), socket(), base.resolve("daemon.log"));
    leaks = new LeakCheck(this);
  }

  public static TestNode create() {
    return new TestNode();
  }

  /** A node that the test fills and starts itself. */
  public static TestNode bare() {
    TestNode node = new TestNode();
    node.bare = true;
    return node;
  }

  /** Sets a key of the configuration ({@code table.key}) to a TOML value. */
  public TestNode set(String key, String toml) {
    settings.put(key, toml);
    return this;
  }

  /** The daemon has the variable in its environment. */
  public TestNode withEnvironment(String name, String value) {
    daemon.environment(name, value);
    return this;
  }

  /** CNI plugins are looked for in the folder {@code plugins} of this node, too. */
  public TestNode withPluginFolder() {
    return set(
        "network.cni_bin_dirs", "[" + quoted(base.resolve("plugins")) + ", \"/usr/lib/cni\"]");
  }

  /** Plugins register in folders that the configuration names, as where a kubelet has its own. */
  public TestNode withKubeletFolders() {
    devicePlugins = base.resolve("kubelet/device-plugins");
    pluginRegistrations = base.resolve("kubelet/plugins_registry");
    return set("devices.plugin_dir", quoted(devicePlugins))
        .set("devices.registration_dir", quoted(pluginRegistrations));
  }

  @Override
  public void beforeAll(ExtensionContext context) throws IOException {
    for (Path folder :
        List.of(base.resolve("netns"), base.resolve("plugins"), cniConfigurations(), logs())) {
      Files.createDirectories(folder);
    }
    writeConfiguration();
    if (!bare) {
      start();
    }
  }

  /** Starts the daemon and imports the image. */
  public void start() throws IOException {
    daemon.start();
    cri()
        .importImage(
            TestImage.busybox().writeDockerArchive(base.resolve("busybox.tar"), IMAGE), "");
    Files.delete(base.resolve("busybox.tar"));
    before = leaks.snapshot();
  }

  @Override
  public void afterEach(ExtensionContext context) throws IOException {
    if (before == null) {
      return;
    }
    if (!daemon.isAlive()) {
      daemon.start();
    }
    removeAllPods();
    leaks.compare(before);
  }

  @Override
  public void afterAll(ExtensionContext context) throws IOException {
    try {
      if (daemon.isAlive()) {
        daemon.terminate();
      }
      if (before != null) {
        leaks.compare(before);
      }
    } finally {
      daemon.kill();
      if (cri != null) {
        cri.close();
      }
      keepLog(context.getRequiredTestClass().getSimpleName());
      leaks.sweep();
    }
  }

  private void keepLog(String name) throws IOException {
    Path logs = Files.createDirectories(Path.of("target/daemon-logs"));
    Files.writeString(logs.resolve(name + ".log"), daemon.log(), UTF_8);
  }

  public void removeAllPods() {
    for (PodSandbox pod : cri().pods()) {
      cri().stopPod(pod.getId());
      cri().removePod(pod.getId());
    }
  }

  public void writeConfiguration() throws IOException {
    StringBuilder plain = new StringBuilder();
    Map<String, StringBuilder> tables = new TreeMap<>();
    settings.forEach(
        (key, value) -> {
          int dot = key.lastIndexOf('.');
          StringBuilder table =
              dot < 0
                  ? plain
                  : tables.computeIfAbsent(key.substring(0, dot), t -> new StringBuilder());
          table.append(key.substring(dot + 1)).append(" = ").append(value).append('\n');
        });
    tables.forEach((name, keys) -> plain.append("\n[").append(name).append("]\n").append(keys));
    Files.writeString(configuration(), plain);
  }

  /** Whether a file of root or state belongs to the node and not to a pod. */
  boolean isLasting(String file) {
    Path path = Path.of(file);
    Path runtimes = state().resolve("runtimes");
    return path.equals(root().resolve("network/last"))
        || devicePlugins.equals(path.getParent()) // the sockets of plugins
        || pluginRegistrations.equals(path.getParent())
        || path.equals(state().resolve("csi-local.sock"))
        || path.equals(runtimes)
        || runtimes.equals(path.getParent());
  }

  public TestDaemon daemon() {
    return daemon;
  }

  public Cri cri() {
    if (cri == null) {
      cri = Cri.connect(socket());
    }
    return cri;
  }

  /** Kills the daemon at any instruction and starts it again. */
  public void killAndStart() throws IOException {
    daemon.killAndStart();
    cri().reconnect();
  }

  /**
   * Kills the daemon and leaves what a node finds after a power cut and a new boot: no process, no
   * mount, no device, no network, nothing in the state folder, and records of another boot.
   *
   * @see TestDaemon#start()
   */
  public void losePower() throws IOException {
    daemon.kill();
    leaks.clear();
    LeakCheck.deleteTree(state());
    LeakCheck.deleteTree(base.resolve("netns"));
    Files.createDirectories(base.resolve("netns"));
    new BootRecords(root()).ofAnotherBoot();
  }

  public void restart() throws IOException {
    daemon.restart();
    cri().reconnect();
  }

  /** A pod of this name that no other test has. */
  public PodSandboxConfig.Builder pod(String name) {
    String uid = UUID.randomUUID().toString();
    return PodSandboxConfig.newBuilder()
        .setMetadata(PodSandboxMetadata.newBuilder().setName(name).setNamespace("it").setUid(uid))
        .setHostname(name)
        .setLogDirectory(logs().resolve(uid).toString())
        .putLabels("io.kubernetes.pod.name", name)
        .putLabels("io.kubernetes.pod.uid", uid)
        .setLinux(LinuxPodSandboxConfig.newBuilder().setCgroupParent(podGroup(uid)));
  }

  private String podGroup(String uid) {
    return cgroupParent()
        + "/"
        + (isSystemd() ? tag + "-pod" + uid.replace('-', '_') + ".slice" : "pod" + uid);
  }

  private static boolean isSystemd() {
    return CGROUP_DRIVER.equals("systemd");
  }

  /** What a kubelet asks for unless the pod says otherwise: each container its own processes. */
  public static final NamespaceOption OWN_PROCESSES =
      NamespaceOption.newBuilder().setPid(NamespaceMode.CONTAINER).build();

  /** As {@link #OWN_PROCESSES}, in a user namespace of the pod's own. */
  public static final NamespaceOption OWN_USERS =
      OWN_PROCESSES.toBuilder()
          .setUsernsOptions(
              UserNamespace.newBuilder()
                  .setMode(NamespaceMode.POD)
                  .addUids(users())
                  .addGids(users()))
          .build();

  private static IDMapping users() {
    return IDMapping.newBuilder().setHostId(700_000).setLength(65536).build();
  }

  /** A container of busybox. */
  public ContainerConfig.Builder container(String name, String... command) {
    return ContainerConfig.newBuilder()
        .setMetadata(ContainerMetadata.newBuilder().setName(name))
        .setImage(ImageSpec.newBuilder().setImage(IMAGE))
        .addAllCommand(List.of(command))
        .putLabels("io.kubernetes.container.name", name)
        .setLinux(
            LinuxContainerConfig.newBuilder()
                .setSecurityContext(
                    LinuxContainerSecurityContext.newBuilder().setNamespaceOptions(OWN_PROCESSES)))
        .setLogPath(name + "/0.log");
  }

  /** A container that does nothing until it is asked to end, and then ends at once. */
  public ContainerConfig.Builder sleeper(String name) {
    return container(name, "sh", "-c", "trap 'exit 0' TERM; while :; do sleep 3600 & wait; done");
  }

  /** The log of a container of {@link #container}. */
  public ContainerLog log(PodSandboxConfig.Builder pod, String container) {
    return new ContainerLog(Path.of(pod.getLogDirectory(), container, "0.log"));
  }

  /** The command line {@code keelson}, which asks this node's daemon. */
  public List<String> keelson(String... words) {
    List<String> command = new ArrayList<>();
    command.add(TestDaemon.installation().resolve("bin/keelson").toString());
    command.addAll(List.of("--socket", socket().toString()));
    command.addAll(List.of(words));
    return command;
  }

  public Path base() {
    return base;
  }

  public Path root() {
    return base.resolve("root");
  }

  public Path state() {
    return base.resolve("state");
  }

  /** Where plugins of the Node Resource Interface connect. */
  public Path nriSocket() {
    return base.resolve("nri.sock");
  }

  /** The classes of block I/O; no such file is there. */
  public Path nriBlockIo() {
    return base.resolve("block-io.yaml");
  }

  /** The folder of plugins that the daemon starts; it does not exist. */
  public Path nriPlugins() {
    return base.resolve("nri");
  }

  public Path socket() {
    return state().resolve("keelson.sock");
  }

  public Path configuration() {
    return base.resolve("config.toml");
  }

  public Path cniConfigurations() {
    return base.resolve("net.d");
  }

  /** Where {@code HOST/hosts.toml} are looked for. */
  public Path registries() {
    return base.resolve("registries");
  }

  public Path logs() {
    return base.resolve("logs");
  }

  /** Where the built-in CSI driver keeps its volumes. */
  public Path localVolumes() {
    return base.resolve("local-volumes");
  }

  /** Where an administrator puts secrets. */
  public Path secrets() {
    return base.resolve("secrets");
  }

  /** Where Docker volume plugins are looked for. */
  public Path dockerPlugins() {
    return base.resolve("docker-plugins");
  }

  public String bridge() {
    return tag;
  }

  /** A number whose subnets nothing on the host uses, such as what an aborted run has left. */
  private static int freeNet(long first) {
    String routes = Shell.output("ip", "route", "show", "table", "all");
    return (int)
        LongStream.range(first, first + NETS)
            .map(candidate -> candidate % NETS)
            .filter(
                candidate ->
                    !routes.contains(ipv4Prefix(candidate) + ".")
                        && !routes.contains(externalPrefix(candidate) + "."))
            .findFirst()
            .orElseThrow(() -> new IllegalStateException("no subnet is free: " + routes));
  }

  /** The first two octets of the pods' IPv4 addresses. */
  public String ipv4Prefix() {
    return ipv4Prefix(net);
  }

  private static String ipv4Prefix(long net) {
    return "10." + (100 + net);
  }

  /** The same for networks that tests make with external plugins, on a bridge with an x behind. */
  public String externalPrefix() {
    return externalPrefix(net);
  }

  private static String externalPrefix(long net) {
    return "10." + (220 + net % 30);
  }

  public String ipv6Prefix() {
    return "fd4b:%x:1".formatted(0x1000 + net);
  }

  /** Below which all pods of this node have their control groups. */
  public String cgroupParent() {
    return "/" + tag + (isSystemd() ? ".slice" : "");
  }

  private static String quoted(Object value) {
    return "\"" + value + "\"";
  }

  /** Where vendors' device plugins register and keep their sockets. */
  public Path devicePlugins() {
    return devicePlugins;
  }

  /** The folder that is watched for plugins that register by a socket. */
  public Path pluginRegistrations() {
    return pluginRegistrations;
  }

  /** A folder that a test may fill, below the node's own. */
  public Path folder(String name) {
    try {
      return Files.createDirectories(base.resolve("test").resolve(name));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
