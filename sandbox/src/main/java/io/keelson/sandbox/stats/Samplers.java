package io.keelson.sandbox.stats;

import io.keelson.linux.Disk;
import io.keelson.linux.DiskActivity;
import io.keelson.linux.FileSystemSpace;
import io.keelson.linux.MountInfo;
import io.keelson.linux.cgroup.Cgroups;
import io.keelson.linux.tree.Trees;
import io.keelson.sandbox.port.Provisioner;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** All that is measured, each kind by its own sampler. Safe for use by many threads. */
final class Samplers {

  /** How long a caller waits for all measures together that are dear. */
  static final Duration LIST_PATIENCE = Duration.ofMillis(100);

  static final Duration ONE_PATIENCE = Duration.ofSeconds(2);

  private final StatsSource source;
  private final GroupSampler groups;
  private final NetworkSampler networks = new NetworkSampler();
  private final DearSampler<Trees.Usage> layers;
  private final DearSampler<ProcessFigures> processes;
  private final Path layerMountPoint;
  private final String layerDevice;
  private final Optional<Disk> layerDisk;

  /**
   * @param root where writable layers are kept
   */
  Samplers(StatsSource source, Cgroups cgroups, Provisioner provisioner, Path root)
      throws IOException {
    this.source = source;
    this.groups = new GroupSampler(cgroups);
    this.layers =
        new DearSampler<>("a writable layer", container -> provisioner.usage(container.id()));
    this.processes =
        new DearSampler<>(
            "processes", container -> Optional.of(ProcessFigures.read(cgroups, container)));
    Optional<MountInfo> mount = MountInfo.containing(root);
    this.layerMountPoint = mount.map(MountInfo::mountPoint).orElse(root);
    this.layerDevice = mount.map(MountInfo::source).orElse("");
    this.layerDisk = mount.isPresent() ? Disk.of(mount.get()) : Optional.empty();
  }

  GroupSampler groups() {
    return groups;
  }

  NetworkSampler networks() {
    return networks;
  }

  DearSampler<Trees.Usage> layers() {
    return layers;
  }

  DearSampler<ProcessFigures> processes() {
    return processes;
  }

  Path layerMountPoint() {
    return layerMountPoint;
  }

  String layerDevice() {
    return layerDevice;
  }

  /** False if the writable layers are in memory, or on the network. */
  boolean haveLayerDisk() {
    return layerDisk.isPresent();
  }

  /** What the disk below the writable layers has done, for the whole host. */
  Optional<DiskActivity> layerDiskActivity() {
    try {
      return layerDisk.isPresent() ? layerDisk.get().activity() : Optional.empty();
    } catch (IOException _) { // a host that hides it
      return Optional.empty();
    }
  }

  Optional<FileSystemSpace> layerSpace() {
    try {
      return Optional.of(FileSystemSpace.of(layerMountPoint));
    } catch (IOException _) { // unmounted meanwhile
      return Optional.empty();
    }
  }

  /**
   * What was sampled of pods and containers that are gone; not at each call, since that is dear.
   */
  void forgetTheGone() {
    List<StatsSource.Container> running = source.running();
    List<StatsSource.Pod> pods = source.pods();
    if (groups.size() < 64 + 2 * (running.size() + pods.size())) {
      return;
    }
    groups.retain(
        Stream.concat(
                running.stream().map(StatsSource.Container::group),
                pods.stream().map(StatsSource.Pod::group))
            .collect(Collectors.toSet()));
    Set<String> ids = running.stream().map(StatsSource.Container::id).collect(Collectors.toSet());
    layers.retain(ids);
    processes.retain(ids);
    networks.retain(pods.stream().flatMap(pod -> pod.netns().stream()).collect(Collectors.toSet()));
  }
}
