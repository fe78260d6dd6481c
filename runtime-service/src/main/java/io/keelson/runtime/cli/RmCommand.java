package io.keelson.runtime.cli;

import io.keelson.proto.cri.v1.Container;
import io.keelson.proto.cri.v1.ContainerState;
import io.keelson.proto.cri.v1.PodSandbox;
import io.keelson.proto.cri.v1.RemoveContainerRequest;
import java.io.IOException;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code keelson rm}. */
@Command(
    name = "rm",
    description =
        "Removes containers that do not run, or pods with all their containers. The log of what"
            + " \"keelson run\" made goes too.")
final class RmCommand extends ClientCommand {

  @Option(
      names = {"-f", "--force"},
      description = "Kill what runs.")
  private boolean force;

  @Parameters(
      arity = "1..*",
      paramLabel = "NAME",
      description = "A pod or container: a name, an id or the beginning of an id.")
  private List<String> names = List.of();

  RmCommand(Terminal terminal) {
    super(terminal);
  }

  @Override
  int run(CriClient daemon) throws IOException {
    Lookup lookup = new Lookup(daemon);
    for (String name : names) {
      switch (lookup.target(name)) {
        case Lookup.Target.OfContainer(var container) -> remove(daemon, name, container);
        case Lookup.Target.OfPod(var pod) -> remove(daemon, lookup, name, pod);
      }
      terminal().out().println(name);
    }
    return ExitCode.OK;
  }

  private void remove(CriClient daemon, String name, Container container) {
    refuseIfRunning(name, List.of(container));
    daemon
        .runtime()
        .removeContainer(
            RemoveContainerRequest.newBuilder().setContainerId(container.getId()).build());
  }

  private void remove(CriClient daemon, Lookup lookup, String name, PodSandbox pod)
      throws IOException {
    refuseIfRunning(name, lookup.containersOf(pod.getId()));
    RunPod.remove(daemon, pod);
  }

  private void refuseIfRunning(String name, List<Container> containers) {
    boolean runs =
        containers.stream().anyMatch(c -> c.getState() == ContainerState.CONTAINER_RUNNING);
    if (runs && !force) {
      throw CommandException.failed(
          "\"" + name + "\" is running; stop it first (keelson stop " + name + ") or use --force");
    }
  }
}
