package io.keelson.sandbox;

import io.keelson.linux.NamespaceType;
import io.keelson.proto.cri.v1.NamespaceMode;
import io.keelson.proto.cri.v1.NamespaceOption;
import io.keelson.proto.cri.v1.PodSandboxConfig;
import io.keelson.proto.record.v1.SandboxPhase;
import io.keelson.proto.record.v1.SandboxRecord;
import io.keelson.sandbox.port.PodContext;
import io.keelson.sandbox.port.PodUserNamespace;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * A pod sandbox in memory: the record as last written, and the lock of its state changes.
 * Containers are made and started under the read lock, the pod itself is changed under the write
 * lock; who only wants to know reads {@link #record} and takes neither.
 */
final class PodEntry {

  private final String id;
  private final String name;
  private final ReadWriteLock lock = new ReentrantReadWriteLock();
  private volatile Snapshot<SandboxRecord> snapshot;

  PodEntry(SandboxRecord record) {
    this.id = record.getId();
    this.name = Names.sandbox(record.getConfig().getMetadata());
    this.snapshot = new Snapshot<>(record, PodViews::item);
  }

  String id() {
    return id;
  }

  SandboxRecord record() {
    return snapshot.record();
  }

  Snapshot<SandboxRecord> snapshot() {
    return snapshot;
  }

  void record(SandboxRecord next) {
    snapshot = new Snapshot<>(next, PodViews::item);
  }

  PodSandboxConfig config() {
    return record().getConfig();
  }

  SandboxPhase phase() {
    return record().getPhase();
  }

  boolean isReady() {
    return phase() == SandboxPhase.SANDBOX_PHASE_READY;
  }

  ReadWriteLock lock() {
    return lock;
  }

  String name() {
    return name;
  }

  static NamespaceOption namespaceOptions(PodSandboxConfig config) {
    return config.getLinux().getSecurityContext().getNamespaceOptions();
  }

  static boolean hostNetwork(PodSandboxConfig config) {
    return namespaceOptions(config).getNetwork() == NamespaceMode.NODE;
  }

  static boolean hostIpc(PodSandboxConfig config) {
    return namespaceOptions(config).getIpc() == NamespaceMode.NODE;
  }

  /**
   * The namespaces that the daemon makes and pins for a pod like this. A pod on the host's network
   * keeps its host name.
   */
  static Map<NamespaceType, Path> pins(
      SandboxSettings settings, String id, PodSandboxConfig config) {
    Map<NamespaceType, Path> pins = new EnumMap<>(NamespaceType.class);
    Path folder = settings.sandboxState(id).resolve("ns");
    if (!hostNetwork(config)) {
      pins.put(NamespaceType.NET, settings.netnsDirectory().resolve("keelson-" + id));
      pins.put(NamespaceType.UTS, folder.resolve("uts"));
    }
    if (PodUserNamespace.isWanted(config)) {
      pins.put(NamespaceType.USER, folder.resolve("user"));
    }
    if (!hostIpc(config)) {
      pins.put(NamespaceType.IPC, folder.resolve("ipc"));
    }
    return pins;
  }

  /** As the caller gave it, with the resources as updates have changed them. */
  static PodSandboxConfig configInForce(SandboxRecord record) {
    PodSandboxConfig config = record.getConfig();
    if (!record.hasResources()) {
      return config;
    }
    return config.toBuilder()
        .setLinux(
            config.getLinux().toBuilder()
                .setOverhead(record.getOverhead())
                .setResources(record.getResources()))
        .build();
  }

  PodContext context(SandboxSettings settings) {
    SandboxRecord current = record();
    Map<NamespaceType, Path> namespaces = pins(settings, id, current.getConfig());
    if (current.hasHolder()) {
      namespaces.put(
          NamespaceType.PID, Path.of("/proc/" + current.getHolder().getPid() + "/ns/pid"));
    }
    return new PodContext(
        id,
        configInForce(current),
        settings.handlerOrDefault(current.getRuntimeHandler()),
        settings.sandboxState(id),
        namespaces,
        current.getAddressesList());
  }
}
