package io.keelson.csi.provision;

import io.keelson.csi.driver.CallPolicy;
import io.keelson.csi.driver.Driver;
import io.keelson.csi.driver.DriverInfo;
import io.keelson.csi.driver.DriverRegistry;
import io.keelson.csi.driver.Operation;
import io.keelson.csi.driver.Redaction;
import io.keelson.csi.kind.CsiRequests;
import io.keelson.csi.kind.DockerPlugins;
import io.keelson.csi.kind.SecretFolders;
import io.keelson.csi.quota.DiskUse;
import io.keelson.csi.quota.FileSystemUsage;
import io.keelson.csi.quota.NodeQuotas;
import io.keelson.csi.volume.Place;
import io.keelson.csi.volume.Volumes;
import io.keelson.proto.csi.v1.ControllerGetVolumeRequest;
import io.keelson.proto.csi.v1.ControllerGetVolumeResponse;
import io.keelson.proto.csi.v1.ControllerServiceCapability;
import io.keelson.proto.csi.v1.GetCapacityRequest;
import io.keelson.proto.csi.v1.ListSnapshotsRequest;
import io.keelson.proto.csi.v1.ListSnapshotsResponse;
import io.keelson.proto.csi.v1.ListVolumesRequest;
import io.keelson.proto.csi.v1.ListVolumesResponse;
import io.keelson.proto.csi.v1.NodeGetVolumeStatsRequest;
import io.keelson.proto.csi.v1.NodeGetVolumeStatsResponse;
import io.keelson.proto.csi.v1.NodeServiceCapability;
import io.keelson.proto.csi.v1.Topology;
import io.keelson.proto.csi.v1.VolumeUsage;
import io.keelson.proto.node.v1.CsiVolume;
import io.keelson.proto.node.v1.DescribeStorageRequest;
import io.keelson.proto.node.v1.DescribeStorageResponse;
import io.keelson.proto.node.v1.DescribeVolumeResponse;
import io.keelson.proto.node.v1.DriverStatus;
import io.keelson.proto.node.v1.VolumeStatsResponse;
import io.keelson.proto.record.v1.VolumeRecord;
import io.keelson.sandbox.error.NotFoundException;
import io.keelson.sandbox.error.UnsupportedException;
import io.keelson.sandbox.isolator.HostPaths;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Questions about drivers and volumes. Safe for use by many threads. */
public final class StorageQueries {

  /** A driver that pages without end is asked no further. */
  private static final int MAX_PAGES = 1_000;

  /** Before the name of a Docker volume plugin. */
  private static final String DOCKER = "docker/";

  private final Volumes volumes;
  private final DriverRegistry drivers;
  private final DockerPlugins dockerPlugins;
  private final SecretFolders secrets;
  private final NodeQuotas quotas;
  private final CallPolicy policy;
  private final HostPaths hostPaths;

  /**
   * @param hostPaths for volumes that lie where their pods said, which may never answer
   */
  public StorageQueries(
      Volumes volumes,
      DriverRegistry drivers,
      DockerPlugins dockerPlugins,
      SecretFolders secrets,
      NodeQuotas quotas,
      CallPolicy policy,
      HostPaths hostPaths) {
    this.secrets = secrets;
    this.quotas = quotas;
    this.dockerPlugins = dockerPlugins;
    this.hostPaths = hostPaths;
    this.volumes = volumes;
    this.drivers = drivers;
    this.policy = policy;
  }

  /** All drivers, from memory. */
  public List<DriverStatus> drivers() {
    return drivers.all().stream().map(StorageQueries::status).toList();
  }

  private static DriverStatus status(Driver driver) {
    DriverStatus.Builder status =
        DriverStatus.newBuilder()
            .setName(driver.name())
            .setEndpoint(driver.endpoint().toString())
            .setState(driver.health().state().word())
            .setMessage(driver.health().message())
            .setOrigin(driver.origin().word());
    DriverInfo info = driver.knownInfo();
    if (info != null) {
      status
          .setVersion(info.version())
          .setNodeId(info.nodeId())
          .setMaxVolumes(info.maxVolumes())
          .putAllTopology(info.topology())
          .addAllCapabilities(info.capabilityNames());
    }
    return status.build();
  }

  /**
   * How full a volume is.
   *
   * @param name of a volume, or the id of a publication
   */
  public VolumeStatsResponse stats(String name) throws IOException {
    return stats(name, Operation.of(policy.callTimeout(), Operation.Listener.NONE));
  }

  VolumeStatsResponse stats(String name, Operation operation) throws IOException {
    Optional<Place> found = volumes.placeOf(name);
    Place place =
        found
            .or(() -> volumes.provisioned().place(name))
            .orElseThrow(
                () -> new NotFoundException("no published volume is called \"" + name + "\""));
    Optional<DiskUse> limited = quotas.use(name);
    if (limited.isPresent()) {
      return limited(limited.get());
    }
    if (!place.volume().getSource().hasCsi()) {
      return measured(place);
    }
    Driver driver = drivers.get(place.volume().getSource().getCsi().getDriver(), operation);
    if (!driver.info(operation).can(NodeServiceCapability.RPC.Type.GET_VOLUME_STATS)) {
      return measured(place);
    }
    CsiVolume csi = place.volume().getSource().getCsi();
    NodeGetVolumeStatsRequest.Builder request =
        NodeGetVolumeStatsRequest.newBuilder()
            .setVolumeId(CsiRequests.volumeId(csi, name))
            .setVolumePath(place.path().toString());
    if (place.volume().getStageable()) {
      request.setStagingTargetPath(place.staging().toString());
    }
    Redaction known = secrets.redaction(csi.getSecret());
    NodeGetVolumeStatsResponse answer =
        volumes.ask(
            place.volume().getKey(),
            () ->
                driver.node(
                    "NodeGetVolumeStats",
                    name,
                    operation,
                    stub -> known.applyTo(stub).nodeGetVolumeStats(request.build())));
    VolumeStatsResponse.Builder stats =
        VolumeStatsResponse.newBuilder().addAllUsage(answer.getUsageList());
    if (answer.hasVolumeCondition()) {
      stats.setCondition(answer.getVolumeCondition());
    }
    return stats.build();
  }

