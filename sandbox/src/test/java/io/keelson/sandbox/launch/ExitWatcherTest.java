package io.keelson.sandbox.launch;

import static org.assertj.core.api.Assertions.assertThat;

import io.keelson.linux.Pidfd;
import io.keelson.linux.ProcessId;
import io.keelson.linux.Signals;
import io.keelson.sandbox.ExitSource.Exit;
import io.keelson.sandbox.port.LaunchRequest;
import io.keelson.sandbox.port.Launcher.Launched;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Every end of a container is told, and told once. */
class ExitWatcherTest {

  @TempDir Path folder;
  private final BlockingQueue<Exit> exits = new LinkedBlockingQueue<>();
  private LaunchLab lab;
  private ExitWatcher watcher;

  @BeforeEach
  void open() throws IOException {
    lab = new LaunchLab(folder);
    watcher = new ExitWatcher(folder.resolve("exits"), lab.watcher);
  }

  @AfterEach
  void close() throws IOException {
    watcher.close();
    lab.close();
  }

  private Launched started(LaunchRequest request) throws IOException {
    Launched launched = lab.launcher().create(request);
    lab.launcher().start(request.containerId(), request.handler());
    return launched;
  }

  private Exit next() throws InterruptedException {
    Exit exit = exits.poll(30, TimeUnit.SECONDS);
    assertThat(exit).isNotNull();
    return exit;
  }

  @Test
  void anExitIsToldOnceWithItsCodeAndTime() throws Exception {
    Instant before = Instant.now();
    LaunchRequest request = lab.request("crun", "/bin/sh", "-c", "exit 9");
    Launched launched = lab.launcher().create(request);
    watcher.watch(request.containerId(), Optional.of(launched), exits::add);
    lab.launcher().start(request.containerId(), request.handler());

    Exit exit = next();

    assertThat(exit.code()).hasValue(9);
    // The clock may be put right meanwhile.
    assertThat(Instant.ofEpochSecond(0, exit.timeNanos()))
        .isBetween(before.minusSeconds(10), Instant.now().plusSeconds(10));
    LaunchLab.until(() -> !launched.monitor().isAlive());
    assertThat(exits.poll(200, TimeUnit.MILLISECONDS)).isNull();
  }

  @Test
  void anExitThatCameWhileNoDaemonRanIsToldAtOnce() throws Exception {
    LaunchRequest request = lab.request("crun", "/bin/sh", "-c", "exit 5");
    Launched launched = started(request);
    LaunchLab.until(() -> !launched.monitor().isAlive());

    watcher.watch(request.containerId(), Optional.of(launched), exits::add);
    assertThat(next().code()).hasValue(5);
    watcher.watch(request.containerId(), Optional.empty(), exits::add);
    assertThat(next().code()).hasValue(5);
  }

  @Test
  void ifTheMonitorIsKilledTheEndIsThatOfInitAndItsCodeUnknown() throws Exception {
    LaunchRequest request = lab.request("crun", "/bin/sleep", "100");
    Launched launched = started(request);
    watcher.watch(request.containerId(), Optional.of(launched), exits::add);

    kill(launched.monitor());
    assertThat(exits.poll(300, TimeUnit.MILLISECONDS)).isNull();
    kill(launched.init());

    assertThat(next().code()).isEmpty();
    assertThat(exits.poll(200, TimeUnit.MILLISECONDS)).isNull();
  }

  @Test
  void withoutProcessesAndExitFileTheEndIsUnknown() throws Exception {
    watcher.watch(LaunchLab.id(), Optional.empty(), exits::add);

    assertThat(next().code()).isEmpty();
  }

  @Test
  void aDamagedExitFileIsAnEndOfUnknownCode() throws Exception {
    LaunchRequest request = lab.request("crun", "/bin/sleep", "100");
    watcher.watch(request.containerId(), Optional.of(started(request)), exits::add);

    Path unfinished = folder.resolve("unfinished");
    Files.writeString(unfinished, "not a code");
    Files.move(unfinished, request.exitFile(), StandardCopyOption.ATOMIC_MOVE);

    assertThat(next().code()).isEmpty();
  }

  @Test
  void nothingIsToldOfAContainerThatIsForgotten() throws Exception {
    LaunchRequest request = lab.request("crun", "/bin/sleep", "100");
    Launched launched = started(request);
    watcher.watch(request.containerId(), Optional.of(launched), exits::add);

    watcher.forget(request.containerId());
    kill(launched.init());

    LaunchLab.until(() -> !launched.monitor().isAlive());
    assertThat(exits.poll(200, TimeUnit.MILLISECONDS)).isNull();
  }

  private static void kill(ProcessId process) throws IOException {
    try (Pidfd pidfd = Pidfd.open(process).orElseThrow()) {
      pidfd.signal(Signals.SIGKILL);
    }
  }
}
