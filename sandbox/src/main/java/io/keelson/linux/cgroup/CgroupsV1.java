package io.keelson.linux.cgroup;

import io.keelson.linux.DiskActivity;
import io.keelson.linux.cgroup.CgroupFolders.Deadline;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;

/**
 * A hierarchy for each controller (the kernel's admin-guide/cgroup-v1); on a hybrid host the one of
 * version 2 goes along with them.
 */
final class CgroupsV1 implements Cgroups {

  private static final Duration LONGEST_WAIT = Duration.ofMillis(20);

  private final List<CgroupHierarchy> hierarchies;

  CgroupsV1(List<CgroupHierarchy> hierarchies) {
    this.hierarchies = List.copyOf(hierarchies);
  }

  @Override
  public CgroupLayout layout() {
    return CgroupLayout.V1;
  }

  @Override
  public List<String> create(String group) throws IOException {
    CgroupFolders.check(group);
    Set<String> made = new LinkedHashSet<>();
    for (String each : CgroupFolders.chain(group)) {
      for (CgroupHierarchy hierarchy : hierarchies) {
        Path folder = hierarchy.resolve(each);
        try {
          Files.createDirectory(folder);
          made.add(each);
        } catch (FileAlreadyExistsException e) {
          continue;
        }
        if (hierarchy.controllers().contains("cpuset")) {
          inheritCpuset(folder);
        }
      }
    }
    return List.copyOf(made);
  }

  /**
   * A new group of this controller has no processor and no memory node, and so can't hold a
   * process.
   */
  private static void inheritCpuset(Path folder) throws IOException {
    Path parent = Objects.requireNonNull(folder.getParent());
    for (String file : List.of("cpuset.cpus", "cpuset.mems")) {
      String own = CgroupFolders.read(folder.resolve(file)).orElse("").strip();
      String parents = CgroupFolders.read(parent.resolve(file)).orElse("").strip();
      if (own.isEmpty() && !parents.isEmpty()) {
        CgroupFolders.write(folder.resolve(file), parents);
      }
    }
  }

  @Override
  public void enter(String group, int pid) throws IOException {
    for (CgroupHierarchy hierarchy : hierarchies) {
      CgroupFolders.enter(hierarchy.resolve(group), pid);
    }
  }

  @Override
  public boolean exists(String group) {
    return hierarchies.stream().anyMatch(hierarchy -> Files.isDirectory(hierarchy.resolve(group)));
  }

  @Override
  public void remove(String group, Duration timeout) throws IOException {
    CgroupFolders.check(group);
    Deadline deadline = new Deadline(timeout);
    IOException failure = null;
    for (CgroupHierarchy hierarchy : hierarchies) {
      try {
        CgroupFolders.remove(hierarchy.resolve(group), deadline);
      } catch (IOException e) {
        if (failure == null) {
          failure = e;
        } else {
          failure.addSuppressed(e);
        }
      }
    }
    if (failure != null) {
      throw failure;
    }
  }

  @Override
  public Set<Integer> processes(String group) throws IOException {
    Set<Integer> result = new TreeSet<>();
    for (CgroupHierarchy hierarchy : hierarchies) {
      CgroupFolders.addProcesses(hierarchy.resolve(group), result);
    }
    return result;
  }

  /**
   * Nearly always all are gone after one pass. Who is not has been started meanwhile, and further
   * passes freeze the group: frozen processes can neither fork nor end, so one pass finds them all;
   * they die when they thaw. Freezing is tried, not waited for: it never ends with a process in an
   * uninterruptible wait.
   */
  @Override
  public boolean killAll(String group, Duration timeout) throws IOException {
    CgroupFolders.check(group);
    Deadline deadline = new Deadline(timeout);
    boolean freezes = false;
    for (Set<Integer> left = processes(group);
        !CgroupFolders.isEmpty(left);
        left = processes(group)) {
      boolean frozen =
          freezes
              && !left.contains((int) ProcessHandle.current().pid())
              && freezer(group, "FROZEN");
      try (Killed killed = new Killed()) {
        try {
          killed.addAll(frozen ? processes(group) : left);
        } finally {
          // Also one that somebody else froze: a frozen process does not die.
          freezer(group, "THAWED");
        }
        killed.await(deadline.within(LONGEST_WAIT));
      }
      if (deadline.isOver()) {
        return false;
      }
      freezes = true;
    }
    return true;
  }

  private boolean freezer(String group, String state) throws IOException {
    Optional<Path> folder = folder("freezer", group);
    if (folder.isEmpty() || !Files.isDirectory(folder.get())) {
      return false;
    }
    for (Path each : CgroupFolders.subtree(folder.get())) {
      try {
        CgroupFolders.write(each.resolve("freezer.state"), state);
      } catch (IOException e) {
        if (Files.isDirectory(each)) {
          throw e;
        }
      }
    }
    return true;
  }

  @Override
  public long oomKills(String group) throws IOException {
    Optional<Path> folder = folder("memory", group);
    if (folder.isEmpty()) {
      return 0;
    }
    String text = CgroupFolders.read(folder.get().resolve("memory.oom_control")).orElse("");
    return CgroupFolders.value(text, "oom_kill");
  }

  @Override
  public OptionalLong oomKillsOfTree(String group) {
    return OptionalLong.empty();
  }

  @Override
  public Optional<CgroupUsage> usage(String group) throws IOException {
    Optional<Path> unified =
        hierarchies.stream()
            .filter(hierarchy -> hierarchy.version() == 2)
            .map(hierarchy -> hierarchy.resolve(group))
            .findFirst();
    CgroupUsage usage = new UsageV1(controller -> folder(controller, group), unified).read();
    // A group that went meanwhile would look like one that has used nothing.
    return folder("memory", group).filter(Files::isDirectory).map(_ -> usage);
  }

  @Override
  public List<CgroupUsage.HugePages> hugePages(String group) throws IOException {
    Optional<Path> folder = folder("hugetlb", group);
    return folder.isPresent()
        ? HugePageFiles.read(folder.get(), "usage_in_bytes", "max_usage_in_bytes", "failcnt")
        : List.of();
  }

  @Override
  public List<DiskActivity> diskActivity(String group) throws IOException {
    Optional<Path> folder = folder("blkio", group);
    return folder.isPresent() ? BlkioV1.activity(folder.get()) : List.of();
  }

  @Override
  public Optional<Path> folder(String controller, String group) {
    return hierarchies.stream()
        .filter(hierarchy -> hierarchy.version() == 1)
        .filter(hierarchy -> hierarchy.controllers().contains(controller))
        .map(hierarchy -> hierarchy.resolve(group))
        .findFirst();
  }
}
