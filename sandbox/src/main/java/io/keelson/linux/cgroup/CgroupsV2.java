package io.keelson.linux.cgroup;

import io.keelson.linux.DiskActivity;
import io.keelson.linux.cgroup.CgroupFolders.Deadline;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The unified hierarchy (the kernel's admin-guide/cgroup-v2). */
final class CgroupsV2 implements Cgroups {

  private static final Logger LOG = LoggerFactory.getLogger(CgroupsV2.class);
  private static final Duration FIRST_PAUSE = Duration.ofNanos(200_000);
  private static final Duration LAST_PAUSE = Duration.ofMillis(10);

  private final Path root;

  CgroupsV2(Path root) {
    this.root = root;
  }

  @Override
  public CgroupLayout layout() {
    return CgroupLayout.V2;
  }

  @Override
  public List<String> create(String group) throws IOException {
    CgroupFolders.check(group);
    List<String> made = new ArrayList<>();
    Path parent = root;
    for (String each : CgroupFolders.chain(group)) {
      delegate(parent);
      parent = resolve(each);
      try {
        Files.createDirectory(parent);
        made.add(each);
      } catch (FileAlreadyExistsException e) {
        // As wanted.
      }
    }
    return made;
  }

  /**
   * Lets the groups below this one have all of its controllers, one by one: a controller that can't
   * be given on (threads of a realtime policy, processes in this very group) must not keep back the
   * others.
   */
  private static void delegate(Path folder) throws IOException {
    Set<String> missing = controllers(folder.resolve("cgroup.controllers"));
    missing.removeAll(controllers(folder.resolve("cgroup.subtree_control")));
    for (String controller : missing) {
      try {
        CgroupFolders.write(folder.resolve("cgroup.subtree_control"), "+" + controller);
      } catch (IOException e) {
        LOG.atDebug()
            .addKeyValue("cgroup", folder)
            .addKeyValue("controller", controller)
            .log("controller is not given on to the groups below: {}", e.getMessage());
      }
    }
  }

  private static Set<String> controllers(Path file) throws IOException {
    String text = CgroupFolders.read(file).orElse("").strip();
    return text.isEmpty() ? new TreeSet<>() : new TreeSet<>(List.of(text.split(" ", -1)));
  }

  @Override
  public void enter(String group, int pid) throws IOException {
    CgroupFolders.enter(resolve(group), pid);
  }

  @Override
  public boolean exists(String group) {
    return Files.isDirectory(resolve(group));
  }

  @Override
  public void remove(String group, Duration timeout) throws IOException {
    CgroupFolders.check(group);
    CgroupFolders.remove(resolve(group), new Deadline(timeout));
  }

  @Override
  public Set<Integer> processes(String group) throws IOException {
    Set<Integer> result = new TreeSet<>();
    CgroupFolders.addProcesses(resolve(group), result);
    return result;
  }

  @Override
  public boolean killAll(String group, Duration timeout) throws IOException {
    CgroupFolders.check(group);
    Deadline deadline = new Deadline(timeout);
    Path kill = resolve(group).resolve("cgroup.kill");
    Duration pause = FIRST_PAUSE;
    boolean again = false;
    for (Set<Integer> left = processes(group);
        !CgroupFolders.isEmpty(left);
        left = processes(group)) {
      boolean atOnce = Files.exists(kill) && !left.contains((int) ProcessHandle.current().pid());
      if (atOnce) {
        CgroupFolders.write(kill, "1");
      }
      // The file is not there before Linux 5.14, and passes over a process whose first thread has
      // ended.
      if (!atOnce || again) {
        try (Killed killed = new Killed()) {
          killed.addAll(left);
        }
      }
      again = true;
      if (deadline.isOver()) {
        return false;
      }
      pause = deadline.sleep(pause, LAST_PAUSE);
    }
    return true;
  }

  @Override
  public long oomKills(String group) throws IOException {
    Path folder = resolve(group);
    Optional<String> events = CgroupFolders.read(folder.resolve("memory.events.local"));
    if (events.isEmpty()) {
      events = CgroupFolders.read(folder.resolve("memory.events")); // Linux before 5.2
    }
    return CgroupFolders.value(events.orElse(""), "oom_kill");
  }

  @Override
  public OptionalLong oomKillsOfTree(String group) throws IOException {
    Path folder = resolve(group);
    Optional<String> events = CgroupFolders.read(folder.resolve("memory.events"));
    if (events.isEmpty() && !Files.isDirectory(folder)) {
      return OptionalLong.empty();
    }
    return OptionalLong.of(CgroupFolders.value(events.orElse(""), "oom_kill"));
  }

  @Override
  public Optional<CgroupUsage> usage(String group) throws IOException {
    Path folder = resolve(group);
    CgroupUsage usage = UsageV2.read(folder);
    // A group that went meanwhile would look like one that has used nothing.
    return Files.isDirectory(folder) ? Optional.of(usage) : Optional.empty();
  }

  @Override
  public List<CgroupUsage.HugePages> hugePages(String group) throws IOException {
    return HugePageFiles.read(resolve(group), "current", null, "events");
  }

  @Override
  public List<DiskActivity> diskActivity(String group) {
    return List.of();
  }

  @Override
  public Optional<Path> folder(String controller, String group) {
    return Optional.of(resolve(group));
  }

  private Path resolve(String group) {
    return root.resolve(group.substring(1));
  }
}
