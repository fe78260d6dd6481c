package io.keelson.sandbox;

import io.keelson.proto.record.v1.ContainerRecord;
import io.keelson.sandbox.port.ContainerContext;
import io.keelson.sandbox.port.ImageDescription;
import io.keelson.sandbox.port.LaunchRequest;
import io.keelson.sandbox.port.PodUserNamespace;
import java.util.Optional;

/** What the ports are told of a container, made from its record. Safe for use by many threads. */
final class Contexts {

  private final Core core;

  Contexts(Core core) {
    this.core = core;
  }

  ContainerContext of(ContainerEntry container) {
    ContainerRecord record = container.record();
    return new ContainerContext(
        container.id(),
        core.podOf(container).context(core.settings()),
        record.getConfig(),
        core.provisioner()
            .describe(record.getImageId())
            .orElseGet(() -> ImageDescription.unknown(record.getImageId())),
        core.provisioner().rootfs(container.id()),
        core.settings().bundle(container.id()),
        record.getCgroup());
  }

  LaunchRequest launchRequest(ContainerEntry container) {
    ContainerRecord record = container.record();
    Optional<PodEntry> pod = core.pods().find(record.getSandboxId());
    return new LaunchRequest(
        container.id(),
        core.settings().handler(record.getRuntimeHandler()),
        core.settings().bundle(container.id()),
        core.settings().exitFile(container.id()),
        pod.flatMap(known -> ContainerLog.path(known.config(), record.getConfig())),
        record.getConfig().getTty(),
        record.getConfig().getStdin(),
        record.getConfig().getStdinOnce(),
        record.getUser().getUid() != 0
            || pod.filter(known -> PodUserNamespace.isWanted(known.config())).isPresent(),
        record.getRestored()
            ? Optional.of(core.settings().restore(container.id()).resolve(CheckpointFiles.IMAGES))
            : Optional.empty());
  }
}
