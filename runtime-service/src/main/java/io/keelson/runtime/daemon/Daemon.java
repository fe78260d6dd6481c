package io.keelson.runtime.daemon;

import io.keelson.csi.NodeVolumes;
import io.keelson.device.Devices;
import io.keelson.image.Images;
import io.keelson.linux.FdPoller;
import io.keelson.linux.KernelThreads;
import io.keelson.linux.ProcessWatcher;
import io.keelson.runtime.ProductVersion;
import io.keelson.runtime.config.Configuration;
import io.keelson.runtime.nri.Nri;
import io.keelson.runtime.server.CallInterceptor;
import io.keelson.runtime.server.CheckpointCalls;
import io.keelson.runtime.server.ContainerCalls;
import io.keelson.runtime.server.CriImageService;
import io.keelson.runtime.server.CriRuntimeService;
import io.keelson.runtime.server.EventCalls;
import io.keelson.runtime.server.Introspection;
import io.keelson.runtime.server.NodeCalls;
import io.keelson.runtime.server.NodeDeviceService;
import io.keelson.runtime.server.NodeImageService;
import io.keelson.runtime.server.NodePluginService;
import io.keelson.runtime.server.NodeVolumeService;
import io.keelson.runtime.server.PodCalls;
import io.keelson.runtime.server.ReadinessGate;
import io.keelson.runtime.server.SocketServer;
import io.keelson.runtime.server.StatsCalls;
import io.keelson.runtime.server.StreamingCalls;
import io.keelson.runtime.streaming.StreamingServer;
import io.keelson.sandbox.FaultPoints;
import io.keelson.sandbox.NodeRuntime;
import io.keelson.sandbox.SandboxSettings;
import io.keelson.sandbox.isolator.HostFeatures;
import io.keelson.sandbox.isolator.StandardIsolators;
import io.keelson.sandbox.launch.CatatonitHolder;
import io.keelson.sandbox.launch.ConmonLauncher;
import io.keelson.sandbox.launch.ExitWatcher;
import io.keelson.sandbox.launch.LauncherSettings;
import io.keelson.sandbox.port.PodNetwork;
import io.keelson.sandbox.port.RuntimeHandler;
import io.keelson.sandbox.rpc.UnixChannels;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The daemon: the one place where the parts are put together. {@link #start} serves when it
 * returns; {@link #close} ends it and leaves the containers running.
 */
public final class Daemon implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(Daemon.class);

  /** Native calls that block at the same time; more wait for their turn. */
  private static final int KERNEL_THREADS = 32;

  /**
   * For one step of an OCI runtime: far beyond what a loaded host needs, below a kubelet's
   * patience.
   */
  private static final Duration RUNTIME_TIMEOUT = Duration.ofSeconds(60);

  private static final Duration KILL_TIMEOUT = Duration.ofSeconds(30);

  /**
   * For calls under way when the daemon is told to end; their callers try again with the next one.
   */
  private static final Duration STOP_GRACE = Duration.ofSeconds(5);

  private final Shutdown shutdown;

  private Daemon(Shutdown shutdown) {
    this.shutdown = shutdown;
  }

  /**
   * Starts the daemon and takes over what runs on the node.
   *
   * @throws StartException if the host or another daemon is in the way
   */
  public static Daemon start(Configuration configuration) throws IOException, StartException {
    long startNanos = System.nanoTime();
    Shutdown shutdown = new Shutdown();
    try {
      start(configuration, shutdown);
    } catch (IOException | StartException | RuntimeException e) {
      shutdown.close();
      throw e;
    }
    log.atInfo()
        .addKeyValue("version", ProductVersion.current())
        .addKeyValue("socket", configuration.socket())
        .addKeyValue("ms", (System.nanoTime() - startNanos) / 1_000_000)
        .log("keelson serves");
    return new Daemon(shutdown);
  }

  private static void start(Configuration configuration, Shutdown shutdown)
      throws IOException, StartException {
    shutdown.add("the root folder", FolderLock.acquire(configuration.root()));
    shutdown.add("the state folder", FolderLock.acquire(configuration.state()));
    Host host = HostCheck.check(configuration);
    HostFeatures features = HostFeatures.probe();
    KernelThreads kernelThreads = shutdown.add("kernel threads", new KernelThreads(KERNEL_THREADS));
    ProcessWatcher processes = shutdown.add("process watcher", new ProcessWatcher());
    Images images = shutdown.add("images", Images.open(PartSettings.images(configuration)));
    PodNetwork network = Networks.open(configuration, kernelThreads, shutdown);
    UnixChannels channels = shutdown.add("channels to plugins", new UnixChannels());
    FaultPoints halts = HaltAtStep.of(System.getenv(HaltAtStep.VARIABLE));
    MetricsParts metrics = new MetricsParts(configuration, halts, shutdown);
    FaultPoints faults = metrics.stages(halts);
    Devices devices = DeviceParts.open(configuration, channels, faults, shutdown);
    NodeVolumes volumes =
        shutdown.add(
            "volumes",
            VolumeParts.open(
                configuration, channels, kernelThreads, metrics.driverCalls(), faults));
    DeviceParts.watch(
        configuration,
        Map.of(
            "DevicePlugin",
            devices.pluginHandler(),
            "DRAPlugin",
            devices.draHandler(),
            "CSIPlugin",
            new CsiPluginHandler(volumes.drivers())),
        channels,
        shutdown);
    Optional<Nri> nri =
        NriParts.of(configuration, features, devices.cdi()::inject, metrics.pluginCalls());
    NodeRuntime runtime =
        runtime(
            configuration,
            host,
            features,
            processes,
            images,
            network,
            devices,
            volumes,
            nri,
            faults,
            shutdown);

    DeviceParts.openHotplug(devices, runtime.containers());

    ReadinessGate gate = new ReadinessGate();
    Introspection introspection = new Introspection();
    NodeCalls node =
        new NodeCalls(NodeDescriptions.of(configuration, host, features), network, gate);
    StreamingServer streams =
        shutdown.add(
            "the streams",
            StreamingServer.start(
                PartSettings.streaming(configuration.streaming()),
                runtime.containers(),
                runtime.pods()));
    SocketServer server =
        SocketServer.start(
            new SocketServer.Settings(
                configuration.socket(),
                configuration.socketGroup(),
                configuration.grpc().maxMessageSize()),
            new CallInterceptor(gate, metrics.calls()),
            List.of(
                new CriRuntimeService(
                    node,
                    new PodCalls(runtime.pods()),
                    new ContainerCalls(runtime.containers()),
                    new StreamingCalls(runtime.containers(), runtime.pods(), streams),
                    new EventCalls(runtime.events()),
                    new StatsCalls(runtime.stats()),
                    new CheckpointCalls(runtime.checkpoints())),
                introspection.health(),
                introspection.reflection(),
                new CriImageService(images),
                new NodeImageService(images),
                new NodePluginService(() -> NriParts.list(nri)),
                new NodeVolumeService(volumes),
                new NodeDeviceService(devices.node())));
    shutdown.add("the server", () -> server.stop(STOP_GRACE));
    shutdown.add("the events", runtime.events());

    metrics.tellOf(images, devices.node(), volumes);
    metrics.serve(runtime, volumes, kernelThreads, shutdown);
    volumes.endBy(new DiskLimits(runtime.containers()));
    runtime.recover();
    volumes.start();
    if (nri.isPresent()) {
      shutdown.add("NRI", nri.get());
      nri.get().start(runtime.pods(), runtime.containers());
    }
    gate.open();
    introspection.serving();
  }

  private static NodeRuntime runtime(
      Configuration configuration,
      Host host,
      HostFeatures features,
      ProcessWatcher processes,
      Images images,
      PodNetwork network,
      Devices devices,
      NodeVolumes volumes,
      Optional<Nri> nri,
      FaultPoints faults,
      Shutdown shutdown)
      throws IOException {
    SandboxSettings settings =
        new SandboxSettings(
            configuration.root(),
            configuration.state(),
            configuration.network().netnsDir(),
            host.handlers(),
            configuration.defaultRuntime(),
            host.cgroupDriver(),
            KILL_TIMEOUT);
    RuntimeHandler defaultHandler =
        Objects.requireNonNull(host.handlers().get(configuration.defaultRuntime()));
    LauncherSettings launching =
        new LauncherSettings(
            host.conmon(),
            configuration.state().resolve("containers"),
            () -> Programs.ofHost().find(configuration.criu()),
            RUNTIME_TIMEOUT);
    FdPoller poller = shutdown.add("the streams of commands", new FdPoller());
    return new NodeRuntime(
        settings,
        shutdown.add(
            "the launcher", new ConmonLauncher(launching, host.cgroups(), processes, poller)),
        shutdown.add("the exit watcher", new ExitWatcher(settings.exitDirectory(), processes)),
        new CatatonitHolder(
            host.catatonit(), defaultHandler, host.cgroups(), processes, RUNTIME_TIMEOUT),
        targets ->
            inOrder(
                Stream.of(
                    StandardIsolators.create(
                        features,
                        targets,
                        images.volumes(),
                        PartSettings.isolation(configuration.containers())),
                    volumes.isolators(),
                    devices.isolators(),
                    nri.map(Nri::isolator).stream().toList())),
        inOrder(
            Stream.of(
                List.of(volumes.podExtension()),
                devices.podExtensions(),
                nri.map(Nri::podExtension).stream().toList())),
        images.provisioner(),
        images.archives(),
        network,
        host.cgroups(),
        faults);
  }

  private static <T> List<T> inOrder(Stream<? extends List<? extends T>> lists) {
    return lists.<T>flatMap(List::stream).toList();
  }

  @Override
  public void close() {
    log.info("keelson ends; containers go on without it");
    shutdown.close();
  }
}
