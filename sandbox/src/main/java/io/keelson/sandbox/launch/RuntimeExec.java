package io.keelson.sandbox.launch;

import io.keelson.linux.Fd;
import io.keelson.linux.FdPoller;
import io.keelson.linux.PolledFd;
import io.keelson.linux.ProcessWatcher;
import io.keelson.linux.PseudoTerminal;
import io.keelson.linux.Spawn;
import io.keelson.linux.SpawnFiles;
import io.keelson.linux.Spawned;
import io.keelson.linux.Threads;
import io.keelson.linux.UnixSocket;
import io.keelson.sandbox.error.KeelsonException;
import io.keelson.sandbox.error.OperationFailedException;
import io.keelson.sandbox.port.ExecSession;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A command that the runtime's exec runs for somebody who talks to it. While nothing moves it costs
 * no thread; its end is seen, and its files go, also when nobody waits for it.
 */
final class RuntimeExec implements ExecSession {

  private static final Logger LOG = LoggerFactory.getLogger(RuntimeExec.class);

  private static final Duration OUTPUT_GRACE = Duration.ofMillis(100);

  /** What a pipe may hold (fcntl(2), F_SETPIPE_SZ, for who has no privilege). */
  private static final long OUTPUT_ON_ITS_WAY = 1 << 20;

  private static final Duration CONSOLE_POLL = Duration.ofMillis(100);

  private final String containerId;
  private final ExecFiles files;
  private final Spawned process;
  private final @Nullable PolledFd terminal;
  private final @Nullable PolledFd stdin;
  private final @Nullable PolledFd stdout;
  private final @Nullable PolledFd stderr;
  private final CompletableFuture<Integer> exit = new CompletableFuture<>();

  private RuntimeExec(
      String containerId,
      ExecFiles files,
      Spawned process,
      @Nullable PolledFd terminal,
      @Nullable PolledFd stdin,
      @Nullable PolledFd stdout,
      @Nullable PolledFd stderr) {
    this.containerId = containerId;
    this.files = files;
    this.process = process;
    this.terminal = terminal;
    this.stdin = stdin;
    this.stdout = stdout;
    this.stderr = stderr;
  }

  /** What a start needs of its surroundings. */
  record Start(
      String containerId,
      OciRuntime runtime,
      Path conmon,
      ExecFiles files,
      FdPoller poller,
      ProcessWatcher watcher) {

    RuntimeExec run(Wanted wanted) throws IOException {
      try {
        RuntimeExec exec;
        if (!wanted.terminal()) {
          exec = withPipes(wanted);
        } else if (runtime.sendsTerminals()) {
          exec = withTerminalSent();
        } else {
          exec = withTerminalFollowed();
        }
        watch(exec);
        return exec;
      } catch (IOException | RuntimeException e) {
        files.delete();
        throw e;
      }
    }

    /** A command whose end nobody would see goes no further, and keeps nothing open. */
    private void watch(RuntimeExec exec) throws IOException {
      try {
        watcher.watch(exec.process.processId(), exec::ended);
      } catch (IOException | RuntimeException e) {
        exec.close();
        exec.process.close();
        throw e;
      }
    }

    private RuntimeExec withPipes(Wanted wanted) throws IOException {
      try (ChildPipes pipes = new ChildPipes(poller)) {
        // Never the node's /dev/null: some runtimes give the command's user what it gets.
        PolledFd stdin = null;
        if (wanted.stdin()) {
          stdin = pipes.toChild(0);
        } else {
          pipes.nothingToChild(0);
        }
        PolledFd stdout = pipes.fromChild(1);
        PolledFd stderr = pipes.fromChild(2);
        Spawned process =
            Spawn.start(
                runtime.exec(
                    containerId, conmon, files.log(), files.pid(), List.of(), files.process()),
                OciRuntime.ENVIRONMENT,
                null,
                pipes.files(),
                true);
        pipes.started();
        if (!wanted.stdout()) {
          discard(stdout);
        }
        if (!wanted.stderr()) {
          discard(stderr);
        }
        return new RuntimeExec(containerId, files, process, null, stdin, stdout, stderr);
      }
    }

    private void discard(PolledFd output) {
      Thread.ofVirtual()
          .name("discard-" + containerId)
          .start(
              () -> {
                try {
                  output.input().transferTo(OutputStream.nullOutputStream());
                } catch (IOException e) {
                  LOG.atDebug().setCause(e).log("output that nobody wants has ended");
                }
              });
    }

    /** The runtime sends the master of the terminal that it has made in the container. */
    private RuntimeExec withTerminalSent() throws IOException {
      try (Fd listener = UnixSocket.listen(files.console())) {
        Spawned process =
            Spawn.start(
                runtime.execInTerminal(
                    containerId,
                    files.log(),
                    files.process(),
                    files.console().getFileName().toString()),
                OciRuntime.ENVIRONMENT,
                files.console().getParent(),
                SpawnFiles.none(),
                true);
        try {
          Optional<Fd> master = Optional.empty();
          while (master.isEmpty()) {
            // First whether it has ended: what it sent before is still there then.
            boolean ended = process.hasEnded();
            master = UnixSocket.receiveFd(listener, ended ? Duration.ZERO : CONSOLE_POLL);
            if (ended && master.isEmpty()) {
              throw files
                  .failure(containerId)
                  .orElseGet(
                      () ->
                          new OperationFailedException(
                              "the runtime gave no terminal to a command in container "
                                  + containerId));
            }
          }
          PolledFd terminal = poller.register(master.get());
          return new RuntimeExec(containerId, files, process, terminal, null, null, null);
        } catch (IOException | RuntimeException e) {
          process.close();
          throw e;
        }
      }
    }

    /** The runtime is run in a terminal, which the one in the container follows. */
    private RuntimeExec withTerminalFollowed() throws IOException {
      PseudoTerminal pair = PseudoTerminal.open();
      PolledFd terminal = poller.register(pair.master());
      try (Fd _ = pair.openSlave()) {
        SpawnFiles slave = SpawnFiles.none();
        for (int fd = 0; fd <= 2; fd++) {
          slave = slave.path(fd, pair.slave(), Fd.O_RDWR, 0);
        }
        Spawned process =
            Spawn.start(
                runtime.execInTerminal(containerId, files.log(), files.process(), ""),
                OciRuntime.ENVIRONMENT,
                null,
                slave,
                true);
        return new RuntimeExec(containerId, files, process, terminal, null, null, null);
      } catch (IOException | RuntimeException e) {
        terminal.close();
        throw e;
      }
    }
  }

