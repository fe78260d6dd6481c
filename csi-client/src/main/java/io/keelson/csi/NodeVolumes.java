package io.keelson.csi;

import io.keelson.csi.driver.BuiltInDriver;
import io.keelson.csi.driver.CallMetrics;
import io.keelson.csi.driver.DriverRegistry;
import io.keelson.csi.kind.CsiBackend;
import io.keelson.csi.kind.DockerBackend;
import io.keelson.csi.kind.DockerPlugins;
import io.keelson.csi.kind.HostPathBackend;
import io.keelson.csi.kind.SandboxPathBackend;
import io.keelson.csi.kind.SecretBackend;
import io.keelson.csi.kind.SecretFolders;
import io.keelson.csi.kind.TmpfsBackend;
import io.keelson.csi.local.LocalDriver;
import io.keelson.csi.pod.PodVolumes;
import io.keelson.csi.pod.VolumesIsolator;
import io.keelson.csi.provision.CsiProvisioning;
import io.keelson.csi.provision.SnapshotBlocks;
import io.keelson.csi.provision.SnapshotOperations;
import io.keelson.csi.provision.StorageQueries;
import io.keelson.csi.provision.VolumeHealth;
import io.keelson.csi.provision.VolumeProvisioning;
import io.keelson.csi.quota.DiskUse;
import io.keelson.csi.quota.NodeQuotas;
import io.keelson.csi.quota.WritableLayerIsolator;
import io.keelson.csi.volume.VolumeBackend;
import io.keelson.csi.volume.VolumeBackends;
import io.keelson.csi.volume.VolumeFolders;
import io.keelson.csi.volume.Volumes;
import io.keelson.linux.KernelThreads;
import io.keelson.proto.node.v1.VolumeSource;
import io.keelson.sandbox.FaultPoints;
import io.keelson.sandbox.isolator.HostPaths;
import io.keelson.sandbox.port.Isolator;
import io.keelson.sandbox.port.PodExtension;
import io.keelson.sandbox.rpc.UnixChannels;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** The volumes of a node, put together. Safe for use by many threads. */
public final class NodeVolumes implements AutoCloseable {

  private static final Duration HOST_PATH_DEADLINE = Duration.ofSeconds(20);

  private final DriverRegistry drivers;
  private final Volumes volumes;
  private final VolumeProvisioning provisioning;
  private final SnapshotOperations snapshots;
  private final SnapshotBlocks snapshotBlocks;
  private final StorageQueries queries;
  private final VolumeHealth health;
  private final NodeQuotas quotas;
  private final HostPaths hostPaths;
  private final long layerBytes;

  private NodeVolumes(
      DriverRegistry drivers,
      Volumes volumes,
      SecretFolders secrets,
      DockerPlugins dockerPlugins,
      NodeQuotas quotas,
      HostPaths hostPaths,
      VolumeSettings settings,
      FaultPoints faults) {
    this.hostPaths = hostPaths;
    this.quotas = quotas;
    this.layerBytes = settings.writableLayerBytes();
    this.drivers = drivers;
    this.volumes = volumes;
    this.provisioning = new VolumeProvisioning(volumes, drivers, secrets, settings.policy());
    this.snapshots = new SnapshotOperations(volumes, drivers, secrets, settings.policy(), faults);
    this.snapshotBlocks = new SnapshotBlocks(drivers, secrets, settings.policy());
    this.queries =
        new StorageQueries(
            volumes, drivers, dockerPlugins, secrets, quotas, settings.policy(), hostPaths);
    this.health = new VolumeHealth(volumes, drivers, queries, settings.probeInterval());
  }

  /** Changes nothing on the node yet but its folders, which it makes; calls no driver. */
  public static NodeVolumes open(
      VolumeSettings settings,
      UnixChannels channels,
      KernelThreads kernelThreads,
      CallMetrics metrics,
      FaultPoints faults)
      throws IOException {
    VolumeFolders folders = new VolumeFolders(settings.root());
    SecretFolders secrets = new SecretFolders(settings.secrets());
    NodeQuotas quotas =
        NodeQuotas.on(
            settings.root(), settings.endsOverLimit(), settings.measureInterval(), kernelThreads);
    Optional<BuiltInDriver> builtIn =
        settings.builtIn()
            ? Optional.of(
                new LocalDriverPart(
                    LocalDriver.NAME,
                    settings.builtInRoot(),
                    settings.state().resolve("csi-local.sock"),
                    settings.nodeId(),
                    settings.version()))
            : Optional.empty();
    DriverRegistry drivers =
        new DriverRegistry(
            channels,
            settings.tls(),
            settings.drivers(),
            builtIn,
            settings.policy(),
            metrics,
            settings.probeInterval());
    DockerPlugins dockerPlugins = new DockerPlugins(settings.dockerPlugins(), settings.policy());
    HostPaths hostPaths = new HostPaths(HOST_PATH_DEADLINE);
    VolumeBackend csi =
        new CsiBackend(drivers, secrets, kernelThreads, folders, settings.unmountForgotten());
    VolumeBackends backends =
        new VolumeBackends(
            Map.of(
                VolumeSource.KindCase.CSI,
                csi,
                VolumeSource.KindCase.DOCKER,
                new DockerBackend(dockerPlugins, kernelThreads),
                VolumeSource.KindCase.HOST_PATH,
                new HostPathBackend(hostPaths),
                VolumeSource.KindCase.TMPFS,
                new TmpfsBackend(kernelThreads),
                VolumeSource.KindCase.SANDBOX_PATH,
                new SandboxPathBackend(quotas),
                VolumeSource.KindCase.SECRET,
                new SecretBackend(secrets, kernelThreads)));
    Volumes volumes =
        new Volumes(
            folders, backends, new CsiProvisioning(drivers, secrets), settings.policy(), faults);
    drivers.onArrival(name -> volumes.wakeUp());
    return new NodeVolumes(
        drivers, volumes, secrets, dockerPlugins, quotas, hostPaths, settings, faults);
  }

  /** Begins to look after the drivers and their volumes. */
  public void start() {
    drivers.start();
    health.start();
  }

  /** What pods ask for. */
  public PodExtension podExtension() {
    return new PodVolumes(volumes);
  }

  /** What containers ask for; to come after the isolator of the other mounts. */
  public List<Isolator> isolators() {
    return List.of(
        new VolumesIsolator(volumes, hostPaths), new WritableLayerIsolator(quotas, layerBytes));
  }

  /** Says who ends what has gone beyond a limit that is only measured. */
  public void endBy(NodeQuotas.Ender ender) {
    quotas.endBy(ender);
  }

  /** What containers and publications with a limit have on disk, by their ids. */
  public Map<String, DiskUse> diskUse() {
    return quotas.all();
  }

  /** Which volumes are not well. */
  public VolumeHealth health() {
    return health;
  }

  /** Volumes that do not get on or are not well, one line each with the reason; from memory. */
  public List<String> troubles() {
    return Stream.concat(volumes.stuck().stream(), health.lines().stream()).toList();
  }

  public DriverRegistry drivers() {
    return drivers;
  }

  public Volumes volumes() {
    return volumes;
  }

  public VolumeProvisioning provisioning() {
    return provisioning;
  }

  public SnapshotOperations snapshots() {
    return snapshots;
  }

  public SnapshotBlocks snapshotBlocks() {
    return snapshotBlocks;
  }

  public StorageQueries queries() {
    return queries;
  }

  @Override
  public void close() {
    quotas.close();
    health.close();
    volumes.close();
    drivers.close();
  }
}
