package io.keelson.sandbox.launch;

import io.keelson.linux.DetachedMount;
import io.keelson.linux.Errno;
import io.keelson.linux.ErrnoException;
import io.keelson.linux.Pidfd;
import io.keelson.linux.ProcessId;
import io.keelson.linux.Signals;
import io.keelson.linux.Threads;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Queue;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;

/**
 * On version 1 a hierarchy of the daemon's own, without a controller and mounted nowhere. Groups
 * below the container's would not do: runtimes want them in every hierarchy, where they cost a
 * millisecond, hold memory long after they are gone, and stand in the way of changes to the
 * container's processors. A runtime moves what it starts within the hierarchies that it finds
 * mounted, so in this one the command stays where the thread was that started the runtime.
 */
final class ExecGroupsV1 implements ExecGroups {

  private static final int MOUNT_ATTEMPTS = 100;
  private static final Duration FIRST_PAUSE = Duration.ofNanos(200_000);
  private static final Duration LAST_PAUSE = Duration.ofMillis(20);

  private final DetachedMount hierarchy;
  private final Path own;
  private final AtomicLong numbers = new AtomicLong();
  private final Queue<Path> leftovers = new ConcurrentLinkedQueue<>();

  private ExecGroupsV1(DetachedMount hierarchy, Path own) {
    this.hierarchy = hierarchy;
    this.own = own;
  }

  /**
   * @param name of the hierarchy; daemons that use the same one don't get into each other's way
   */
  static ExecGroupsV1 open(String name) throws IOException {
    Map<String, String> parameters = new LinkedHashMap<>();
    parameters.put("none", "");
    parameters.put("name", name);
    DetachedMount hierarchy = mount(parameters);
    try {
      Path root = hierarchy.path();
      sweepDead(root);
      ProcessId self =
          ProcessId.of((int) ProcessHandle.current().pid())
              .orElseThrow(() -> new IOException("/proc has no entry of this process"));
      Path own = root.resolve(self.pid() + "-" + self.startTime() + "-" + System.nanoTime());
      Files.createDirectory(own);
      return new ExecGroupsV1(hierarchy, own);
    } catch (IOException e) {
      hierarchy.close();
      throw e;
    }
  }

  /** The kernel takes a moment to forget a hierarchy of this name that was closed just now. */
  private static DetachedMount mount(Map<String, String> parameters) throws IOException {
    for (int attempt = 1; ; attempt++) {
      try {
        return DetachedMount.of("cgroup", parameters);
      } catch (ErrnoException e) {
        if (!e.is(Errno.EBUSY) || attempt == MOUNT_ATTEMPTS) {
          throw e;
        }
        sleep(LAST_PAUSE);
      }
    }
  }

  /** What daemons that are no more have left empty. */
  private static void sweepDead(Path root) throws IOException {
    for (Path daemon : folders(root)) {
      String[] name = daemon.getFileName().toString().split("-", -1);
      ProcessId owner = new ProcessId(Integer.parseInt(name[0]), Long.parseLong(name[1]));
      if (!owner.isAlive()) {
        folders(daemon).forEach(ExecGroupsV1::tryRemove);
        tryRemove(daemon);
      }
    }
  }

  private static List<Path> folders(Path folder) throws IOException {
    try (Stream<Path> entries = Files.list(folder)) {
      return entries.filter(Files::isDirectory).toList();
    }
  }

  /** False while there are processes in it, or a thread of this process that is just ending. */
  private static boolean tryRemove(Path folder) {
    try {
      Files.deleteIfExists(folder);
      return true;
    } catch (IOException busy) {
      return false;
    }
  }

  @Override
  public ExecGroup make(String containerGroup) throws IOException {
    for (int i = leftovers.size(); i > 0; i--) {
      Path leftover = leftovers.poll();
      if (leftover != null && !tryRemove(leftover)) {
        leftovers.add(leftover);
      }
    }
    Path folder = own.resolve(Long.toString(numbers.incrementAndGet()));
    Files.createDirectory(folder);
    return new Group(folder);
  }

  @Override
  public void close() {
    leftovers.forEach(ExecGroupsV1::tryRemove);
    tryRemove(own);
    hierarchy.close();
  }

  private final class Group implements ExecGroup {

    private final Path folder;

    Group(Path folder) {
      this.folder = folder;
    }

    @Override
    public List<String> runtimeOptions() {
      return List.of();
    }

    @Override
    public void enter() throws IOException {
      Files.writeString(
          folder.resolve("tasks"), "0", StandardCharsets.UTF_8, StandardOpenOption.WRITE);
    }

    @Override
    public boolean killAll(OptionalInt spared, Duration timeout) throws IOException {
      long deadline = System.nanoTime() + timeout.toNanos();
      Duration pause = FIRST_PAUSE;
      for (Set<Integer> left = processes(spared); !left.isEmpty(); left = processes(spared)) {
        for (int pid : left) {
          Optional<ProcessId> process = ProcessId.of(pid);
          if (process.isPresent()) {
            Pidfd.signal(process.get(), Signals.SIGKILL);
          }
        }
        if (System.nanoTime() - deadline >= 0) {
          return false;
        }
        sleep(pause);
        pause = pause.multipliedBy(2);
      }
      return true;
    }

    /** Without this process, whose thread may be in it. */
    private Set<Integer> processes(OptionalInt spared) throws IOException {
      Set<Integer> result = new TreeSet<>();
      try {
        Files.readString(folder.resolve("cgroup.procs"), StandardCharsets.UTF_8)
            .lines()
            .map(Integer::valueOf)
            .forEach(result::add);
      } catch (NoSuchFileException e) {
        return result;
      }
      result.remove((int) ProcessHandle.current().pid());
      spared.ifPresent(result::remove);
      result.remove(0); // of another pid namespace: not ours to kill
      return result;
    }

    @Override
    public void close() {
      if (!tryRemove(folder)) {
        leftovers.add(folder);
      }
    }
  }

  private static void sleep(Duration pause) throws InterruptedIOException {
    try {
      Thread.sleep(pause.compareTo(LAST_PAUSE) < 0 ? pause : LAST_PAUSE);
    } catch (InterruptedException e) {
      throw Threads.interrupted("interrupted while waiting for a control group", e);
    }
  }
}
