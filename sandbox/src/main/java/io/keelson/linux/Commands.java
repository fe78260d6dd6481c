package io.keelson.linux;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Runs short helper programs to their end. Safe for use by many threads. */
public final class Commands {

  private Commands() {}

  /**
   * What a program printed and how it ended.
   *
   * @param exitCode or 128 and the signal that ended it
   * @param stdout at most the bytes asked for, the rest was dropped; the same for {@code stderr}
   */
  @SuppressWarnings("ArrayRecordComponent") // output may be large and is never compared
  public record Output(int exitCode, byte[] stdout, byte[] stderr) {

    public boolean isSuccess() {
      return exitCode == 0;
    }

    public String stdoutText() {
      return new String(stdout, StandardCharsets.UTF_8);
    }

    public String stderrText() {
      return new String(stderr, StandardCharsets.UTF_8);
    }
  }

  /**
   * Runs a command in a session of its own and waits for its end and its output. Processes that it
   * leaves behind with its output open are not waited for, except a tenth of a second for the rest
   * of the output.
   *
   * <p>A virtual thread gives up its carrier to a thread made for this call; called on {@link
   * KernelThreads} it runs there, which saves the making of one.
   *
   * @param env the whole environment
   * @param stdin what it can read
   * @param timeout after which it is killed with all of its process group
   * @param maxOutput how many bytes are kept of each of stdout and stderr
   * @throws CommandTimeoutException after {@code timeout}
   * @throws ErrnoException if it can't be started
   */
  public static Output run(
      List<String> command, Map<String, String> env, byte[] stdin, Duration timeout, int maxOutput)
      throws IOException {
    return run(command, env, stdin, timeout, maxOutput, null);
  }

  /**
   * As {@link #run(List, Map, byte[], Duration, int)}, for a command that waits for processes of
   * its own which the timeout is really meant for.
   *
   * @param beforeKill called at the timeout; the command has a second from then to end by itself
   */
  public static Output run(
      List<String> command,
      Map<String, String> env,
      byte[] stdin,
      Duration timeout,
      int maxOutput,
      @Nullable BeforeKill beforeKill)
      throws IOException {
    return PlatformThread.call(
        "command",
        () -> {
          try (CommandRun run = new CommandRun(command, env, stdin, timeout, maxOutput)) {
            return run.complete(beforeKill);
          }
        });
  }

  /** What is done at a timeout before the command is killed. */
  @FunctionalInterface
  public interface BeforeKill {

    /**
     * @param pid of the command
     */
    void accept(int pid) throws IOException;
  }
}
