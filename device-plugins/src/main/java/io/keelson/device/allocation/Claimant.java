package io.keelson.device.allocation;

import io.keelson.proto.record.v1.DeviceAllocation;

/**
 * Who gets devices: a container, a whole pod ({@code container} and {@code containerId} empty), or
 * a container that does not exist yet ({@code containerId} empty).
 */
public record Claimant(
    String podUid,
    String namespace,
    String podName,
    String sandboxId,
    String container,
    String containerId) {

  /** As people name it. */
  @Override
  public String toString() {
    String pod = namespace + "/" + podName;
    return container.isEmpty() ? "pod " + pod : "container " + container + " of pod " + pod;
  }

  /** The same for one that holds devices. */
  public static String name(DeviceAllocation allocation) {
    String pod = allocation.getPodNamespace() + "/" + allocation.getPodName();
    return allocation.getContainer().isEmpty() ? pod : pod + "/" + allocation.getContainer();
  }
}
