package io.keelson.runtime.config;

import io.keelson.image.rootfs.RootBackend;
import io.keelson.linux.netlink.IpPrefix;
import io.keelson.sandbox.spec.SpecRlimit;
import java.net.InetAddress;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * The daemon's configuration, complete and checked. What each value means stands once, in the
 * comment of its key; {@code keelson config default} prints them all.
 *
 * @param conmon an absolute path or a name to be looked for in PATH
 * @param catatonit as conmon
 * @param criu as conmon
 * @param runtimes by name; never empty
 * @param defaultRuntime one of {@code runtimes}
 */
public record Configuration(
    Path root,
    Path state,
    Path socket,
    String socketGroup,
    CgroupDriverChoice cgroupDriver,
    String conmon,
    String catatonit,
    String criu,
    Map<String, OciRuntime> runtimes,
    String defaultRuntime,
    Log log,
    Network network,
    Images images,
    Devices devices,
    Streaming streaming,
    Volumes volumes,
    Containers containers,
    Nri nri,
    Grpc grpc,
    Metrics metrics,
    Tracing tracing) {

  public Configuration {
    runtimes = Map.copyOf(runtimes);
  }

  /** How the daemon logs. */
  public record Log(LogLevel level, LogFormat format) {}

  /**
   * An OCI runtime.
   *
   * @param path an absolute path or a name to be looked for in PATH
   * @param root the runtime's own state folder
   * @param annotations of its containers' specs
   * @param required it is missed if its program is not there: the file names it or it is the
   *     default one
   */
  public record OciRuntime(
      String name,
      String path,
      Path root,
      RuntimeTypeChoice type,
      Map<String, String> annotations,
      SnapshotBackend snapshotBackend,
      Optional<Path> cniConfDir,
      boolean required) {
    public OciRuntime {
      annotations = Map.copyOf(annotations);
    }
  }

  /**
   * CNI, and the built-in network that answers where CNI is not configured.
   *
   * @param mtu 0 for that of the link with the default route
   */
  public record Network(
      Path cniConfDir,
      List<Path> cniBinDirs,
      Optional<Path> cniConfTemplate,
      Duration cniTimeout,
      String bridge,
      Optional<IpPrefix> ipv4Subnet,
      Optional<IpPrefix> ipv6Subnet,
      int mtu,
      boolean masquerade,
      Path netnsDir) {
    public Network {
      cniBinDirs = List.copyOf(cniBinDirs);
    }
  }

  /**
   * How images are fetched and kept.
   *
   * @param parallelLayers 0 for one for each processor, at least 3
   * @param maxLayerSize bytes
   * @param maxManifestSize bytes
   */
  public record Images(
      Set<String> insecureRegistries,
      Optional<Path> caFile,
      List<Path> hostsDirs,
      List<Path> authFiles,
      Duration progressTimeout,
      int connectionsPerLayer,
      List<String> pinned,
      int parallelLayers,
      long maxLayerSize,
      long maxLayerEntries,
      int maxLayerRatio,
      RootBackend backend,
      boolean keepBlobs,
      int maxManifestSize,
      Optional<Path> signaturePolicy) {
    public Images {
      insecureRegistries = Set.copyOf(insecureRegistries);
      hostsDirs = List.copyOf(hostsDirs);
      authFiles = List.copyOf(authFiles);
      pinned = List.copyOf(pinned);
    }
  }

  /**
   * Device plugins and CDI.
   *
   * @param pluginWait for a plugin that is not back yet
   * @param cdiDirs later ones win
   * @param lookInterval between two looks at the host for built-in devices
   */
  public record Devices(
      Path pluginDir,
      Path registrationDir,
      Duration pluginWait,
      List<Path> cdiDirs,
      Path definitionsDir,
      Duration lookInterval,
      Path podResourcesSocket,
      boolean ownersFromUser) {
    public Devices {
      cdiDirs = List.copyOf(cdiDirs);
    }
  }

  /**
   * How the streams of exec, attach and port-forward are served.
   *
   * @param port 0 for a free one
   * @param tlsCert empty for plain HTTP; {@code tlsKey} is there if this is
   */
  public record Streaming(
      InetAddress address,
      int port,
      Optional<Path> tlsCert,
      Optional<Path> tlsKey,
      Optional<Path> tlsClientCa,
      Duration idleTimeout,
      Duration creationTimeout) {}

  /**
   * Volumes and CSI drivers.
   *
   * @param drivers endpoints of drivers that do not register themselves
   */
  public record Volumes(
      List<String> drivers,
      Optional<Path> tlsCaFile,
      Optional<Path> tlsCertFile,
      Optional<Path> tlsKeyFile,
      Optional<Path> secretsDir,
      List<Path> dockerPluginDirs,
      Duration callTimeout,
      Duration operationTimeout,
      Duration probeInterval,
      boolean unmountForgotten,
      boolean localDriver,
      Path localDriverDir,
      long writableLayerLimit,
      OverLimit overLimit,
      Duration measureInterval) {
    public Volumes {
      drivers = List.copyOf(drivers);
      dockerPluginDirs = List.copyOf(dockerPluginDirs);
    }
  }

  /**
   * What all containers have in common.
   *
   * @param pidsLimit most tasks; 0 for no limit
   * @param rlimits of each process
   */
  public record Containers(long pidsLimit, List<SpecRlimit> rlimits, Duration hostPathDeadline) {

    public Containers {
      rlimits = List.copyOf(rlimits);
    }
  }

  /**
   * Plugins of the Node Resource Interface.
   *
   * @param pluginDir programs that are started with the daemon
   * @param configDir their configuration
   * @param registrationTimeout also of the synchronisation
   * @param requestTimeout of every other call
   * @param requiredPlugins without which no container is made
   * @param tolerateMissingAnnotation the key of what makes an exception; may be empty
   * @param blockIoFile classes of block I/O
   */
  public record Nri(
      boolean enabled,
      Path socket,
      Path pluginDir,
      Path configDir,
      Duration registrationTimeout,
      Duration requestTimeout,
      List<String> requiredPlugins,
      String tolerateMissingAnnotation,
      List<NriRestriction> rejectedAdjustments,
      Optional<Path> blockIoFile) {}

  /**
   * The gRPC server.
   *
   * @param maxMessageSize bytes
   */
  public record Grpc(int maxMessageSize) {}

  /**
   * The daemon's own metrics.
   *
   * @param address a loopback address with a port, {@code unix:} and a path, or empty for none
   */
  public record Metrics(String address) {}

  /** Where traces go, and how. */
  public record Tracing(Optional<URI> endpoint, TraceProtocol protocol) {}

  static Configuration of(Values values) {
    String defaultRuntime = values.get(Keys.DEFAULT_RUNTIME);
    return new Configuration(
        values.get(Keys.ROOT),
        values.get(Keys.STATE),
        values.get(Keys.SOCKET),
        values.get(Keys.SOCKET_GROUP),
        values.get(Keys.CGROUP_DRIVER),
        values.get(Keys.CONMON),
        values.get(Keys.CATATONIT),
        values.get(Keys.CRIU),
        runtimes(values, defaultRuntime),
        defaultRuntime,
        new Log(values.get(Keys.LOG_LEVEL), values.get(Keys.LOG_FORMAT)),
        new Network(
            values.get(NetworkKeys.CNI_CONF_DIR),
            values.get(NetworkKeys.CNI_BIN_DIRS),
            values.get(NetworkKeys.CNI_CONF_TEMPLATE),
            values.get(NetworkKeys.CNI_TIMEOUT),
            values.get(NetworkKeys.BRIDGE),
            values.get(NetworkKeys.IPV4_SUBNET),
            values.get(NetworkKeys.IPV6_SUBNET),
            values.get(NetworkKeys.MTU).intValue(),
            values.get(NetworkKeys.MASQUERADE),
            values.get(NetworkKeys.NETNS_DIR)),
        new Images(
            Set.copyOf(values.get(ImageKeys.INSECURE_REGISTRIES)),
            values.get(ImageKeys.CA_FILE),
            values.get(ImageKeys.HOSTS_DIRS),
            values.get(ImageKeys.AUTH_FILES),
            values.get(ImageKeys.PROGRESS_TIMEOUT),
            values.get(ImageKeys.CONNECTIONS_PER_LAYER).intValue(),
            values.get(ImageKeys.PINNED_IMAGES),
            values.get(ImageKeys.PARALLEL_LAYERS).intValue(),
            values.get(ImageKeys.MAX_LAYER_SIZE),
            values.get(ImageKeys.MAX_LAYER_ENTRIES),
            values.get(ImageKeys.MAX_LAYER_RATIO).intValue(),
            values.get(ImageKeys.ROOT_BACKEND),
            values.get(ImageKeys.KEEP_BLOBS),
            values.get(ImageKeys.MAX_MANIFEST_SIZE).intValue(),
            values.get(ImageKeys.SIGNATURE_POLICY)),
        new Devices(
            values.get(DeviceKeys.PLUGIN_DIR),
            values.get(DeviceKeys.REGISTRATION_DIR),
            values.get(DeviceKeys.PLUGIN_WAIT),
            values.get(DeviceKeys.CDI_DIRS),
            values.get(DeviceKeys.DEFINITIONS_DIR),
            values.get(DeviceKeys.LOOK_INTERVAL),
            values.get(DeviceKeys.POD_RESOURCES_SOCKET),
            values.get(DeviceKeys.OWNERS_FROM_USER)),
        new Streaming(
            values.get(StreamingKeys.ADDRESS),
            values.get(StreamingKeys.PORT).intValue(),
            values.get(StreamingKeys.TLS_CERT),
            values.get(StreamingKeys.TLS_KEY),
            values.get(StreamingKeys.TLS_CLIENT_CA),
            values.get(StreamingKeys.IDLE_TIMEOUT),
            values.get(StreamingKeys.CREATION_TIMEOUT)),
        new Volumes(
            values.get(VolumeKeys.DRIVERS),
            values.get(VolumeKeys.TLS_CA_FILE),
            values.get(VolumeKeys.TLS_CERT_FILE),
            values.get(VolumeKeys.TLS_KEY_FILE),
            values.get(VolumeKeys.SECRETS_DIR),
            values.get(VolumeKeys.DOCKER_PLUGIN_DIRS),
            values.get(VolumeKeys.CALL_TIMEOUT),
            values.get(VolumeKeys.OPERATION_TIMEOUT),
            values.get(VolumeKeys.PROBE_INTERVAL),
            values.get(VolumeKeys.UNMOUNT_FORGOTTEN),
            values.get(VolumeKeys.LOCAL_DRIVER),
            values.get(VolumeKeys.LOCAL_DRIVER_DIR),
            values.get(VolumeKeys.WRITABLE_LAYER_LIMIT),
            values.get(VolumeKeys.OVER_LIMIT),
            values.get(VolumeKeys.MEASURE_INTERVAL)),
        new Containers(
            values.get(Keys.PIDS_LIMIT),
            values.get(Keys.RLIMITS),
            values.get(Keys.HOST_PATH_DEADLINE)),
        new Nri(
            values.get(NriKeys.ENABLED),
            values.get(NriKeys.SOCKET),
            values.get(NriKeys.PLUGIN_DIR),
            values.get(NriKeys.CONFIG_DIR),
            values.get(NriKeys.REGISTRATION_TIMEOUT),
            values.get(NriKeys.REQUEST_TIMEOUT),
            values.get(NriKeys.REQUIRED_PLUGINS),
            values.get(NriKeys.TOLERATE_MISSING_ANNOTATION),
            values.get(NriKeys.REJECTED_ADJUSTMENTS),
            values.get(NriKeys.BLOCK_IO_FILE)),
        new Grpc(values.get(Keys.MAX_MESSAGE_SIZE).intValue()),
        new Metrics(values.get(Keys.METRICS_ADDRESS)),
        new Tracing(values.get(Keys.TRACING_ENDPOINT), values.get(Keys.TRACING_PROTOCOL)));
  }

  private static Map<String, OciRuntime> runtimes(Values values, String defaultRuntime) {
    Map<String, OciRuntime> runtimes = new TreeMap<>();
    for (String name : values.runtimes()) {
      boolean required = name.equals(defaultRuntime) || values.isRuntimeSet(name);
      runtimes.put(
          name,
          new OciRuntime(
              name,
              values.get(RuntimeKeys.path(name)),
              values.get(RuntimeKeys.root(name)),
              values.get(RuntimeKeys.type(name)),
              annotations(values.get(RuntimeKeys.annotations(name))),
              values.get(RuntimeKeys.snapshotBackend(name)),
              values.get(RuntimeKeys.cniConfDir(name)),
              required));
    }
    return runtimes;
  }

  /** The last one of a name counts. */
  private static Map<String, String> annotations(List<String> pairs) {
    Map<String, String> annotations = new TreeMap<>();
    for (String pair : pairs) {
      int equals = pair.indexOf('=');
      annotations.put(pair.substring(0, equals), pair.substring(equals + 1));
    }
    return annotations;
  }
}
