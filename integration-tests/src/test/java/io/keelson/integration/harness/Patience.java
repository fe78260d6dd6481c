package io.keelson.integration.harness;

import java.time.Duration;

/** How long tests wait for what must come: on a slow machine longer. */
public final class Patience {

  /** How many times slower than an ordinary host this one is; an emulated one is, very much. */
  private static final int SLOWNESS = Integer.getInteger("keelson.slowness", 1);

  private Patience() {}

  /** So long, on an ordinary host. */
  public static Duration ofSeconds(long seconds) {
    return Duration.ofSeconds(seconds * SLOWNESS);
  }
}
