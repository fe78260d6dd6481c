package io.keelson.runtime.daemon;

import io.keelson.sandbox.FaultPoints;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * For tests of recovery: ends the process at a step of an operation, as SIGKILL would. No
 * configuration switches it on, only the environment of the daemon.
 */
final class HaltAtStep implements FaultPoints {

  /** The variable that names the step: {@code OPERATION:STEP[:N]}, at the N-th time. */
  static final String VARIABLE = "KEELSON_FAULT_POINT";

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
      Runtime.getRuntime().halt(KILLED);
    }
  }
}
