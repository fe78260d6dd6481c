package io.keelson.csi.driver;

import java.util.Locale;

/**
 * How a driver fared when it was last looked at.
 *
 * @param message what is wrong, {@code ""} if nothing is
 */
public record DriverHealth(State state, String message) {

  static final DriverHealth UNKNOWN = new DriverHealth(State.UNKNOWN, "");
  static final DriverHealth READY = new DriverHealth(State.READY, "");

  /** In one word. */
  public enum State {
    /** Not looked at yet. */
    UNKNOWN,
    READY,
    /** It answers that it is not ready yet. */
    STARTING,
    /** It does not answer. */
    UNREACHABLE,
    /** It answers that something is wrong with it. */
    UNHEALTHY;

    public String word() {
      return name().toLowerCase(Locale.ROOT);
    }
  }
}
