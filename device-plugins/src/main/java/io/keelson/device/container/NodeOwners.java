package io.keelson.device.container;

import io.keelson.device.container.DeviceAnnotations.Ownership;
import io.keelson.proto.deviceplugin.v1beta1.ContainerAllocateResponse;
import io.keelson.sandbox.port.ContainerContext;
import io.keelson.sandbox.spec.SpecUser;
import java.util.Optional;

/**
 * To whom device nodes belong in a container: as its annotations say, or its pod's, or the plugin
 * that gives them, or else to its user or to the owner on the host.
 *
 * @param fromUser to the container's user rather than to the owner on the host
 */
public record NodeOwners(boolean fromUser) {

  /** Owner and mode where they are not those of the node on the host. */
  Ownership of(ContainerContext container, ContainerAllocateResponse answer, SpecUser user) {
    Ownership named =
        DeviceAnnotations.ownership(container.config().getAnnotationsMap())
            .or(DeviceAnnotations.ownership(container.pod().config().getAnnotationsMap()))
            .or(DeviceAnnotations.ownership(answer.getAnnotationsMap()));
    return fromUser
        ? named.or(
            new Ownership(Optional.of(user.uid()), Optional.of(user.gid()), Optional.empty()))
        : named;
  }
}
