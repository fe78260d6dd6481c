package io.keelson.runtime.cli;

import io.keelson.proto.cri.v1.Image;
import io.keelson.proto.cri.v1.ImageSpec;
import io.keelson.proto.cri.v1.ImageStatusRequest;
import io.keelson.proto.cri.v1.ImageStatusResponse;
import io.keelson.proto.cri.v1.RemoveImageRequest;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code keelson rmi}. */
@Command(name = "rmi", description = "Removes images that no container uses, with all their names.")
final class RmiCommand extends ClientCommand {

  @Parameters(
      arity = "1..*",
      paramLabel = "IMAGE",
      description = "A name, an id or the beginning of an id.")
  private List<String> images = List.of();

  RmiCommand(Terminal terminal) {
    super(terminal);
  }

  @Override
  int run(CriClient daemon) {
    for (String name : images) {
      ImageSpec spec = ImageSpec.newBuilder().setImage(name).build();
      ImageStatusResponse status =
          daemon.images().imageStatus(ImageStatusRequest.newBuilder().setImage(spec).build());
      if (!status.hasImage()) {
        throw CommandException.notFound(
            "no image is called \"" + name + "\"; \"keelson images\" lists them");
      }
      Image image = status.getImage();
      daemon.images().removeImage(RemoveImageRequest.newBuilder().setImage(spec).build());
      terminal().out().println(image.getId());
    }
    return ExitCode.OK;
  }
}