  private static VolumeStatsResponse limited(DiskUse use) {
    return VolumeStatsResponse.newBuilder()
        .addUsage(
            VolumeUsage.newBuilder()
                .setUnit(VolumeUsage.Unit.BYTES)
                .setTotal(use.limitBytes())
                .setUsed(use.usedBytes())
                .setAvailable(use.availableBytes()))
        .build();
  }

  /** A volume as its driver's controller sees it now. */
  public DescribeVolumeResponse volume(String name) throws IOException {
    return volume(name, Operation.of(policy.callTimeout(), Operation.Listener.NONE));
  }

  DescribeVolumeResponse volume(String name, Operation operation) throws IOException {
    VolumeRecord record = volumes.provisioned().get(name);
    CsiVolume csi = record.getSource().getCsi();
    Driver driver = drivers.get(csi.getDriver(), operation);
    if (!driver.info(operation).can(ControllerServiceCapability.RPC.Type.GET_VOLUME)) {
      throw new UnsupportedException(
          "CSI driver " + driver.name() + " does not tell of single volumes");
    }
    ControllerGetVolumeRequest request =
        ControllerGetVolumeRequest.newBuilder().setVolumeId(csi.getVolumeId()).build();
    ControllerGetVolumeResponse answer =
        volumes.ask(
            record.getKey(),
            () ->
                driver.controller(
                    "ControllerGetVolume",
                    name,
                    operation,
                    stub -> stub.controllerGetVolume(request)));
    DescribeVolumeResponse.Builder description =
        DescribeVolumeResponse.newBuilder()
            .setVolume(answer.getVolume())
            .addAllNodeIds(answer.getStatus().getPublishedNodeIdsList());
    if (answer.getStatus().hasVolumeCondition()) {
      description.setCondition(answer.getStatus().getVolumeCondition());
    }
    return description.build();
  }

  private VolumeStatsResponse measured(Place place) throws IOException {
    return hostPaths.call(
        progress -> {
          progress.touches(place.path());
          return VolumeStatsResponse.newBuilder()
              .addAllUsage(FileSystemUsage.of(place.path()))
              .build();
        });
  }

  /** What a driver knows of volumes and snapshots, and how much room it has. */
  public DescribeStorageResponse describe(DescribeStorageRequest request) throws IOException {
    Operation operation = Operation.of(policy.callTimeout(), Operation.Listener.NONE);
    if (request.getDriver().startsWith(DOCKER)) {
      String plugin = request.getDriver().substring(DOCKER.length());
      return DescribeStorageResponse.newBuilder()
          .addAllVolumes(dockerPlugins.volumes(plugin, operation))
          .setScope(dockerPlugins.scope(plugin, operation))
          .build();
    }
    Driver driver = drivers.get(request.getDriver(), operation);
    DriverInfo info = driver.info(operation);
    DescribeStorageResponse.Builder answer = DescribeStorageResponse.newBuilder();
    if (info.can(ControllerServiceCapability.RPC.Type.LIST_VOLUMES)) {
      listVolumes(driver, operation, answer);
    }
    if (info.can(ControllerServiceCapability.RPC.Type.LIST_SNAPSHOTS)) {
      listSnapshots(driver, secrets.text(request.getSecret()), operation, answer);
    }
    if (info.can(ControllerServiceCapability.RPC.Type.GET_CAPACITY)) {
      GetCapacityRequest.Builder call =
          GetCapacityRequest.newBuilder().putAllParameters(request.getParametersMap());
      if (!info.topology().isEmpty()) {
        call.setAccessibleTopology(Topology.newBuilder().putAllSegments(info.topology()));
      }
      answer.setAvailableBytes(
          driver
              .controller("GetCapacity", "", operation, stub -> stub.getCapacity(call.build()))
              .getAvailableCapacity());
    }
    return answer.build();
  }

  private static void listVolumes(
      Driver driver, Operation operation, DescribeStorageResponse.Builder answer) {
    String token = "";
    for (int page = 0; page < MAX_PAGES; page++) {
      ListVolumesRequest call = ListVolumesRequest.newBuilder().setStartingToken(token).build();
      ListVolumesResponse response =
          driver.controller("ListVolumes", "", operation, stub -> stub.listVolumes(call));
      response.getEntriesList().forEach(entry -> answer.addVolumes(entry.getVolume()));
      token = response.getNextToken();
      if (token.isEmpty()) {
        return;
      }
    }
  }

  private static void listSnapshots(
      Driver driver,
      Map<String, String> secret,
      Operation operation,
      DescribeStorageResponse.Builder answer) {
    String token = "";
    for (int page = 0; page < MAX_PAGES; page++) {
      ListSnapshotsRequest call =
          ListSnapshotsRequest.newBuilder().setStartingToken(token).putAllSecrets(secret).build();
      ListSnapshotsResponse response =
          driver.controller("ListSnapshots", "", operation, stub -> stub.listSnapshots(call));
      response.getEntriesList().forEach(entry -> answer.addSnapshots(entry.getSnapshot()));
      token = response.getNextToken();
      if (token.isEmpty()) {
        return;
      }
    }
  }
}
