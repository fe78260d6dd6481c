package io.keelson.linux;

import com.sun.jna.Memory;
import com.sun.jna.Native;
import io.keelson.linux.Commands.BeforeKill;
import io.keelson.linux.Commands.Output;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * One run of a helper program: a single thread feeds it, drains it and waits for it, all by
 * poll(2).
 */
final class CommandRun implements AutoCloseable {

  private static final int STDIN = 0;
  private static final int STDOUT = 1;
  private static final int STDERR = 2;
  private static final int CHILD = 3;

  private static final int BUFFER = 16 * 1024;
  private static final int PIPE_CAPACITY = 64 * 1024;
  private static final Duration GRACE = Duration.ofMillis(100);
  private static final Duration KILL_PATIENCE = Duration.ofSeconds(1);

  private final List<String> command;
  private final byte[] stdin;
  private final Duration timeout;
  private final int maxOutput;
  private final Duration grace;
  private final long started = System.nanoTime();

  private final Pipes pipes = new Pipes();
  private final Spawned child;
  private final ByteArrayOutputStream stdout = new ByteArrayOutputStream(0);
  private final ByteArrayOutputStream stderr = new ByteArrayOutputStream(0);
  private int written;

  CommandRun(
      List<String> command, Map<String, String> env, byte[] stdin, Duration timeout, int maxOutput)
      throws IOException {
    this(command, env, stdin, timeout, maxOutput, GRACE);
  }

  /**
   * @param grace how long output is waited for after the command's end, while others hold it open
   */
  CommandRun(
      List<String> command,
      Map<String, String> env,
      byte[] stdin,
      Duration timeout,
      int maxOutput,
      Duration grace)
      throws IOException {
    this.grace = grace;
    this.command = List.copyOf(command);
    this.stdin = stdin;
    this.timeout = timeout;
    this.maxOutput = maxOutput;
    try {
      SpawnFiles files =
          SpawnFiles.none().fd(STDOUT, pipes.open(STDOUT, 1)).fd(STDERR, pipes.open(STDERR, 1));
      if (stdin.length > 0) {
        files = files.fd(STDIN, pipes.open(STDIN, 0));
      }
      child = Spawn.start(command, env, null, files, true);
    } catch (IOException | RuntimeException e) {
      pipes.close();
      throw e;
    }
    pipes.closeChildEnds();
  }

  /** Runs it to its end on the calling platform thread. */
  Output complete(@Nullable BeforeKill beforeKill) throws IOException {
    long deadline = started + timeout.toNanos();
    boolean ended = false;
    try (Memory polled = new Memory(4 * 8);
        Memory buffer = new Memory(BUFFER)) {
      while (!ended || pipes.isOpen(STDOUT) || pipes.isOpen(STDERR)) {
        long left = deadline - System.nanoTime();
        if (left <= 0) {
          if (!ended) {
            throw killed(beforeKill);
          }
          drainWhatIsThere(buffer);
          break;
        }
        if (!poll(polled, ended, left)) {
          continue;
        }
        for (int stream = STDOUT; stream <= STDERR; stream++) {
          if (isReady(polled, stream)) {
            drain(stream, buffer);
          }
        }
        if (isReady(polled, STDIN)) {
          feed(buffer);
        }
        if (!ended && isReady(polled, CHILD)) {
          ended = true;
          pipes.close(STDIN);
          // Who has inherited the output may hold it, and write, for ever.
          deadline = System.nanoTime() + grace.toNanos();
        }
      }
    }
    return new Output(child.await(), stdout.toByteArray(), stderr.toByteArray());
  }

  @Override
  public void close() throws IOException {
    pipes.close();
    if (child.reap().isPresent()) {
      child.close();
    } else {
      // Killed, but held up in the kernel: somebody has to wait for it, but not our caller.
      child.kill(Signals.SIGKILL);
      Thread.ofPlatform().daemon().name("reap-" + child.pid()).start(child::close);
    }
  }

  private CommandTimeoutException killed(@Nullable BeforeKill beforeKill) throws IOException {
    if (beforeKill != null) {
      beforeKill.accept(child.pid());
    }
    if (beforeKill == null || child.await(KILL_PATIENCE).isEmpty()) {
      child.kill(Signals.SIGKILL);
      OptionalInt ignored = child.await(KILL_PATIENCE);
    }
    String said = stderr.toString(StandardCharsets.UTF_8).strip();
    return new CommandTimeoutException(command, timeout, said);
  }

