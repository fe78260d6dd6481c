package io.keelson.runtime.config;

import io.keelson.sandbox.spec.SpecRlimit;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Every key of the configuration. The reader, the checks and the commented default file all come
 * from this list; a new key is a constant in the class of its table (here if its table has none),
 * an entry in {@link #FIXED} and a component in {@link Configuration}.
 */
final class Keys {

  private static final long MIB = 1024 * 1024;

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

  static final Key<String> CRIU =
      Key.of(
          "criu",
          ValueTypes.PROGRAM,
          "criu",
          """
          The program that checkpoints and restores processes for a runtime that can use it (runc,
          or a crun that was built with it): a name that is looked for in PATH, or an absolute
          path that ends with "criu". Without it checkpoints are refused.\
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
          Where an OpenTelemetry collector takes traces, such as
          "http://127.0.0.1:4318/v1/traces": a span for each call that changes something, with its
          stages below it. A caller that sends a traceparent, as a kubelet with tracing does, has
          its calls in its own trace, all or none as it says. "": no traces.\
          """);

  static final Key<TraceProtocol> TRACING_PROTOCOL =
      Key.of(
          "tracing.protocol",
          ValueTypes.choice(TraceProtocol.class),
          TraceProtocol.HTTP,
          """
          How the collector takes them: "http" (OTLP over HTTP) or "grpc" (OTLP over gRPC, at
          "http://127.0.0.1:4317" as a rule; with TLS at an https URL).\
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

  static final Key<List<SpecRlimit>> RLIMITS =
      Key.of(
          "containers.rlimits",
          ValueTypes.listOf(RlimitType.INSTANCE, "limits"),
          List.of(),
          """
          Limits of the processes of all containers, "name=soft:hard" with the names of ulimits
          (setrlimit(2)), such as "nofile=1024:524288" or "core=unlimited"; what is not named they
          have from the daemon.\
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
          CRIU,
          DEFAULT_RUNTIME,
          LOG_LEVEL,
          LOG_FORMAT,
          NetworkKeys.CNI_CONF_DIR,
          NetworkKeys.CNI_BIN_DIRS,
          NetworkKeys.CNI_CONF_TEMPLATE,
          NetworkKeys.CNI_TIMEOUT,
          NetworkKeys.BRIDGE,
          NetworkKeys.IPV4_SUBNET,
          NetworkKeys.IPV6_SUBNET,
          NetworkKeys.MTU,
          NetworkKeys.MASQUERADE,
          NetworkKeys.NETNS_DIR,
          ImageKeys.INSECURE_REGISTRIES,
          ImageKeys.CA_FILE,
          ImageKeys.HOSTS_DIRS,
          ImageKeys.AUTH_FILES,
          ImageKeys.PROGRESS_TIMEOUT,
          ImageKeys.CONNECTIONS_PER_LAYER,
          ImageKeys.PINNED_IMAGES,
          ImageKeys.PARALLEL_LAYERS,
          ImageKeys.MAX_MANIFEST_SIZE,
          ImageKeys.MAX_LAYER_SIZE,
          ImageKeys.MAX_LAYER_ENTRIES,
          ImageKeys.MAX_LAYER_RATIO,
          ImageKeys.ROOT_BACKEND,
          ImageKeys.KEEP_BLOBS,
          ImageKeys.SIGNATURE_POLICY,
          DeviceKeys.PLUGIN_DIR,
          DeviceKeys.REGISTRATION_DIR,
          DeviceKeys.PLUGIN_WAIT,
          DeviceKeys.CDI_DIRS,
          DeviceKeys.DEFINITIONS_DIR,
          DeviceKeys.LOOK_INTERVAL,
          DeviceKeys.POD_RESOURCES_SOCKET,
          DeviceKeys.OWNERS_FROM_USER,
          METRICS_ADDRESS,
          TRACING_ENDPOINT,
          TRACING_PROTOCOL,
          StreamingKeys.ADDRESS,
          StreamingKeys.PORT,
          StreamingKeys.TLS_CERT,
          StreamingKeys.TLS_KEY,
          StreamingKeys.TLS_CLIENT_CA,
          StreamingKeys.IDLE_TIMEOUT,
          StreamingKeys.CREATION_TIMEOUT,
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
          VolumeKeys.OVER_LIMIT,
          VolumeKeys.MEASURE_INTERVAL,
          PIDS_LIMIT,
          RLIMITS,
          HOST_PATH_DEADLINE,
          NriKeys.ENABLED,
          NriKeys.SOCKET,
          NriKeys.PLUGIN_DIR,
          NriKeys.CONFIG_DIR,
          NriKeys.REGISTRATION_TIMEOUT,
          NriKeys.REQUEST_TIMEOUT,
          NriKeys.REQUIRED_PLUGINS,
          NriKeys.TOLERATE_MISSING_ANNOTATION,
          NriKeys.REJECTED_ADJUSTMENTS,
          NriKeys.BLOCK_IO_FILE,
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