  private void ended() {
    try {
      int code = process.await();
      process.close();
      for (PolledFd output : new @Nullable PolledFd[] {terminal, stdout, stderr}) {
        if (output != null) {
          output.endAfter(OUTPUT_GRACE, OUTPUT_ON_ITS_WAY);
        }
      }
      Optional<OperationFailedException> failure =
          code == 0 ? Optional.empty() : files.failure(containerId);
      files.delete();
      if (failure.isPresent()) {
        exit.completeExceptionally(failure.get());
      } else {
        exit.complete(code);
      }
    } catch (IOException | RuntimeException e) {
      LOG.atWarn()
          .setCause(e)
          .addKeyValue("container", containerId)
          .log("the end of a command could not be handled");
      exit.completeExceptionally(e);
    }
  }

  @Override
  public OutputStream stdin() {
    if (terminal != null) {
      return new TerminalInput(terminal.output());
    }
    return stdin != null ? stdin.output() : OutputStream.nullOutputStream();
  }

  @Override
  public InputStream stdout() {
    if (terminal != null) {
      return terminal.input();
    }
    return stdout != null ? stdout.input() : InputStream.nullInputStream();
  }

  @Override
  public InputStream stderr() {
    return stderr != null ? stderr.input() : InputStream.nullInputStream();
  }

  @Override
  public void resize(int columns, int rows) throws IOException {
    if (terminal != null) {
      terminal.resize(columns, rows);
    }
  }

  @Override
  public int await() throws IOException {
    try {
      return exit.get();
    } catch (InterruptedException e) {
      throw Threads.interrupted("interrupted while a command runs", e);
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case KeelsonException cause -> throw cause;
        case IOException cause -> throw cause;
        case null, default -> throw new IOException(e.getCause());
      }
    }
  }

  @Override
  public void close() {
    for (PolledFd fd : new @Nullable PolledFd[] {terminal, stdin, stdout, stderr}) {
      if (fd != null) {
        fd.close();
      }
    }
  }

  /** A terminal has one descriptor for both ways, which the end of the input must not close. */
  private static final class TerminalInput extends FilterOutputStream {

    TerminalInput(OutputStream terminal) {
      super(terminal);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      out.write(bytes, offset, length);
    }

    @Override
    public void close() {}
  }
}