  /** False if a signal came or the time is over. */
  private boolean poll(Memory polled, boolean ended, long nanos) throws ErrnoException {
    for (int stream = STDIN; stream <= STDERR; stream++) {
      set(polled, stream, pipes.number(stream), stream == STDIN ? LibC.POLLOUT : LibC.POLLIN);
    }
    set(polled, CHILD, ended ? -1 : child.pidfd().fd().number(), LibC.POLLIN);
    int ready = LibC.poll(polled, 4, Poll.millisUp(nanos));
    if (ready < 0 && Native.getLastError() != Errno.EINTR) {
      throw LibC.failure("poll");
    }
    return ready > 0;
  }

  private static void set(Memory polled, int entry, int fd, short events) {
    polled.setInt(8L * entry, fd);
    polled.setShort(8L * entry + 4, events);
    polled.setShort(8L * entry + 6, (short) 0);
  }

  private static boolean isReady(Memory polled, int entry) {
    return polled.getShort(8L * entry + 6) != 0;
  }

  /** The grace may have passed while this thread did not run, with output still in the pipes. */
  private void drainWhatIsThere(Memory buffer) throws ErrnoException {
    for (int stream = STDOUT; stream <= STDERR; stream++) {
      for (int read = 0; read < PIPE_CAPACITY && pipes.isOpen(stream); read += BUFFER) {
        if (!drain(stream, buffer)) {
          break;
        }
      }
    }
  }

  /** Answers whether anything was there. */
  private boolean drain(int stream, Memory buffer) throws ErrnoException {
    long count = LibC.read(pipes.number(stream), buffer, BUFFER);
    if (count == 0) {
      pipes.close(stream);
    } else if (count > 0) {
      ByteArrayOutputStream kept = stream == STDOUT ? stdout : stderr;
      int room = (int) Math.min(count, maxOutput - kept.size());
      kept.write(buffer.getByteArray(0, room), 0, room);
    } else if (isRealError()) {
      throw LibC.failure("read(output of " + command + ")");
    }
    return count > 0;
  }

  private void feed(Memory buffer) throws ErrnoException {
    int chunk = Math.min(BUFFER, stdin.length - written);
    buffer.write(0, stdin, written, chunk);
    long count = LibC.write(pipes.number(STDIN), buffer, chunk);
    if (count >= 0) {
      written += (int) count;
    } else if (Native.getLastError() == Errno.EPIPE) {
      written = stdin.length; // it does not want to know
    } else if (isRealError()) {
      throw LibC.failure("write(input of " + command + ")");
    }
    if (written == stdin.length) {
      pipes.close(STDIN);
    }
  }

  private static boolean isRealError() {
    int errno = Native.getLastError();
    return errno != Errno.EINTR && errno != Errno.EAGAIN;
  }

  /** The pipes to the child: by stream, our end and the child's. */
  private static final class Pipes implements AutoCloseable {

    private final @Nullable Fd[] ours = new @Nullable Fd[3];
    private final @Nullable Fd[] childs = new @Nullable Fd[3];

    /** Answers the child's end, which is the given one of the pipe's two. */
    Fd open(int stream, int childEnd) throws ErrnoException {
      Fd[] ends = Fd.pipe();
      childs[stream] = ends[childEnd];
      ours[stream] = ends[1 - childEnd];
      ends[1 - childEnd].setNonBlocking();
      return ends[childEnd];
    }

    boolean isOpen(int stream) {
      return number(stream) >= 0;
    }

    /** -1 if it is closed, which poll(2) skips. */
    int number(int stream) {
      Fd fd = ours[stream];
      return fd == null ? -1 : fd.number();
    }

    void closeChildEnds() {
      closeAll(childs);
    }

    void close(int stream) {
      Fd fd = ours[stream];
      if (fd != null) {
        fd.close();
        ours[stream] = null;
      }
    }

    @Override
    public void close() {
      closeAll(ours);
      closeAll(childs);
    }

    private static void closeAll(@Nullable Fd[] fds) {
      for (int i = 0; i < fds.length; i++) {
        Fd fd = fds[i];
        if (fd != null) {
          fd.close();
          fds[i] = null;
        }
      }
    }
  }
}
