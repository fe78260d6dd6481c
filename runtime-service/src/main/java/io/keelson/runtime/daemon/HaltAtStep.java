package io.keelson.runtime.daemon;

import io.keelson.sandbox.FaultPoints;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * For tests of recovery: ends the process at a step of an operation, as SIGKILL would. No
 * configuration switches it on, only the environment of the daemon.
 */
final class HaltAtStep implements FaultPoints {

  /**
   * The variable that names the step: {@code OPERATION:STEP[:N]}, at the N-th time; or, as
   * {@code @FILE}, the file that names it, which may come, change and go while the daemon runs.
   */
  static final String VARIABLE = "KEELSON_FAULT_POINT";

  private static final String FILE = "@";
  private static final Pattern FORM = Pattern.compile("(.+?)(?::([0-9]{1,6}))?");
  private static final int KILLED = 137;

  private final String step;
  private final AtomicInteger left;

  private HaltAtStep(String step, int count) {
    this.step = step;
    this.left = new AtomicInteger(count);
  }

  /** What the variable says; nothing happens without it. */
  static FaultPoints of(@Nullable String value) {
    if (value == null || value.isBlank()) {
      return FaultPoints.NONE;
    }
    if (value.startsWith(FILE)) {
      Path file = Path.of(value.substring(FILE.length()));
      return reached -> {
        if (reached.equals(content(file))) {
          halt();
        }
      };
    }
    Matcher matcher = FORM.matcher(value.strip());
    if (!matcher.matches()) {
      throw new IllegalArgumentException(VARIABLE + "=" + value);
    }
    String count = matcher.group(2);
    return new HaltAtStep(matcher.group(1), count == null ? 1 : Integer.parseInt(count));
  }

  @Override
  public void reached(String reached) {
    if (reached.equals(step) && left.decrementAndGet() == 0) {
      halt();
    }
  }

  private static String content(Path file) {
    try {
      return Files.readString(file);
    } catch (NoSuchFileException e) {
      return "";
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void halt() {
    Runtime.getRuntime().halt(KILLED);
  }
}
