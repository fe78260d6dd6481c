package io.keelson.linux.cgroup;

import io.keelson.linux.Pidfd;
import io.keelson.linux.ProcessId;
import io.keelson.linux.Signals;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/** Processes that were sent SIGKILL, to be waited for. For one thread. */
final class Killed implements AutoCloseable {

  private final List<Pidfd> processes = new ArrayList<>();

  /** Kills them but for this process itself. */
  void addAll(Collection<Integer> pids) throws IOException {
    long self = ProcessHandle.current().pid();
    for (int pid : pids) {
      if (pid == self) {
        continue;
      }
      Optional<ProcessId> process = ProcessId.of(pid);
      Optional<Pidfd> pidfd =
          process.isPresent() ? Pidfd.openWithZombies(process.get()) : Optional.empty();
      if (pidfd.isPresent()) {
        processes.add(pidfd.get());
        pidfd.get().signal(Signals.SIGKILL);
      }
    }
  }

  /** Waits until all have ended, {@code timeout} at most. */
  void await(Duration timeout) throws IOException {
    long deadline = System.nanoTime() + timeout.toNanos();
    for (Pidfd process : processes) {
      if (!process.await(Duration.ofNanos(deadline - System.nanoTime()))) {
        return;
      }
    }
  }

  @Override
  public void close() {
    processes.forEach(Pidfd::close);
  }
}
