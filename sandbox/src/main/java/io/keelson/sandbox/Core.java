package io.keelson.sandbox;

import io.keelson.linux.BootId;
import io.keelson.linux.cgroup.Cgroups;
import io.keelson.proto.record.v1.CheckpointRecord;
import io.keelson.proto.record.v1.ContainerPhase;
import io.keelson.proto.record.v1.ContainerRecord;
import io.keelson.proto.record.v1.SandboxRecord;
import io.keelson.sandbox.RecordStore.Durability;
import io.keelson.sandbox.event.EventHub;
import io.keelson.sandbox.port.Isolator;
import io.keelson.sandbox.port.Launcher;
import io.keelson.sandbox.port.PodExtension;
import io.keelson.sandbox.port.PodNetwork;
import io.keelson.sandbox.port.Provisioner;
import java.io.IOException;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;

/**
 * What the operations on pods and containers share: the ports, the records and their index in
 * memory. Safe for use by many threads.
 */
final class Core {

  private final SandboxSettings settings;
  private final Launcher launcher;
  private final List<Isolator> isolators;
  private final List<PodExtension> podExtensions;
  private final Provisioner provisioner;
  private final PodNetwork network;
  private final PodCgroups cgroups;
  private final PodHolder holder;
  private final FaultPoints faults;
  private final Events events;
  private final SecureRandom random = new SecureRandom();
  private final String bootId;
  private final Index<PodEntry> pods = new Index<>("pod sandbox");
  private final ContainerIndex containers = new ContainerIndex();
  private final RecordStore<SandboxRecord> podRecords;
  private final RecordStore<ContainerRecord> containerRecords;
  private final RecordStore<CheckpointRecord> checkpointRecords;

  Core(
      SandboxSettings settings,
      Launcher launcher,
      NodeRuntime.IsolatorFactory isolators,
      List<PodExtension> podExtensions,
      Provisioner provisioner,
      PodNetwork network,
      Cgroups cgroups,
      PodHolder holder,
      FaultPoints faults,
      EventHub hub)
      throws IOException {
    this.settings = settings;
    this.launcher = launcher;
    this.isolators = List.copyOf(isolators.create(this::initOf));
    this.podExtensions = List.copyOf(podExtensions);
    this.provisioner = provisioner;
    this.network = network;
    this.cgroups = new PodCgroups(cgroups, settings.cgroupDriver());
    this.holder = holder;
    this.faults = faults;
    this.events = new Events(hub, this);
    this.bootId = BootId.current();
    this.podRecords =
        new RecordStore<>(settings.root().resolve("sandboxes"), SandboxRecord.parser());
    this.containerRecords =
        new RecordStore<>(settings.root().resolve("containers"), ContainerRecord.parser());
    this.checkpointRecords =
        new RecordStore<>(settings.root().resolve("checkpoints"), CheckpointRecord.parser());
  }

  SandboxSettings settings() {
    return settings;
  }

  Launcher launcher() {
    return launcher;
  }

  List<Isolator> isolators() {
    return isolators;
  }

  List<PodExtension> podExtensions() {
    return podExtensions;
  }

  Provisioner provisioner() {
    return provisioner;
  }

  PodNetwork network() {
    return network;
  }

  PodCgroups cgroups() {
    return cgroups;
  }

  PodHolder holder() {
    return holder;
  }

  Events events() {
    return events;
  }

  Index<PodEntry> pods() {
    return pods;
  }

  ContainerIndex containers() {
    return containers;
  }

  RecordStore<SandboxRecord> podRecords() {
    return podRecords;
  }

  RecordStore<ContainerRecord> containerRecords() {
    return containerRecords;
  }

  /** Of checkpoints that are being taken. */
  RecordStore<CheckpointRecord> checkpointRecords() {
    return checkpointRecords;
  }

  String bootId() {
    return bootId;
  }

  String newId() {
    return Names.newId(random);
  }

  void reached(String step) {
    faults.reached(step);
  }

  /** Nanoseconds since the epoch. */
  static long now() {
    Instant now = Instant.now();
    return TimeUnit.SECONDS.toNanos(now.getEpochSecond()) + now.getNano();
  }

  /** Writes the record and then lets readers see it. */
  void save(PodEntry pod, SandboxRecord next, Durability durability) throws IOException {
    podRecords.save(pod.id(), next, durability);
    pod.record(next);
  }

  /** Writes the record and then lets readers see it. */
  void save(ContainerEntry container, ContainerRecord next, Durability durability)
      throws IOException {
    containerRecords.save(container.id(), next, durability);
    commit(container, next);
  }

  /** Lets readers see a record, whoever listens hear of it, and whoever waits for an end go on. */
  void commit(ContainerEntry container, ContainerRecord next) {
    ContainerPhase before = container.phase();
    container.record(next);
    events.changed(before, next);
    container.releaseWaiters();
  }

  PodEntry podOf(ContainerEntry container) {
    return pods.get(container.record().getSandboxId());
  }

  private OptionalInt initOf(String sandboxId, String containerId) {
    return containers.find(containerId).stream()
        .filter(target -> target.record().getSandboxId().equals(sandboxId))
        .filter(target -> target.phase() == ContainerPhase.CONTAINER_PHASE_RUNNING)
        .mapToInt(target -> target.record().getInit().getPid())
        .findFirst();
  }
}
