package io.keelson.runtime.cli;

import io.keelson.proto.cri.v1.ContainerStats;
import io.keelson.proto.cri.v1.ListContainerStatsRequest;
import io.keelson.proto.cri.v1.ListPodSandboxStatsRequest;
import io.keelson.proto.cri.v1.PodSandboxStats;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code keelson stats}. */
@Command(name = "stats", description = "Shows what containers, or pods, use now.")
final class StatsCommand extends ClientCommand {

  @Mixin private final OutputOptions output = new OutputOptions();

  @Option(
      names = {"-p", "--pods"},
      description = "Pods, with their network and processes.")
  private boolean pods;

  @Parameters(paramLabel = "NAME", arity = "0..*", description = "Only these; else all that run.")
  private List<String> names = List.of();

  StatsCommand(Terminal terminal) {
    super(terminal);
  }

  @Override
  int run(CriClient daemon) {
    if (pods) {
      List<PodSandboxStats> all =
          daemon
              .runtime()
              .listPodSandboxStats(ListPodSandboxStatsRequest.getDefaultInstance())
              .getStatsList();
      List<String> wanted = names.stream().map(name -> podId(daemon, name)).toList();
      List<PodSandboxStats> chosen =
          all.stream()
              .filter(s -> wanted.isEmpty() || wanted.contains(s.getAttributes().getId()))
              .toList();
      print(OutputOptions.json(chosen), UsageTable.ofPods(chosen));
    } else {
      List<ContainerStats> all =
          daemon
              .runtime()
              .listContainerStats(ListContainerStatsRequest.getDefaultInstance())
              .getStatsList();
      List<String> wanted =
          names.stream().map(name -> new Lookup(daemon).container(name).getId()).toList();
      List<ContainerStats> chosen =
          all.stream()
              .filter(s -> wanted.isEmpty() || wanted.contains(s.getAttributes().getId()))
              .toList();
      print(OutputOptions.json(chosen), UsageTable.ofContainers(chosen));
    }
    return ExitCode.OK;
  }

  private static String podId(CriClient daemon, String name) {
    if (new Lookup(daemon).target(name) instanceof Lookup.Target.OfPod found) {
      return found.pod().getId();
    }
    throw CommandException.notFound("no pod is called \"" + name + "\"");
  }

  private void print(String json, Table table) {
    if (output.isJson()) {
      terminal().out().println(json);
    } else {
      table.print(terminal().out());
    }
  }
}
