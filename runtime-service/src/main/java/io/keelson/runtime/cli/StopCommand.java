package io.keelson.runtime.cli;

import io.keelson.proto.cri.v1.Container;
import io.keelson.proto.cri.v1.ContainerState;
import io.keelson.proto.cri.v1.PodSandbox;
import io.keelson.proto.cri.v1.StopContainerRequest;
import io.keelson.proto.cri.v1.StopPodSandboxRequest;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code keelson stop}. */
@Command(
    name = "stop",
    description = "Stops containers, or pods with all their containers. Their logs stay.")
final class StopCommand extends ClientCommand {

  @Option(
      names = {"-t", "--time"},
      paramLabel = "SECONDS",
      description = "How long a container may take before it is killed. Default: ${DEFAULT-VALUE}.")
  private long seconds = 10;

  @Parameters(
      arity = "1..*",
      paramLabel = "NAME",
      description = "A pod or container: a name, an id or the beginning of an id.")
  private List<String> names = List.of();

  StopCommand(Terminal terminal) {
    super(terminal);
  }

  @Override
  int run(CriClient daemon) {
    Lookup lookup = new Lookup(daemon);
    for (String name : names) {
      switch (lookup.target(name)) {
        case Lookup.Target.OfContainer(var container) -> stop(daemon, container.getId(), seconds);
        case Lookup.Target.OfPod(var pod) -> stop(daemon, lookup, pod, seconds);
      }
      terminal().out().println(name);
    }
    return ExitCode.OK;
  }

  /** Gives each container its time first; stopping a pod alone would kill them at once. */
  static void stop(CriClient daemon, Lookup lookup, PodSandbox pod, long seconds) {
    for (Container container : lookup.containersOf(pod.getId())) {
      if (container.getState() == ContainerState.CONTAINER_RUNNING) {
        stop(daemon, container.getId(), seconds);
      }
    }
    daemon
        .runtime()
        .stopPodSandbox(StopPodSandboxRequest.newBuilder().setPodSandboxId(pod.getId()).build());
  }

  static void stop(CriClient daemon, String containerId, long seconds) {
    daemon
        .runtime()
        .stopContainer(
            StopContainerRequest.newBuilder()
                .setContainerId(containerId)
                .setTimeout(seconds)
                .build());
  }
}
