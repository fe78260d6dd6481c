package io.keelson.device.container;

import io.keelson.linux.ProcessId;
import io.keelson.proto.deviceplugin.v1beta1.DeviceSpec;
import io.keelson.proto.record.v1.DeviceAllocation;
import io.keelson.sandbox.port.ContainerContext;
import io.keelson.sandbox.spec.SpecDevice;
import io.keelson.sandbox.spec.SpecDeviceRule;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/**
 * The devices of one container that runs, as it meets them: nodes, and rules of access. For one
 * change; not safe for use by many threads.
 */
final class LiveDevices {

  private final ContainerContext container;
  private final ContainerAccess access;
  private final NodeOwners owners;
  private final WithdrawnDevices withdrawn;
  private final BundleFile made;
  private final LiveNodes nodes;

  LiveDevices(
      ContainerContext container,
      ProcessId init,
      ContainerAccess access,
      NodeOwners owners,
      WithdrawnDevices withdrawn)
      throws IOException {
    this.container = container;
    this.access = access;
    this.owners = owners;
    this.withdrawn = withdrawn;
    this.made = BundleFile.read(container.bundle());
    this.nodes = new LiveNodes(init, container.pod().userNamespace());
  }

  /** The nodes of what the container holds, as they are on the host now. */
  List<SpecDevice> nodes(DeviceAllocation held) throws IOException {
    return nodes(held, held.getResponse().getDevicesList());
  }

  private List<SpecDevice> nodes(DeviceAllocation held, List<DeviceSpec> wanted)
      throws IOException {
    DeviceAnnotations.Ownership ownership = owners.of(container, held.getResponse(), made.user());
    List<SpecDevice> found = new ArrayList<>();
    for (DeviceSpec one : wanted) {
      for (SpecDevice node : AnswerApplication.nodes(one)) {
        found.add(AnswerApplication.owned(node, ownership));
      }
    }
    return found;
  }

  void make(Collection<SpecDevice> wanted) throws IOException {
    for (SpecDevice node : wanted) {
      nodes.make(node);
    }
  }

  /**
   * Makes some of the nodes of what the container holds.
   *
   * @param wanted as its plugin names them
   */
  void make(DeviceAllocation held, List<DeviceSpec> wanted) throws IOException {
    make(nodes(held, wanted));
  }

  /**
   * Removes the nodes of a device, which may have been pulled out of the host.
   *
   * @return what is known of them, for {@link #allow}
   */
  List<SpecDevice> remove(DeviceSpec gone) throws IOException {
    String path = gone.getContainerPath().isEmpty() ? gone.getHostPath() : gone.getContainerPath();
    List<SpecDevice> known = AnswerApplication.presentNodes(gone);
    if (known.isEmpty()) {
      nodes.remove(path);
      known = made.devices().stream().filter(node -> isAtOrBelow(node.path(), path)).toList();
    }
    for (SpecDevice node : known) {
      nodes.remove(node.path());
    }
    return known;
  }

  private static boolean isAtOrBelow(String node, String path) {
    return Path.of(node).startsWith(path);
  }

  /**
   * The rules that it was made with, without what has gone now or before, then those of all that it
   * holds.
   */
  void allow(List<DeviceAllocation> held, List<SpecDevice> gone) throws IOException {
    if (container.config().getLinux().getSecurityContext().getPrivileged()) {
      return;
    }
    List<SpecDeviceRule> rules = new ArrayList<>(made.rules());
    withdrawn.addNodes(
        container.id(),
        gone.stream().filter(node -> rules.stream().anyMatch(rule -> isFor(rule, node))).toList());
    rules.removeIf(rule -> withdrawn.covers(container.id(), rule));
    for (DeviceAllocation allocation : held) {
      for (DeviceSpec wanted : allocation.getResponse().getDevicesList()) {
        for (SpecDevice node : AnswerApplication.presentNodes(wanted)) {
          rules.add(SpecDeviceRule.allow(node, AnswerApplication.access(wanted)));
        }
      }
    }
    access.deviceRules(container.id(), rules);
  }

  private static boolean isFor(SpecDeviceRule rule, SpecDevice node) {
    return rule.equals(SpecDeviceRule.allow(node, rule.access()));
  }
}
