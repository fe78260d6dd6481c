package io.keelson.runtime.cli;

import io.keelson.proto.cri.v1.ContainerStatusRequest;
import io.keelson.proto.cri.v1.ImageSpec;
import io.keelson.proto.cri.v1.ImageStatusRequest;
import io.keelson.proto.cri.v1.ImageStatusResponse;
import io.keelson.proto.cri.v1.PodSandboxStatusRequest;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code keelson inspect}. */
@Command(
    name = "inspect",
    description = "Prints all that is known of a pod, a container or an image, as JSON.")
final class InspectCommand extends ClientCommand {

  @Parameters(paramLabel = "NAME", description = "A name, an id or the beginning of an id.")
  private String name = "";

  InspectCommand(Terminal terminal) {
    super(terminal);
  }

  @Override
  int run(CriClient daemon) {
    terminal().out().println(inspect(daemon));
    return ExitCode.OK;
  }

  private String inspect(CriClient daemon) {
    try {
      return switch (new Lookup(daemon).target(name)) {
        case Lookup.Target.OfPod(var pod) ->
            OutputOptions.json(
                daemon
                    .runtime()
                    .podSandboxStatus(
                        PodSandboxStatusRequest.newBuilder()
                            .setPodSandboxId(pod.getId())
                            .setVerbose(true)
                            .build()));
        case Lookup.Target.OfContainer(var container) ->
            OutputOptions.json(
                daemon
                    .runtime()
                    .containerStatus(
                        ContainerStatusRequest.newBuilder()
                            .setContainerId(container.getId())
                            .setVerbose(true)
                            .build()));
      };
    } catch (CommandException e) {
      if (e.exitCode() != ExitCode.NOT_FOUND) {
        throw e;
      }
    }
    ImageStatusResponse image =
        daemon
            .images()
            .imageStatus(
                ImageStatusRequest.newBuilder()
                    .setImage(ImageSpec.newBuilder().setImage(name))
                    .setVerbose(true)
                    .build());
    if (!image.hasImage()) {
      throw CommandException.notFound(
          "nothing is called \"" + name + "\": no pod, no container, no image");
    }
    return OutputOptions.json(image);
  }
}
