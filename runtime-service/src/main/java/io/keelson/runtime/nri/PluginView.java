package io.keelson.runtime.nri;

import java.time.Duration;
import java.time.Instant;
import java.util.List;

/**
 * A plugin as people see it.
 *
 * @param index two digits
 * @param started it was started from the folder; else it connected to the socket
 * @param events that it hears of, by the contract's names
 * @param connected when it was let in
 * @param failures calls that it answered with an error or not at all
 * @param time spent waiting for its answers
 * @param lastCall empty if it was never called
 */
public record PluginView(
    String index,
    String name,
    boolean started,
    List<String> events,
    Instant connected,
    long calls,
    long failures,
    Duration time,
    String lastCall) {

  static PluginView of(Plugin plugin) {
    PluginStatistics statistics = plugin.statistics();
    return new PluginView(
        plugin.identity().index(),
        plugin.identity().name(),
        plugin.identity().origin() == PluginIdentity.Origin.STARTED,
        plugin.events(),
        statistics.connected(),
        statistics.calls(),
        statistics.failures(),
        statistics.time(),
        statistics.lastCall());
  }
}
