package io.keelson.linux.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.keelson.linux.MountInfo;
import io.keelson.linux.ProcessId;
import io.keelson.linux.Signals;
import io.keelson.linux.Spawn;
import io.keelson.linux.SpawnFiles;
import io.keelson.linux.Spawned;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Groups of this host, in each version that it has mounted. */
class CgroupsTest {

  /** exit(2), which perl has not, by its number on either architecture. */
  private static final String ITS_FIRST_THREAD_ENDS =
      "my $exit = `uname -m` =~ /aarch64/ ? 93 : 60;"
          + "threads->create(sub { sleep 100 })->detach; syscall($exit, 0)";

  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private final String top = "/keelson-test-" + ProcessHandle.current().pid();
  private final List<Cgroups> used = new ArrayList<>();
  private final List<Spawned> children = new ArrayList<>();

  /** The host's own layout, and on a hybrid one the v2 hierarchy alone. */
  static Stream<Cgroups> versions() throws IOException {
    Cgroups own = CgroupHost.detect().cgroups();
    Optional<Path> unified =
        MountInfo.read().stream()
            .filter(mount -> mount.type().equals("cgroup2"))
            .map(MountInfo::mountPoint)
            .findFirst();
    return own.layout() == CgroupLayout.V1 && unified.isPresent()
        ? Stream.of(own, new CgroupsV2(unified.get()))
        : Stream.of(own);
  }

  @AfterEach
  void removeAll() throws IOException {
    for (Cgroups cgroups : used) {
      cgroups.killAll(top, PATIENCE);
    }
    children.forEach(Spawned::close);
    for (Cgroups cgroups : used) {
      cgroups.remove(top, PATIENCE);
    }
  }

  @ParameterizedTest
  @MethodSource("versions")
  void createAnswersWhatItMadeAndRemoveTakesTheWholeTree(Cgroups cgroups) throws IOException {
    used.add(cgroups);

    assertThat(cgroups.create(top + "/a")).containsExactly(top, top + "/a");
    assertThat(cgroups.create(top + "/a/b")).containsExactly(top + "/a/b");
    assertThat(cgroups.create(top + "/a/b")).isEmpty();
    assertThat(cgroups.exists(top + "/a/b")).isTrue();

    cgroups.remove(top, PATIENCE);
    cgroups.remove(top, PATIENCE);

    assertThat(cgroups.exists(top)).isFalse();
  }

  @ParameterizedTest
  @MethodSource("versions")
  void killAllReachesProcessesOfGroupsBelowAndThoseThatFork(Cgroups cgroups) throws IOException {
    used.add(cgroups);
    cgroups.create(top + "/a/b");
    // Beside b: on version 2 a group with controllers below it can't hold processes itself.
    cgroups.create(top + "/a/c");
    // Each one of the loop starts children for ever.
    run(cgroups, top + "/a/c", "while :; do /bin/sleep 100 & /bin/sleep 0.001; done");
    run(cgroups, top + "/a/b", "exec /bin/sleep 100");
    assertThat(cgroups.processes(top)).hasSizeGreaterThanOrEqualTo(2);

    assertThat(cgroups.killAll(top, PATIENCE)).isTrue();

    assertThat(cgroups.processes(top)).isEmpty();
    cgroups.remove(top, PATIENCE);
    assertThat(cgroups.exists(top)).isFalse();
  }

  /** It looks like a zombie, and its other threads go on. */
  @ParameterizedTest
  @MethodSource("versions")
  void killAllReachesAProcessWhoseFirstThreadHasEnded(Cgroups cgroups) throws IOException {
    used.add(cgroups);
    cgroups.create(top + "/a");
    Spawned child =
        run(cgroups, top + "/a", "exec perl -Mthreads -e '" + ITS_FIRST_THREAD_ENDS + "'");
    ProcessId process = child.processId();
    for (int i = 0; i < 500 && process.isAlive(); i++) {
      LockSupport.parkNanos(10_000_000);
    }
    assertThat(process.isAlive()).as("looks alive").isFalse();
    assertThat(child.hasEnded()).isFalse();

    assertThat(cgroups.killAll(top, PATIENCE)).isTrue();
    assertThat(child.await(PATIENCE)).hasValue(128 + Signals.SIGKILL);
  }

