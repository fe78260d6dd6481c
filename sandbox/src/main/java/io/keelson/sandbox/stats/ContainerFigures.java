package io.keelson.sandbox.stats;

import io.keelson.linux.DiskActivity;
import io.keelson.linux.FileSystemSpace;
import io.keelson.linux.cgroup.CgroupUsage;
import io.keelson.linux.cgroup.CgroupUsage.HugePages;
import io.keelson.linux.tree.Trees;
import java.util.List;
import java.util.Optional;

/**
 * All that is known of a running container, for its metrics.
 *
 * @param ownDisks what the container has had of disks, where the kernel counts it
 * @param written over its image, if it was measured
 * @param processes if they were looked at
 * @param space of the file system that holds the writable layer
 * @param device of that file system
 * @param disk what that device has done, for the whole host
 */
record ContainerFigures(
    StatsSource.Container container,
    Sample sample,
    List<HugePages> hugePages,
    List<DiskActivity> ownDisks,
    Optional<Trees.Usage> written,
    Optional<ProcessFigures> processes,
    Optional<FileSystemSpace> space,
    String device,
    Optional<DiskActivity> disk) {

  CgroupUsage.Cpu cpu() {
    return sample.usage().cpu();
  }

  CgroupUsage.Memory memory() {
    return sample.usage().memory();
  }
}
