package io.keelson.linux;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * A process, told apart from any other that gets the same number later.
 *
 * @param pid its number in the daemon's PID namespace
 * @param startTime clock ticks from boot to its start (field 22 of {@code /proc/PID/stat}, proc(5))
 */
public record ProcessId(int pid, long startTime) {

  /** In the flags of {@code /proc/PID/stat} (field 9): its end has begun (linux/sched.h). */
  private static final long PF_EXITING = 0x4;

  /** The process that has this number now, a zombie too; empty if there is none. */
  public static Optional<ProcessId> of(int pid) {
    return Stat.read(pid).map(stat -> new ProcessId(pid, stat.startTime()));
  }

  /** True if this very process exists and is no zombie. */
  public boolean isAlive() {
    return Stat.read(pid)
        .filter(stat -> stat.startTime() == startTime && stat.state() != 'Z' && stat.state() != 'X')
        .isPresent();
  }

  /**
   * True if this very process runs and is not on its way out. One that ends is still alive for a
   * while, without namespaces and files: nothing can join it any more.
   */
  public boolean canBeEntered() {
    return Stat.read(pid)
        .filter(stat -> stat.startTime() == startTime && (stat.flags() & PF_EXITING) == 0)
        .isPresent();
  }

  private record Stat(char state, long flags, long startTime) {

    static Optional<Stat> read(int pid) {
      if (pid <= 0) {
        return Optional.empty();
      }
      String line;
      try {
        line =
            new String(
                Files.readAllBytes(Path.of("/proc/" + pid + "/stat")), StandardCharsets.ISO_8859_1);
      } catch (IOException gone) {
        return Optional.empty(); // ENOENT, or ESRCH when it went between open and read
      }
      // The second field is the command's name in parentheses and may hold anything, parentheses
      // too.
      String[] fields = line.substring(line.lastIndexOf(')') + 2).split(" ", -1);
      return Optional.of(
          new Stat(fields[0].charAt(0), Long.parseLong(fields[6]), Long.parseLong(fields[19])));
    }
  }
}
