package io.keelson.sandbox;

import com.google.protobuf.ByteString;
import io.keelson.proto.cri.v1.Container;
import io.keelson.proto.cri.v1.ContainerFilter;
import io.keelson.proto.cri.v1.ContainerResources;
import io.keelson.proto.cri.v1.ContainerState;
import io.keelson.proto.cri.v1.ContainerStatus;
import io.keelson.proto.cri.v1.ContainerUser;
import io.keelson.proto.cri.v1.ImageSpec;
import io.keelson.proto.record.v1.ContainerPhase;
import io.keelson.proto.record.v1.ContainerRecord;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * What callers see of containers, made from memory without a lock. Safe for use by many threads.
 */
final class ContainerViews {

  private final Core core;

  ContainerViews(Core core) {
    this.core = core;
  }

  /** Newest first. */
  List<Container> list(ContainerFilter filter) {
    return listed(filter).map(shown -> item(shown.record())).toList();
  }

  /** The same, each item serialised. */
  List<ByteString> listSerialized(ContainerFilter filter) {
    return listed(filter).map(Snapshot::item).toList();
  }

  private Stream<Snapshot<ContainerRecord>> listed(ContainerFilter filter) {
    return core.containers().all().stream()
        .map(ContainerEntry::snapshot)
        .filter(shown -> matches(filter, shown.record()))
        .sorted((a, b) -> Long.compare(b.record().getCreatedAt(), a.record().getCreatedAt()));
  }

  ContainerStatus status(ContainerEntry container) {
    ContainerRecord record = container.record();
    ContainerStatus.Builder status =
        ContainerStatus.newBuilder()
            .setId(record.getId())
            .setMetadata(record.getConfig().getMetadata())
            .setState(state(record))
            .setCreatedAt(record.getCreatedAt())
            .setStartedAt(record.getStartedAt())
            .setFinishedAt(record.getFinishedAt())
            .setExitCode(record.getExitCode())
            .setImage(image(record))
            .setImageRef(record.getImageRef())
            .setImageId(record.getImageId())
            .setReason(record.getReason())
            .setMessage(record.getMessage())
            .putAllLabels(record.getConfig().getLabelsMap())
            .putAllAnnotations(record.getConfig().getAnnotationsMap())
            .addAllMounts(record.getMountsList())
            .setResources(ContainerResources.newBuilder().setLinux(container.resources()))
            .setUser(ContainerUser.newBuilder().setLinux(record.getUser()))
            .setStopSignal(StopSignal.toProto(record.getStopSignal()));
    core.pods()
        .find(record.getSandboxId())
        .flatMap(pod -> ContainerLog.path(pod.config(), record.getConfig()))
        .ifPresent(log -> status.setLogPath(log.toString()));
    return status.build();
  }

  /**
   * What a person debugging wants to know besides, and tools: of what other runtimes say they read
   * {@code sandboxID}, {@code pid} and {@code runtimeSpec}.
   */
  Map<String, Object> details(ContainerEntry container) {
    ContainerRecord record = container.record();
    Path bundle = core.settings().bundle(record.getId());
    Map<String, Object> details = new LinkedHashMap<>();
    details.put("sandboxID", record.getSandboxId());
    details.put("pid", record.getInit().getPid());
    details.put("phase", record.getPhase().name());
    details.put("cgroup", record.getCgroup());
    details.put("bundle", bundle.toString());
    details.put("config", record.getConfig());
    try {
      String spec = Files.readString(bundle.resolve(CreateContainer.SPEC_FILE));
      details.put("runtimeSpec", InfoJson.parsed(spec));
    } catch (IOException _) {
      // Gone with a reboot, as the process is.
    }
    return details;
  }

  private static boolean matches(ContainerFilter filter, ContainerRecord record) {
    return (filter.getId().isEmpty() || record.getId().startsWith(filter.getId()))
        && (filter.getPodSandboxId().isEmpty()
            || record.getSandboxId().startsWith(filter.getPodSandboxId()))
        && (!filter.hasState() || state(record) == filter.getState().getState())
        && record
            .getConfig()
            .getLabelsMap()
            .entrySet()
            .containsAll(filter.getLabelSelectorMap().entrySet());
  }

  static Container item(ContainerRecord record) {
    return Container.newBuilder()
        .setId(record.getId())
        .setPodSandboxId(record.getSandboxId())
        .setMetadata(record.getConfig().getMetadata())
        .setImage(record.getConfig().getImage())
        .setImageRef(record.getImageRef())
        .setImageId(record.getImageId())
        .setState(state(record))
        .setCreatedAt(record.getCreatedAt())
        .putAllLabels(record.getConfig().getLabelsMap())
        .putAllAnnotations(record.getConfig().getAnnotationsMap())
        .build();
  }

  private static ImageSpec image(ContainerRecord record) {
    return record.getConfig().getImage().toBuilder().setImage(record.getImageName()).build();
  }

  private static ContainerState state(ContainerRecord record) {
    ContainerPhase phase = record.getPhase();
    return switch (phase) {
      case CONTAINER_PHASE_CREATING, CONTAINER_PHASE_CREATED, CONTAINER_PHASE_STARTING ->
          ContainerState.CONTAINER_CREATED;
      case CONTAINER_PHASE_RUNNING -> ContainerState.CONTAINER_RUNNING;
      case CONTAINER_PHASE_EXITED, CONTAINER_PHASE_REMOVING -> ContainerState.CONTAINER_EXITED;
      case UNRECOGNIZED -> ContainerState.CONTAINER_UNKNOWN;
    };
  }
}
