package io.keelson.runtime.cli;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.keelson.proto.cri.v1.Container;
import io.keelson.proto.cri.v1.ContainerState;
import io.keelson.proto.cri.v1.ContainerStatus;
import io.keelson.proto.cri.v1.ContainerStatusRequest;
import io.keelson.proto.cri.v1.ListContainersRequest;
import io.keelson.proto.cri.v1.ListPodSandboxRequest;
import io.keelson.proto.cri.v1.PodSandbox;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code keelson ps}. */
@Command(name = "ps", description = "Lists the containers that run, or all with -a.")
final class PsCommand extends ClientCommand {

  @Mixin private final OutputOptions output = new OutputOptions();

  @Option(
      names = {"-a", "--all"},
      description = "Those too that were made but not started, or have ended.")
  private boolean all;

  @Option(
      names = {"-q", "--quiet"},
      description = "Only the full ids, one a line.")
  private boolean quiet;

  PsCommand(Terminal terminal) {
    super(terminal);
  }

  @Override
  int run(CriClient daemon) {
    List<Container> containers =
        daemon
            .runtime()
            .listContainers(ListContainersRequest.getDefaultInstance())
            .getContainersList()
            .stream()
            .filter(c -> all || c.getState() == ContainerState.CONTAINER_RUNNING)
            .toList();
    if (quiet) {
      containers.forEach(container -> terminal().out().println(container.getId()));
    } else if (output.isJson()) {
      terminal().out().println(OutputOptions.json(containers));
    } else {
      print(daemon, containers);
    }
    return ExitCode.OK;
  }

  private void print(CriClient daemon, List<Container> containers) {
    Map<String, String> pods =
        daemon
            .runtime()
            .listPodSandbox(ListPodSandboxRequest.getDefaultInstance())
            .getItemsList()
            .stream()
            .collect(Collectors.toMap(PodSandbox::getId, Lookup::nameOf));
    Instant now = Instant.now();
    Table table = new Table("CONTAINER", "NAME", "POD", "STATE", "AGE", "IMAGE");
    for (Container container : containers) {
      table.row(
          Units.shortId(container.getId()),
          Lookup.nameOf(container),
          pods.getOrDefault(container.getPodSandboxId(), ""),
          state(daemon, container, now),
          Units.ageOf(container.getCreatedAt(), now),
          image(container));
    }
    table.print(terminal().out());
  }

  private static String image(Container container) {
    String asked = container.getImage().getUserSpecifiedImage();
    String image = asked.isEmpty() ? container.getImage().getImage() : asked;
    return image.startsWith("sha256:") ? Units.shortId(image) : image;
  }

  private static String state(CriClient daemon, Container container, Instant now) {
    return switch (container.getState()) {
      case CONTAINER_CREATED -> "created";
      case CONTAINER_RUNNING -> "running";
      case CONTAINER_EXITED -> exited(daemon, container.getId(), now);
      case CONTAINER_UNKNOWN, UNRECOGNIZED -> "unknown";
    };
  }

  private static String exited(CriClient daemon, String id, Instant now) {
    try {
      ContainerStatus status =
          daemon
              .runtime()
              .containerStatus(ContainerStatusRequest.newBuilder().setContainerId(id).build())
              .getStatus();
      return "exited "
          + status.getExitCode()
          + ", "
          + Units.ageOf(status.getFinishedAt(), now)
          + " ago";
    } catch (StatusRuntimeException e) {
      if (e.getStatus().getCode() == Status.Code.NOT_FOUND) { // removed since it was listed
        return "removed";
      }
      throw e;
    }
  }
}
