package io.keelson.csi.driver;

import io.keelson.proto.csi.v1.ControllerGetCapabilitiesRequest;
import io.keelson.proto.csi.v1.ControllerServiceCapability;
import io.keelson.proto.csi.v1.GetPluginCapabilitiesRequest;
import io.keelson.proto.csi.v1.GetPluginCapabilitiesResponse;
import io.keelson.proto.csi.v1.GetPluginInfoRequest;
import io.keelson.proto.csi.v1.GetPluginInfoResponse;
import io.keelson.proto.csi.v1.GroupControllerGetCapabilitiesRequest;
import io.keelson.proto.csi.v1.GroupControllerServiceCapability;
import io.keelson.proto.csi.v1.NodeGetCapabilitiesRequest;
import io.keelson.proto.csi.v1.NodeGetInfoRequest;
import io.keelson.proto.csi.v1.NodeGetInfoResponse;
import io.keelson.proto.csi.v1.NodeServiceCapability;
import io.keelson.proto.csi.v1.PluginCapability;
import io.keelson.proto.csi.v1.ProbeRequest;
import io.keelson.proto.csi.v1.ProbeResponse;
import io.keelson.sandbox.error.DeadlineExceededException;
import io.keelson.sandbox.error.KeelsonException;
import io.keelson.sandbox.error.UnavailableException;
import io.keelson.sandbox.error.UnsupportedException;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/** Asks a driver what it is, what it can do and how it fares. */
final class Introspection {

  private final Driver driver;

  Introspection(Driver driver) {
    this.driver = driver;
  }

  DriverInfo ask(Operation operation) {
    GetPluginInfoResponse plugin =
        driver.identity(
            "GetPluginInfo",
            operation,
            stub -> stub.getPluginInfo(GetPluginInfoRequest.getDefaultInstance()));
    GetPluginCapabilitiesResponse capabilities =
        driver.identity(
            "GetPluginCapabilities",
            operation,
            stub -> stub.getPluginCapabilities(GetPluginCapabilitiesRequest.getDefaultInstance()));
    Set<PluginCapability.Service.Type> services =
        EnumSet.noneOf(PluginCapability.Service.Type.class);
    Set<PluginCapability.VolumeExpansion.Type> expansion =
        EnumSet.noneOf(PluginCapability.VolumeExpansion.Type.class);
    for (PluginCapability each : capabilities.getCapabilitiesList()) {
      if (each.hasService()) {
        services.add(each.getService().getType());
      }
      if (each.hasVolumeExpansion()) {
        expansion.add(each.getVolumeExpansion().getType());
      }
    }
    boolean controller = services.contains(PluginCapability.Service.Type.CONTROLLER_SERVICE);
    boolean group = services.contains(PluginCapability.Service.Type.GROUP_CONTROLLER_SERVICE);
    NodeGetInfoResponse node = nodeInfo(operation);
    return new DriverInfo(
        plugin.getName(),
        plugin.getVendorVersion(),
        services,
        expansion,
        nodeCapabilities(operation),
        controller ? controllerCapabilities(operation) : Set.of(),
        group ? groupCapabilities(operation) : Set.of(),
        node.getNodeId(),
        node.getMaxVolumesPerNode(),
        node.hasAccessibleTopology() ? node.getAccessibleTopology().getSegmentsMap() : Map.of());
  }

  /** A driver without a node part can make volumes and no more. */
  private NodeGetInfoResponse nodeInfo(Operation operation) {
    try {
      return driver.node(
          "NodeGetInfo",
          "",
          operation,
          stub -> stub.nodeGetInfo(NodeGetInfoRequest.getDefaultInstance()));
    } catch (UnsupportedException e) {
      return NodeGetInfoResponse.getDefaultInstance();
    }
  }

  private Set<NodeServiceCapability.RPC.Type> nodeCapabilities(Operation operation) {
    try {
      return driver
          .node(
              "NodeGetCapabilities",
              "",
              operation,
              stub -> stub.nodeGetCapabilities(NodeGetCapabilitiesRequest.getDefaultInstance()))
          .getCapabilitiesList()
          .stream()
          .map(each -> each.getRpc().getType())
          .collect(Collectors.toSet());
    } catch (UnsupportedException e) {
      return Set.of();
    }
  }

  private Set<ControllerServiceCapability.RPC.Type> controllerCapabilities(Operation operation) {
    return driver
        .controller(
            "ControllerGetCapabilities",
            "",
            operation,
            stub ->
                stub.controllerGetCapabilities(
                    ControllerGetCapabilitiesRequest.getDefaultInstance()))
        .getCapabilitiesList()
        .stream()
        .map(each -> each.getRpc().getType())
        .collect(Collectors.toSet());
  }

  private Set<GroupControllerServiceCapability.RPC.Type> groupCapabilities(Operation operation) {
    return driver
        .group(
            "GroupControllerGetCapabilities",
            "",
            operation,
            stub ->
                stub.groupControllerGetCapabilities(
                    GroupControllerGetCapabilitiesRequest.getDefaultInstance()))
        .getCapabilitiesList()
        .stream()
        .map(each -> each.getRpc().getType())
        .collect(Collectors.toSet());
  }

  DriverHealth probe(Operation operation) {
    try {
      ProbeResponse response =
          driver.identity(
              "Probe", operation, stub -> stub.probe(ProbeRequest.getDefaultInstance()));
      boolean ready = !response.hasReady() || response.getReady().getValue();
      return ready
          ? DriverHealth.READY
          : new DriverHealth(DriverHealth.State.STARTING, "the driver is not ready yet");
    } catch (UnavailableException | DeadlineExceededException e) {
      return new DriverHealth(DriverHealth.State.UNREACHABLE, String.valueOf(e.getMessage()));
    } catch (KeelsonException e) {
      return new DriverHealth(DriverHealth.State.UNHEALTHY, String.valueOf(e.getMessage()));
    }
  }
}
