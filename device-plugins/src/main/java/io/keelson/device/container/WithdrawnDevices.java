package io.keelson.device.container;

import io.keelson.device.record.KeyedRecords;
import io.keelson.proto.record.v1.WithdrawnDevice;
import io.keelson.proto.record.v1.WithdrawnFromContainer;
import io.keelson.proto.record.v1.WithdrawnNode;
import io.keelson.sandbox.spec.SpecDevice;
import io.keelson.sandbox.spec.SpecDeviceRule;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;

/**
 * What was taken from containers while they ran, for as long as they exist: what they were made
 * with tells no more what they have. Safe for use by many threads; one container has one writer at
 * a time.
 */
public final class WithdrawnDevices {

  private final KeyedRecords<WithdrawnFromContainer> records;

  private WithdrawnDevices(KeyedRecords<WithdrawnFromContainer> records) {
    this.records = records;
  }

  /** Reads what an earlier life of the daemon knew. */
  public static WithdrawnDevices open(Path folder) throws IOException {
    return new WithdrawnDevices(
        KeyedRecords.open(
            folder, WithdrawnFromContainer.parser(), WithdrawnFromContainer::getContainerId));
  }

  private WithdrawnFromContainer of(String containerId) {
    return records
        .find(containerId)
        .orElseGet(() -> WithdrawnFromContainer.newBuilder().setContainerId(containerId).build());
  }

  /**
   * A caller has these detached. To come before the first step, for whoever asks again since the
   * daemon was killed before it could answer: until they are out, only who holds them counts.
   */
  void addDevices(String containerId, String resource, Collection<String> ids) throws IOException {
    WithdrawnFromContainer before = of(containerId);
    List<WithdrawnDevice> added =
        ids.stream()
            .map(id -> WithdrawnDevice.newBuilder().setResource(resource).setDeviceId(id).build())
            .filter(device -> !before.getDevicesList().contains(device))
            .toList();
    if (!added.isEmpty()) {
      var _ = records.put(before.toBuilder().addAllDevices(added).build());
    }
  }

  /**
   * Whether all of these have been detached.
   *
   * @param ids empty to ask whether any of the resource was
   */
  boolean hasDevices(String containerId, String resource, Collection<String> ids) {
    List<String> detached =
        of(containerId).getDevicesList().stream()
            .filter(device -> device.getResource().equals(resource))
            .map(WithdrawnDevice::getDeviceId)
            .toList();
    return ids.isEmpty() ? !detached.isEmpty() : detached.containsAll(ids);
  }

  /** The container's rules of access to these nodes hold no more. */
  void addNodes(String containerId, Collection<SpecDevice> nodes) throws IOException {
    WithdrawnFromContainer before = of(containerId);
    List<WithdrawnNode> added = new ArrayList<>();
    for (SpecDevice node : nodes) {
      WithdrawnNode one =
          WithdrawnNode.newBuilder()
              .setType(node.kind().letter())
              .setMajor(node.major())
              .setMinor(node.minor())
              .build();
      if (!before.getNodesList().contains(one) && !added.contains(one)) {
        added.add(one);
      }
    }
    if (!added.isEmpty()) {
      var _ = records.put(before.toBuilder().addAllNodes(added).build());
    }
  }

  /** Whether the rule is for a node of {@link #addNodes}. */
  boolean covers(String containerId, SpecDeviceRule rule) {
    return of(containerId).getNodesList().stream()
        .anyMatch(
            node ->
                rule.allow()
                    && rule.kind().letter().equals(node.getType())
                    && Long.valueOf(node.getMajor()).equals(rule.major())
                    && Long.valueOf(node.getMinor()).equals(rule.minor()));
  }

  /** The container is gone. */
  void forget(String containerId) throws IOException {
    if (records.find(containerId).isPresent()) {
      records.remove(of(containerId));
    }
  }

  void forgetAllBut(Set<String> containerIds) throws IOException {
    for (WithdrawnFromContainer withdrawn : records.all()) {
      if (!containerIds.contains(withdrawn.getContainerId())) {
        records.remove(withdrawn);
      }
    }
  }
}
