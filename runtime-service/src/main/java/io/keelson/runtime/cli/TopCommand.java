package io.keelson.runtime.cli;

import io.keelson.proto.cri.v1.ContainerStats;
import io.keelson.proto.cri.v1.ListContainerStatsRequest;
import io.keelson.proto.cri.v1.ListPodSandboxStatsRequest;
import java.time.Duration;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code keelson top}. */
@Command(
    name = "top",
    description = "Shows what containers, or pods, use, again and again until Ctrl-C.")
final class TopCommand extends ClientCommand {

  private static final String CLEAR = "\033[H\033[2J";

  @Option(
      names = {"-p", "--pods"},
      description = "Pods, with their network and processes.")
  private boolean pods;

  @Option(
      names = {"-d", "--delay"},
      paramLabel = "SECONDS",
      description = "How long to wait between two looks. Default: 2.")
  private int delay = 2;

  @Option(
      names = {"-n", "--count"},
      paramLabel = "COUNT",
      description = "How many looks; 0 for no end. Default: 0.")
  private int count;

  TopCommand(Terminal terminal) {
    super(terminal);
  }

  @Override
  int run(CriClient daemon) throws InterruptedException {
    if (delay < 1 || count < 0) {
      throw CommandException.usage("a delay is at least one second, a count at least 0");
    }
    for (int i = 0; count == 0 || i < count; i++) {
      if (i > 0) {
        Thread.sleep(Duration.ofSeconds(delay));
      }
      Table table = look(daemon);
      if (terminal().interactive()) {
        terminal().out().print(CLEAR);
      }
      table.print(terminal().out());
      terminal().out().flush();
    }
    return ExitCode.OK;
  }

  private Table look(CriClient daemon) {
    if (pods) {
      return UsageTable.ofPods(
          daemon
              .runtime()
              .listPodSandboxStats(ListPodSandboxStatsRequest.getDefaultInstance())
              .getStatsList());
    }
    List<ContainerStats> stats =
        daemon
            .runtime()
            .listContainerStats(ListContainerStatsRequest.getDefaultInstance())
            .getStatsList();
    return UsageTable.ofContainers(stats);
  }
}
