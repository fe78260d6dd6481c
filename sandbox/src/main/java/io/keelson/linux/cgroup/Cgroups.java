package io.keelson.linux.cgroup;

import io.keelson.linux.DiskActivity;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/**
 * What can be done to a control group. A group is named by its path below the root of every
 * hierarchy, {@code /a/b}; an operation works in all hierarchies of the host alike. Safe for use by
 * many threads. Nothing here ever waits longer than the duration that it is given.
 */
public interface Cgroups {

  /** {@link CgroupLayout#V2}, or {@link CgroupLayout#V1} also where a v2 hierarchy is beside it. */
  CgroupLayout layout();

  /**
   * Makes the group and what is missing above it. Harmless if it is there. On version 2 its
   * controllers are all that the host has, on version 1 its processors and memory nodes are those
   * of its parent.
   *
   * @return the groups that were made (not their folders), outermost first: whoever undoes this
   *     removes them in reverse
   */
  List<String> create(String group) throws IOException;

  /** Moves a process, with its threads, into a group that is there. */
  void enter(String group, int pid) throws IOException;

  /** True if any hierarchy has it. */
  boolean exists(String group);

  /**
   * Removes the group and the groups below it. Harmless if it is not there.
   *
   * @param timeout how long to try again while the kernel calls it busy
   * @throws IOException naming the folder and the processes in it, if it is still busy then
   */
  void remove(String group, Duration timeout) throws IOException;

  /** The processes in the group and the groups below it; none if it is not there. */
  Set<Integer> processes(String group) throws IOException;

  /**
   * Kills all processes in the group and the groups below it, also those that are started
   * meanwhile, and waits until they are gone. This process itself is spared.
   *
   * @return false if some are left after {@code timeout}, in an uninterruptible wait perhaps
   */
  boolean killAll(String group, Duration timeout) throws IOException;

  /**
   * How many processes of this group itself, not of groups below it where the kernel tells them
   * apart, the kernel has killed for want of memory. 0 if the group is not there or has no memory
   * controller.
   */
  long oomKills(String group) throws IOException;

  /**
   * The same of this group and those below it together, also those that are gone since. Empty if
   * the group is not there, and on version 1, which keeps no such count.
   */
  OptionalLong oomKillsOfTree(String group) throws IOException;

  /** What the group has used so far; empty if it is not there. Costs about twenty small reads. */
  Optional<CgroupUsage> usage(String group) throws IOException;

  /** The group's huge pages by size; empty without the controller. */
  List<CgroupUsage.HugePages> hugePages(String group) throws IOException;

  /**
   * What the group has had of block devices whose scheduler keeps it by group, which few kernels'
   * do, and none's on version 2.
   */
  List<DiskActivity> diskActivity(String group) throws IOException;

  /**
   * The folder in which a group has the files of a controller ({@code memory}, {@code cpuacct}, …;
   * on version 2 the same for all). Empty if the host does not have the controller; the folder need
   * not exist.
   */
  Optional<Path> folder(String controller, String group);
}
