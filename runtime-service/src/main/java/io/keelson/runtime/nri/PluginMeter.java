package io.keelson.runtime.nri;

import java.time.Duration;

/**
 * Counts what plugins are asked. Safe for use by many threads; must not block.
 *
 * <p>The plugin is named {@code NN-name}, the call as in the contract ({@code CreateContainer}).
 */
public interface PluginMeter {

  /** Counts nothing. */
  PluginMeter NONE = (plugin, call, time, outcome) -> {};

  /** How a call ended. */
  enum Outcome {
    /** The plugin answered. */
    ANSWERED,
    /** The plugin answered with an error. */
    REFUSED,
    /** The plugin did not answer in time, or went away: it was disconnected. */
    LOST
  }

  /** One call of one plugin has ended. */
  void called(String plugin, String call, Duration time, Outcome outcome);
}
