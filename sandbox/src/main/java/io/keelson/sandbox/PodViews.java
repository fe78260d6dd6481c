package io.keelson.sandbox;

import com.google.protobuf.ByteString;
import io.keelson.proto.cri.v1.ContainerStatus;
import io.keelson.proto.cri.v1.LinuxPodSandboxStatus;
import io.keelson.proto.cri.v1.Namespace;
import io.keelson.proto.cri.v1.PodIP;
import io.keelson.proto.cri.v1.PodSandbox;
import io.keelson.proto.cri.v1.PodSandboxFilter;
import io.keelson.proto.cri.v1.PodSandboxNetworkStatus;
import io.keelson.proto.cri.v1.PodSandboxState;
import io.keelson.proto.cri.v1.PodSandboxStatus;
import io.keelson.proto.record.v1.SandboxPhase;
import io.keelson.proto.record.v1.SandboxRecord;
import io.keelson.sandbox.spec.SpecBuilder;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/** What callers see of pods, made from memory without a lock. Safe for use by many threads. */
final class PodViews {

  private final Core core;
  private final ContainerViews containers;

  PodViews(Core core, ContainerViews containers) {
    this.core = core;
    this.containers = containers;
  }

  /** Newest first. */
  List<PodSandbox> list(PodSandboxFilter filter) {
    return listed(filter).map(shown -> item(shown.record())).toList();
  }

  /** The same, each item serialised. */
  List<ByteString> listSerialized(PodSandboxFilter filter) {
    return listed(filter).map(Snapshot::item).toList();
  }

  private Stream<Snapshot<SandboxRecord>> listed(PodSandboxFilter filter) {
    return core.pods().all().stream()
        .map(PodEntry::snapshot)
        .filter(shown -> matches(filter, shown.record()))
        .sorted((a, b) -> Long.compare(b.record().getCreatedAt(), a.record().getCreatedAt()));
  }

  PodSandboxStatus status(PodEntry pod) {
    SandboxRecord record = pod.record();
    return PodSandboxStatus.newBuilder()
        .setId(record.getId())
        .setMetadata(record.getConfig().getMetadata())
        .setState(state(record))
        .setCreatedAt(record.getCreatedAt())
        .setNetwork(network(record))
        .setLinux(
            LinuxPodSandboxStatus.newBuilder()
                .setNamespaces(
                    Namespace.newBuilder()
                        .setOptions(PodEntry.namespaceOptions(record.getConfig()))))
        .putAllLabels(record.getConfig().getLabelsMap())
        .putAllAnnotations(record.getConfig().getAnnotationsMap())
        .setRuntimeHandler(record.getRuntimeHandler())
        .build();
  }

  /**
   * The statuses of the pod's containers, the newest first: a kubelet with evented PLEG takes the
   * first of a name for its latest attempt, and would start it once more.
   */
  List<ContainerStatus> containerStatuses(PodEntry pod) {
    return core.containers().of(pod.id()).stream()
        .map(containers::status)
        .sorted(Comparator.comparingLong(ContainerStatus::getCreatedAt).reversed())
        .toList();
  }

  /** What a person debugging wants to know besides. */
  Map<String, Object> details(PodEntry pod) {
    SandboxRecord record = pod.record();
    Map<String, Object> details = new LinkedHashMap<>();
    details.put("phase", record.getPhase().name());
    details.put("pid", record.getHolder().getPid());
    details.put("namespaces", namespaces(pod));
    details.put("runtimeSpec", runtimeSpec(pod));
    details.put("cgroupParent", core.cgroups().parent(pod.id(), record.getConfig()));
    if (!record.getCniResult().isEmpty()) {
      details.put("cniResult", InfoJson.parsed(record.getCniResult()));
    }
    details.put("config", PodEntry.configInForce(record));
    return details;
  }

  /** Where tools look for a pod's network namespace; there is no more of a spec. */
  private Map<String, Object> runtimeSpec(PodEntry pod) {
    List<Map<String, String>> namespaces = new ArrayList<>();
    pod.context(core.settings())
        .namespaces()
        .forEach(
            (type, path) ->
                namespaces.add(Map.of("type", SpecBuilder.nameOf(type), "path", path.toString())));
    return Map.of("linux", Map.of("namespaces", namespaces));
  }

  private Map<String, String> namespaces(PodEntry pod) {
    Map<String, String> paths = new TreeMap<>();
    pod.context(core.settings())
        .namespaces()
        .forEach((type, path) -> paths.put(type.procName(), path.toString()));
    return paths;
  }

  private static boolean matches(PodSandboxFilter filter, SandboxRecord record) {
    return (filter.getId().isEmpty() || record.getId().startsWith(filter.getId()))
        && (!filter.hasState() || state(record) == filter.getState().getState())
        && record
            .getConfig()
            .getLabelsMap()
            .entrySet()
            .containsAll(filter.getLabelSelectorMap().entrySet());
  }

  static PodSandbox item(SandboxRecord record) {
    return PodSandbox.newBuilder()
        .setId(record.getId())
        .setMetadata(record.getConfig().getMetadata())
        .setState(state(record))
        .setCreatedAt(record.getCreatedAt())
        .putAllLabels(record.getConfig().getLabelsMap())
        .putAllAnnotations(record.getConfig().getAnnotationsMap())
        .setRuntimeHandler(record.getRuntimeHandler())
        .build();
  }

  /** A pod that is stopped has no address any more. */
  private static PodSandboxNetworkStatus network(SandboxRecord record) {
    PodSandboxNetworkStatus.Builder network = PodSandboxNetworkStatus.newBuilder();
    if (record.getPhase() == SandboxPhase.SANDBOX_PHASE_READY && record.getAddressesCount() > 0) {
      network.setIp(record.getAddresses(0));
      record.getAddressesList().stream()
          .skip(1)
          .forEach(address -> network.addAdditionalIps(PodIP.newBuilder().setIp(address)));
    }
    return network.build();
  }

  private static PodSandboxState state(SandboxRecord record) {
    return record.getPhase() == SandboxPhase.SANDBOX_PHASE_READY
        ? PodSandboxState.SANDBOX_READY
        : PodSandboxState.SANDBOX_NOTREADY;
  }
}
