package io.keelson.runtime.config;

import io.keelson.image.RootBackend;
import io.keelson.linux.netlink.IpPrefix;
import java.net.InetAddress;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Every key of the configuration. The reader, the checks and the commented default file all come
 * from this list; a new key is a constant here, an entry in {@link #FIXED} and a component in
 * {@link Configuration}.
 */
final class Keys {

  private static final long MIB = 1024 * 1024;
  private static final long TIB = MIB * MIB;

  static final Key<Path> ROOT =
      Key.of(
          "root",
          ValueTypes.ABSOLUTE_PATH,
          Path.of("/var/lib/keelson"),
          """
          Images, layers, and the records of pods and containers. It must survive a reboot, and
          must be on a file system that overlayfs can use (ext4, xfs with ftype=1, btrfs).\
          """);

  static final Key<Path> STATE =
      Key.of(
          "state",
          ValueTypes.ABSOLUTE_PATH,
          Path.of("/run/keelson"),
          """
          The socket, pinned namespaces, bundles, pid and exit files. It should be gone after a
          reboot.\
          """);

  static final Key<Path> SOCKET =
      Key.derived(
          "socket",
          ValueTypes.ABSOLUTE_PATH,
          values -> values.get(STATE).resolve("keelson.sock"),
          """
          The unix socket that CRI is served on. Default: keelson.sock in the state folder.\
          """);

  static final Key<String> SOCKET_GROUP =
      Key.of(
          "socket_group",
          ValueTypes.GROUP,
          "root",
          """
          The group that may use the socket, by name or number; its mode is 0660. Whoever may use
          the socket can become root on this node.\
          """);

  static final Key<CgroupDriverChoice> CGROUP_DRIVER =
      Key.of(
          "cgroup_driver",
          ValueTypes.choice(CgroupDriverChoice.class),
          CgroupDriverChoice.AUTO,
          """
          Who makes cgroups: "systemd", "cgroupfs", or "auto" for systemd on a host that systemd
          started and that has cgroup v2, else cgroupfs. A kubelet asks for the answer and
          follows it.\
          """);

  static final Key<String> DEFAULT_RUNTIME =
      Key.of(
          "default_runtime",
          RuntimeKeys.NAME,
          "crun",
          """
          The OCI runtime of pods that name no runtime handler: one of the [runtimes] below.\
          """);

  static final Key<String> CONMON =
      Key.of(
          "conmon",
          ValueTypes.PROGRAM,
          "conmon",
          """
          The program that watches a container, writes its log and keeps its exit code while the
          daemon is away: a name that is looked for in PATH, or an absolute path.\
          """);

  static final Key<String> CATATONIT =
      Key.of(
          "catatonit",
          ValueTypes.PROGRAM,
          "catatonit",
          """
          The program that holds a PID namespace which the containers of a pod share: a name that
          is looked for in PATH, or an absolute path. Pods without one need no such program.\
          """);

  static final Key<LogLevel> LOG_LEVEL =
      Key.of(
          "log.level",
          ValueTypes.choice(LogLevel.class),
          LogLevel.INFO,
          """
          How much is logged: "error", "warn", "info" (one line for each change of a pod or
          container), "debug" (every call) or "trace".\
          """);

  static final Key<LogFormat> LOG_FORMAT =
      Key.of(
          "log.format",
          ValueTypes.choice(LogFormat.class),
          LogFormat.TEXT,
          """
          "text" for people, "json" for programs: one object a line. Logs go to standard error.\
          """);

  static final Key<Path> CNI_CONF_DIR =
      Key.of(
          "network.cni_conf_dir",
          ValueTypes.ABSOLUTE_PATH,
          Path.of("/etc/cni/net.d"),
          """
          CNI configurations (*.conflist, *.conf, *.json); the first by name is used, and changes
          are seen at once. While there is none, the built-in bridge network below answers.\
          """);

  static final Key<List<Path>> CNI_BIN_DIRS =
      Key.of(
          "network.cni_bin_dirs",
          ValueTypes.listOf(ValueTypes.ABSOLUTE_PATH, "absolute paths"),
          List.of(Path.of("/opt/cni/bin"), Path.of("/usr/lib/cni"), Path.of("/usr/libexec/cni")),
          """
          Where CNI plugins are looked for, in this order.\
          """);

  static final Key<Optional<Path>> CNI_CONF_TEMPLATE =
      Key.of(
          "network.cni_conf_template",
          ValueTypes.OPTIONAL_PATH,
          Optional.empty(),
          """
          A template of a CNI configuration, for clusters that assign subnets to nodes: when the
          kubelet tells the pod CIDR, 10-keelson.conflist is made from it in cni_conf_dir.
          {{.PodCIDR}} stands for the first subnet, {{.PodCIDRRanges}} for the ranges of host-local,
          {{.Routes}} for default routes. "": the built-in network takes its addresses from the
          pod CIDR.\
          """);

  static final Key<Duration> CNI_TIMEOUT =
      Key.of(
          "network.cni_timeout",
          ValueTypes.duration(Duration.ofSeconds(1), Duration.ofHours(1)),
          Duration.ofSeconds(60),
          """
          How long one call of one CNI plugin may take before it is killed.\
          """);

  static final Key<String> BRIDGE =
      Key.of(
          "network.bridge",
          ValueTypes.INTERFACE_NAME,
          "keelson0",
          """
          The bridge of the built-in network. It is made when the first pod needs it.\
          """);

  static final Key<Optional<IpPrefix>> IPV4_SUBNET =
      Key.of(
          "network.ipv4_subnet",
          ValueTypes.IPV4_SUBNET,
          Optional.of(IpPrefix.parse("10.87.0.0/16")),
          """
          The subnet from which pods on the built-in network get an IPv4 address; "" for pods
          without IPv4.\
          """);

  static final Key<Optional<IpPrefix>> IPV6_SUBNET =
      Key.of(
          "network.ipv6_subnet",
          ValueTypes.IPV6_SUBNET,
          Optional.of(IpPrefix.parse("fd4b:6565:6c73::/64")),
          """
          The same for IPv6. One of the two must be there.\
          """);

  static final Key<Long> MTU =
      Key.of(
          "network.mtu",
          ValueTypes.integer(0, 65_535),
          0L,
          """
          The MTU of the built-in network's links, 68 to 65535 (1280 at least with IPv6); 0 for
          that of the link with the default route.\
          """);

  static final Key<Boolean> MASQUERADE =
      Key.of(
          "network.masquerade",
          ValueTypes.BOOLEAN,
          true,
          """
          Connections from pods on the built-in network to the world outside of it leave with the
          node's address.\
          """);

  static final Key<Path> NETNS_DIR =
      Key.of(
          "network.netns_dir",
          ValueTypes.ABSOLUTE_PATH,
          Path.of("/run/netns"),
          """
          Where the pods' network namespaces are pinned; agents of CNI plugins and "ip netns" look
          for them in the default folder.\
          """);

  static final Key<List<String>> INSECURE_REGISTRIES =
      Key.of(
          "images.insecure_registries",
          ValueTypes.listOf(ValueTypes.REGISTRY, "registries"),
          List.of(),
          """
          Registries, as host or host:port, that are spoken to by plain HTTP. Those on the loopback
          (localhost, 127.0.0.0/8, [::1]) may always be.\
          """);

  static final Key<Optional<Path>> CA_FILE =
      Key.of(
          "images.ca_file",
          ValueTypes.OPTIONAL_PATH,
          Optional.empty(),
          """
          Certificates (PEM) of registries that are trusted besides those that the system trusts;
          "" for none.\
          """);

  static final Key<List<Path>> HOSTS_DIRS =
      Key.of(
          "images.hosts_dirs",
          ValueTypes.listOf(ValueTypes.ABSOLUTE_PATH, "absolute paths"),
          List.of(
              Path.of("/etc/keelson/registries"),
              Path.of("/etc/containerd/certs.d"),
              Path.of("/etc/docker/certs.d")),
          """
          Where HOST[:PORT]/hosts.toml of a registry is looked for, in this order: its mirrors with
          their order and capabilities, headers, certificates and plain HTTP, as containerd has
          them; or a folder of certificates, as docker has it. _default in the place of the host
          counts for all others. Changes are seen at the next pull.\
          """);

  static final Key<List<Path>> AUTH_FILES =
      Key.of(
          "images.auth_files",
          ValueTypes.listOf(ValueTypes.ABSOLUTE_PATH, "absolute paths"),
          List.of(),
          """
          Credentials for pulls that bring none: files as docker login (config.json) or podman login
          (auth.json) write them, with their credential helpers. Whoever may start a pod here gets
          images by them; a kubelet brings its own.\
          """);

  static final Key<Duration> PROGRESS_TIMEOUT =
      Key.of(
          "images.progress_timeout",
          ValueTypes.duration(Duration.ofSeconds(1), Duration.ofHours(1)),
          Duration.ofSeconds(30),
          """
          How long a download may stand still before it is begun again where it stopped, some times
          over. There is no limit on how long a pull takes that goes on.\
          """);

  static final Key<Long> CONNECTIONS_PER_LAYER =
      Key.of(
          "images.connections_per_layer",
          ValueTypes.integer(1, 8),
          4L,
          """
          Over how many connections a large layer is fetched at the same time, where one is too slow
          and the registry knows ranges.\
          """);

  static final Key<List<String>> PINNED_IMAGES =
      Key.of(
          "images.pinned",
          ValueTypes.listOf(ValueTypes.IMAGE_PATTERN, "names of images"),
          List.of(),
          """
          Images that a kubelet's garbage collection must leave alone: names, or beginnings of
          names with a star at the end.\
          """);

  static final Key<Long> PARALLEL_LAYERS =
      Key.of(
          "images.parallel_layers",
          ValueTypes.integer(0, 64),
          0L,
          """
          How many layers are fetched and unpacked at the same time, over all pulls; 0 for one for
          each processor, at least 3 and at most 16.\
          """);

  static final Key<Long> MAX_LAYER_SIZE =
      Key.of(
          "images.max_layer_size",
          ValueTypes.size(MIB, 1024 * TIB),
          TIB / 2,
          """
          The most that one layer may hold when unpacked; a larger one is refused.\
          """);

  static final Key<Long> MAX_LAYER_ENTRIES =
      Key.of(
          "images.max_layer_entries",
          ValueTypes.integer(1, 1_000_000_000),
          5_000_000L,
          """
          The most files, folders and links that one layer may hold; one with more is refused.\
          """);

  static final Key<Long> MAX_LAYER_RATIO =
      Key.of(
          "images.max_layer_ratio",
          ValueTypes.integer(2, 100_000),
          250L,
          """
          How many bytes a layer may unpack to for each byte that is fetched, once it holds more
          than 4GiB; one that grows further is taken for a bomb.\
          """);

  static final Key<RootBackend> ROOT_BACKEND =
      Key.of(
          "images.backend",
          ValueTypes.choice(RootBackend.class),
          RootBackend.OVERLAY,
          """
          How root file systems are made of layers: "overlay"; "copy", which copies all of them for
          each container; or "bind", which shows them read-only, for images that have all the
          folders that a container's mounts go to.\
          """);

  static final Key<Boolean> KEEP_BLOBS =
      Key.of(
          "images.keep_blobs",
          ValueTypes.BOOLEAN,
          false,
          """
          Keep the layers as they came, compressed, beside what they unpack to.\
          """);

  static final Key<Optional<Path>> SIGNATURE_POLICY =
      Key.of(
          "images.signature_policy",
          ValueTypes.OPTIONAL_PATH,
          Optional.empty(),
          """
          A JSON file that says which programs must accept the images of which registries; "" to
          accept all. Changes are seen at the next pull.\
          """);

  static final Key<String> METRICS_ADDRESS =
      Key.of(
          "metrics.address",
          ValueTypes.LOCAL_ENDPOINT,
          "",
          """
          Where the daemon's own metrics (/metrics, for Prometheus) and its slow operations (/debug)
          are served over HTTP: a loopback address with a port, such as "127.0.0.1:9464", or a unix
          socket, such as "unix:/run/keelson/metrics.sock". "": nowhere, and nothing is measured.\
          """);

  static final Key<Optional<URI>> TRACING_ENDPOINT =
      Key.of(
          "tracing.endpoint",
          ValueTypes.OPTIONAL_URL,
          Optional.empty(),
          """
          Where an OpenTelemetry collector takes traces (OTLP over HTTP), such as
          "http://127.0.0.1:4318/v1/traces": a span for each call that changes something, with its
          stages below it. "": no traces.\
          """);

  static final Key<InetAddress> STREAMING_ADDRESS =
      Key.of(
          "streaming.address",
          ValueTypes.ADDRESS,
          InetAddress.ofLiteral("127.0.0.1"),
          """
          The address on which the streams of exec, attach and port-forward are served. A kubelet
          passes them on from this node, so that nobody else need reach it. Who listens on all
          addresses ("0.0.0.0", "::") names the loopback to CRI's callers.\
          """);

  static final Key<Long> STREAMING_PORT =
      Key.of(
          "streaming.port",
          ValueTypes.integer(0, 65_535),
          0L,
          """
          The port of it; 0 for a free one.\
          """);

  static final Key<Optional<Path>> STREAMING_TLS_CERT =
      Key.of(
          "streaming.tls_cert_file",
          ValueTypes.OPTIONAL_PATH,
          Optional.empty(),
          """
          The certificate (PEM, with its chain) by which streams are served over TLS; "" for plain
          HTTP. The files are read again when they change.\
          """);

  static final Key<Optional<Path>> STREAMING_TLS_KEY =
      Key.of(
          "streaming.tls_key_file",
          ValueTypes.OPTIONAL_PATH,
          Optional.empty(),
          """
          The private key (PEM) of the certificate.\
          """);

  static final Key<Optional<Path>> STREAMING_TLS_CLIENT_CA =
      Key.of(
          "streaming.tls_client_ca_file",
          ValueTypes.OPTIONAL_PATH,
          Optional.empty(),
          """
          Certificates (PEM) that sign those of clients, who must have one then; "" for clients
          without.\
          """);

  static final Key<Duration> STREAMING_IDLE_TIMEOUT =
      Key.of(
          "streaming.idle_timeout",
          ValueTypes.duration(Duration.ofSeconds(1), Duration.ofHours(10_000)),
          Duration.ofHours(4),
          """
          How long a stream may say nothing before it is ended.\
          """);

  static final Key<Duration> STREAMING_CREATION_TIMEOUT =
      Key.of(
          "streaming.creation_timeout",
          ValueTypes.duration(Duration.ofSeconds(1), Duration.ofHours(1)),
          Duration.ofSeconds(30),
          """
          How long a client that has connected may take to ask for its streams.\
          """);

  static final Key<Long> PIDS_LIMIT =
      Key.of(
          "containers.pids_limit",
          ValueTypes.integer(0, 4_194_304),
          0L,
          """
          The most tasks (processes and threads) that a container may have, unless its request says
          another number; 0 for no limit of its own. A kubelet limits the pod as a whole.\
          """);

  static final Key<Duration> HOST_PATH_DEADLINE =
      Key.of(
          "containers.host_path_deadline",
          ValueTypes.duration(Duration.ofMillis(100), Duration.ofMinutes(2)),
          Duration.ofSeconds(20),
          """
          How long the host paths of a container's mounts and devices may take to answer before its
          creation fails: a network file system whose server is gone never does.\
          """);

  static final Key<Long> MAX_MESSAGE_SIZE =
      Key.of(
          "grpc.max_message_size",
          ValueTypes.size(MIB, 1024 * MIB),
          16 * MIB,
          """
          The largest request that is taken. Kubelets take and send no more than 16MiB.\
          """);

  static final Key<Path> PLUGIN_DIR =
      Key.derived(
          "devices.plugin_dir",
          ValueTypes.ABSOLUTE_PATH,
          values -> values.get(ROOT).resolve("device-plugins"),
          """
          Where vendors' device plugins register (kubelet.sock) and keep their sockets. Default:
          device-plugins in the root folder. On a node without a kubelet set it to
          /var/lib/kubelet/device-plugins, which most vendors have built into their plugins.\
          """);

  static final Key<Path> REGISTRATION_DIR =
      Key.derived(
          "devices.registration_dir",
          ValueTypes.ABSOLUTE_PATH,
          values -> values.get(ROOT).resolve("plugins_registry"),
          """
          The folder that is watched for the sockets of plugins that register by themselves: device
          plugins and CSI drivers. Default: plugins_registry in the root folder; a kubelet's is
          /var/lib/kubelet/plugins_registry.\
          """);

  static final Key<Duration> PLUGIN_WAIT =
      Key.of(
          "devices.plugin_wait",
          ValueTypes.duration(Duration.ofMillis(1), Duration.ofMinutes(10)),
          Duration.ofSeconds(30),
          """
          How long a request for devices waits for a plugin that is not back yet, after a start of
          the daemon or an end of the plugin.\
          """);

  static final Key<List<Path>> CDI_DIRS =
      Key.of(
          "devices.cdi_dirs",
          ValueTypes.listOf(ValueTypes.ABSOLUTE_PATH, "absolute paths"),
          List.of(Path.of("/etc/cdi"), Path.of("/var/run/cdi")),
          """
          Where specs of the Container Device Interface are looked for; later folders win. Changes
          are seen by the next container.\
          """);

  static final Key<Path> DEVICE_DEFINITIONS =
      Key.of(
          "devices.definitions_dir",
          ValueTypes.ABSOLUTE_PATH,
          Path.of("/etc/keelson/devices.d"),
          """
          Files (*.toml) that define what the built-in plugins offer: [[unix]], [[gpu]], [[usb]] and
          [[nic]] tables. Without any there is nothing built in.\
          """);

  static final Key<Path> POD_RESOURCES_SOCKET =
      Key.derived(
          "devices.pod_resources_socket",
          ValueTypes.ABSOLUTE_PATH,
          values -> values.get(STATE).resolve("pod-resources/kubelet.sock"),
          """
          Where monitors such as GPU exporters ask which pod holds which device (pod resources API
          v1). Default: pod-resources/kubelet.sock in the state folder; a kubelet's is
          /var/lib/kubelet/pod-resources/kubelet.sock.\
          """);

  static final Key<Boolean> DEVICE_OWNERS_FROM_USER =
      Key.of(
          "devices.owners_from_user",
          ValueTypes.BOOLEAN,
          false,
          """
          Device nodes that a plugin asks for belong to the user that the container runs as, and
          not to their owner on the host.\
          """);

  /** The OCI runtimes that need no table in the file. */
  static final List<String> BUILT_IN_RUNTIMES = List.of("crun", "runc");

  /** All keys but those of {@code [runtimes.NAME]}, in the order of the default file. */
  static final List<Key<?>> FIXED =
      List.of(
          ROOT,
          STATE,
          SOCKET,
          SOCKET_GROUP,
          CGROUP_DRIVER,
          CONMON,
          CATATONIT,
          DEFAULT_RUNTIME,
          LOG_LEVEL,
          LOG_FORMAT,
          CNI_CONF_DIR,
          CNI_BIN_DIRS,
          CNI_CONF_TEMPLATE,
          CNI_TIMEOUT,
          BRIDGE,
          IPV4_SUBNET,
          IPV6_SUBNET,
          MTU,
          MASQUERADE,
          NETNS_DIR,
          INSECURE_REGISTRIES,
          CA_FILE,
          HOSTS_DIRS,
          AUTH_FILES,
          PROGRESS_TIMEOUT,
          CONNECTIONS_PER_LAYER,
          PINNED_IMAGES,
          PARALLEL_LAYERS,
          MAX_LAYER_SIZE,
          MAX_LAYER_ENTRIES,
          MAX_LAYER_RATIO,
          ROOT_BACKEND,
          KEEP_BLOBS,
          SIGNATURE_POLICY,
          PLUGIN_DIR,
          REGISTRATION_DIR,
          PLUGIN_WAIT,
          CDI_DIRS,
          DEVICE_DEFINITIONS,
          POD_RESOURCES_SOCKET,
          DEVICE_OWNERS_FROM_USER,
          METRICS_ADDRESS,
          TRACING_ENDPOINT,
          STREAMING_ADDRESS,
          STREAMING_PORT,
          STREAMING_TLS_CERT,
          STREAMING_TLS_KEY,
          STREAMING_TLS_CLIENT_CA,
          STREAMING_IDLE_TIMEOUT,
          STREAMING_CREATION_TIMEOUT,
          VolumeKeys.DRIVERS,
          VolumeKeys.TLS_CA_FILE,
          VolumeKeys.TLS_CERT_FILE,
          VolumeKeys.TLS_KEY_FILE,
          VolumeKeys.SECRETS_DIR,
          VolumeKeys.DOCKER_PLUGIN_DIRS,
          VolumeKeys.CALL_TIMEOUT,
          VolumeKeys.OPERATION_TIMEOUT,
          VolumeKeys.PROBE_INTERVAL,
          VolumeKeys.UNMOUNT_FORGOTTEN,
          VolumeKeys.LOCAL_DRIVER,
          VolumeKeys.LOCAL_DRIVER_DIR,
          VolumeKeys.WRITABLE_LAYER_LIMIT,
          VolumeKeys.MEASURE_INTERVAL,
          PIDS_LIMIT,
          HOST_PATH_DEADLINE,
          NriKeys.ENABLED,
          NriKeys.SOCKET,
          NriKeys.PLUGIN_DIR,
          NriKeys.CONFIG_DIR,
          NriKeys.REGISTRATION_TIMEOUT,
          NriKeys.REQUEST_TIMEOUT,
          MAX_MESSAGE_SIZE);

  private static final Pattern RUNTIME_KEY = Pattern.compile("runtimes\\.([^.]+)\\.[^.]+");

  private Keys() {}

  /** The keys of {@code [runtimes.NAME]}. */
  static List<Key<?>> ofRuntime(String runtime) {
    return List.of(
        RuntimeKeys.path(runtime),
        RuntimeKeys.root(runtime),
        RuntimeKeys.type(runtime),
        RuntimeKeys.annotations(runtime),
        RuntimeKeys.snapshotBackend(runtime),
        RuntimeKeys.cniConfDir(runtime));
  }

  /** The runtime that a key belongs to, if it is one of {@code [runtimes.NAME]}. */
  static Optional<String> runtimeName(String key) {
    return Optional.of(RUNTIME_KEY.matcher(key)).filter(m -> m.matches()).map(m -> m.group(1));
  }

  /** The key of this full name. */
  static Optional<Key<?>> named(String name) {
    Stream<Key<?>> runtime = runtimeName(name).stream().flatMap(r -> ofRuntime(r).stream());
    return Stream.concat(FIXED.stream(), runtime).filter(k -> k.name().equals(name)).findFirst();
  }
}
