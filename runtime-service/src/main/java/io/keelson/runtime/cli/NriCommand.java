package io.keelson.runtime.cli;

import io.keelson.proto.node.v1.ListPluginsRequest;
import io.keelson.proto.node.v1.ListPluginsResponse;
import io.keelson.proto.node.v1.Plugin;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code keelson nri}. */
@Command(
    name = "nri",
    description = "Lists the plugins of the Node Resource Interface in the order of their calls.")
final class NriCommand extends ClientCommand {

  /** As many as there are events in the contract. */
  private static final int ALL_EVENTS = 14;

  @Mixin private final OutputOptions output = new OutputOptions();

  NriCommand(Terminal terminal) {
    super(terminal);
  }

  @Override
  int run(CriClient daemon) {
    ListPluginsResponse answer =
        daemon.plugins().listPlugins(ListPluginsRequest.getDefaultInstance());
    if (output.isJson()) {
      terminal().out().println(OutputOptions.json(answer));
    } else if (!answer.getEnabled()) {
      terminal().out().println("NRI is switched off: nri.enabled in the configuration");
    } else {
      print(answer);
    }
    return ExitCode.OK;
  }

  private void print(ListPluginsResponse answer) {
    Instant now = Instant.now();
    Table table =
        new Table(
            "INDEX", "NAME", "ORIGIN", "AGE", "CALLS", "FAILED", "MEAN", "LAST CALL", "EVENTS");
    for (Plugin plugin : answer.getPluginsList()) {
      table.row(
          plugin.getIndex(),
          plugin.getName(),
          plugin.getStarted() ? "started" : "connected",
          Units.ageOf(plugin.getConnectedAt(), now),
          Long.toString(plugin.getCalls()),
          Long.toString(plugin.getFailures()),
          mean(plugin),
          plugin.getLastCall(),
          events(plugin));
    }
    table.print(terminal().out());
  }

  private static String mean(Plugin plugin) {
    if (plugin.getCalls() == 0) {
      return "";
    }
    Duration mean = Duration.ofNanos(plugin.getNanoseconds() / plugin.getCalls());
    return String.format(Locale.ROOT, "%.1fms", mean.toNanos() / 1e6);
  }

  private static String events(Plugin plugin) {
    return plugin.getEventsCount() == ALL_EVENTS
        ? "all"
        : plugin.getEventsList().stream()
            .map(event -> event.toLowerCase(Locale.ROOT).replace('_', '-'))
            .collect(Collectors.joining(","));
  }
}
