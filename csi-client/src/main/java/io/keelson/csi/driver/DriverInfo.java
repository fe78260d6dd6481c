package io.keelson.csi.driver;

import io.keelson.proto.csi.v1.ControllerServiceCapability;
import io.keelson.proto.csi.v1.GroupControllerServiceCapability;
import io.keelson.proto.csi.v1.NodeServiceCapability;
import io.keelson.proto.csi.v1.PluginCapability;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * What a driver says of itself.
 *
 * @param version of the vendor
 * @param nodeId this node's name for the driver's controller
 * @param maxVolumes 0 for no limit
 * @param topology where this node is, in the driver's words
 */
public record DriverInfo(
    String name,
    String version,
    Set<PluginCapability.Service.Type> services,
    Set<PluginCapability.VolumeExpansion.Type> expansion,
    Set<NodeServiceCapability.RPC.Type> node,
    Set<ControllerServiceCapability.RPC.Type> controller,
    Set<GroupControllerServiceCapability.RPC.Type> group,
    String nodeId,
    long maxVolumes,
    Map<String, String> topology) {

  public DriverInfo {
    services = Set.copyOf(services);
    expansion = Set.copyOf(expansion);
    node = Set.copyOf(node);
    controller = Set.copyOf(controller);
    group = Set.copyOf(group);
    topology = Map.copyOf(topology);
  }

  public boolean can(PluginCapability.Service.Type service) {
    return services.contains(service);
  }

  public boolean can(NodeServiceCapability.RPC.Type capability) {
    return node.contains(capability);
  }

  public boolean can(ControllerServiceCapability.RPC.Type capability) {
    return controller.contains(capability);
  }

  public boolean can(GroupControllerServiceCapability.RPC.Type capability) {
    return group.contains(capability);
  }

  /** All capabilities by their names in the contract, for people. */
  public Set<String> capabilityNames() {
    Set<String> names = new TreeSet<>();
    services.forEach(each -> names.add(each.name()));
    expansion.forEach(each -> names.add("VOLUME_EXPANSION_" + each.name()));
    node.forEach(each -> names.add("NODE_" + each.name()));
    controller.forEach(each -> names.add("CONTROLLER_" + each.name()));
    group.forEach(each -> names.add("GROUP_" + each.name()));
    return names;
  }
}