  @ParameterizedTest
  @MethodSource("versions")
  void aProcessIsMovedInEachHierarchy(Cgroups cgroups) throws IOException {
    used.add(cgroups);
    cgroups.create(top + "/a");
    Spawned child =
        Spawn.start(List.of("/bin/sleep", "100"), Map.of(), null, SpawnFiles.none(), true);
    children.add(child);

    cgroups.enter(top + "/a", child.pid());

    for (String controller : List.of("cpu", "cpuset", "memory", "pids")) {
      Optional<Path> folder = cgroups.folder(controller, top + "/a").filter(Files::isDirectory);
      if (folder.isPresent()) {
        assertThat(folder.get().resolve("cgroup.procs")).hasContent(Integer.toString(child.pid()));
      }
    }
    assertThat(cgroups.killAll(top, PATIENCE)).isTrue();
    assertThat(child.await(PATIENCE)).hasValue(128 + Signals.SIGKILL);
  }

  @ParameterizedTest
  @MethodSource("versions")
  void aBusyGroupIsToldWithItsProcessesOnceTimeIsUp(Cgroups cgroups) throws IOException {
    used.add(cgroups);
    cgroups.create(top);
    int pid = run(cgroups, top, "exec /bin/sleep 100").pid();

    assertThatThrownBy(() -> cgroups.remove(top, Duration.ofMillis(30)))
        .isInstanceOf(IOException.class)
        .hasMessageContaining(top)
        .hasMessageContaining(Integer.toString(pid));
    assertThat(cgroups.processes(top)).contains(pid);
  }

  @ParameterizedTest
  @MethodSource("versions")
  void whatIsNotThereIsEmptyAndHarmless(Cgroups cgroups) throws IOException {
    assertThat(cgroups.processes(top)).isEmpty();
    assertThat(cgroups.killAll(top, PATIENCE)).isTrue();
    assertThat(cgroups.oomKills(top)).isZero();
    assertThat(cgroups.exists(top)).isFalse();
  }

  @ParameterizedTest
  @MethodSource("versions")
  void theRootAndPathsOutOfItAreRefused(Cgroups cgroups) {
    for (String group : List.of("/", "relative", "/a/../..", "")) {
      assertThatThrownBy(() -> cgroups.killAll(group, PATIENCE))
          .isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> cgroups.remove(group, PATIENCE))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  @ParameterizedTest
  @MethodSource("versions")
  void killsForWantOfMemoryAreCounted(Cgroups cgroups) throws IOException, InterruptedException {
    Path memory = cgroups.folder("memory", top).orElseThrow();
    used.add(cgroups);
    cgroups.create(top);
    Path limit =
        memory.resolve(
            cgroups.layout() == CgroupLayout.V2 ? "memory.max" : "memory.limit_in_bytes");
    assumeTrue(Files.exists(limit), "this hierarchy has the memory controller");
    Files.writeString(limit, Long.toString(4L << 20));
    assertThat(cgroups.oomKills(top)).isZero();

    Spawned hog =
        run(cgroups, top, "exec /bin/busybox dd if=/dev/zero of=/dev/null bs=64M count=1");

    assertThat(hog.await(PATIENCE)).hasValue(128 + 9);
    assertThat(cgroups.oomKills(top)).isEqualTo(1);
  }

  /** Starts a shell that waits until it is in the group. */
  private Spawned run(Cgroups cgroups, String group, String script) throws IOException {
    List<Path> folders =
        cgroups instanceof CgroupsV1
            ? Stream.of("memory", "freezer", "pids")
                .flatMap(controller -> cgroups.folder(controller, group).stream())
                .toList()
            : List.of(cgroups.folder("memory", group).orElseThrow());
    StringBuilder command = new StringBuilder();
    for (Path folder : folders) {
      command.append("echo $$ > ").append(folder).append("/cgroup.procs && ");
    }
    Path ready = Files.createTempFile("keelson-test", ".ready");
    command.append("echo r > ").append(ready).append(" && { ").append(script).append("; }");
    Spawned child =
        Spawn.start(
            List.of("/bin/sh", "-c", command.toString()),
            Map.of("PATH", "/bin:/usr/bin"),
            null,
            SpawnFiles.none(),
            true);
    children.add(child);
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (Files.size(ready) == 0 && System.nanoTime() < end) {
      try {
        Thread.sleep(10);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
    Files.delete(ready);
    return child;
  }
}
