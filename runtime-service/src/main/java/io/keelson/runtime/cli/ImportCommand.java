package io.keelson.runtime.cli;

import io.keelson.proto.node.v1.ImportImageRequest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code keelson import}. */
@Command(
    name = "import",
    description = "Takes images from an archive or an OCI layout and prints their ids.")
final class ImportCommand extends ClientCommand {

  @Parameters(
      paramLabel = "PATH",
      description =
          "A folder with an OCI layout, or a tar of one or of \"docker save\", also compressed; - for"
              + " standard input.")
  private String path = "";

  @Option(
      names = "--name",
      description = "Gives the image this name; for an archive that holds one image.")
  private @Nullable String name;

  ImportCommand(Terminal terminal) {
    super(terminal);
  }

  @Override
  int run(CriClient daemon) throws IOException {
    if (!path.equals("-")) {
      Path archive = Path.of(path).toAbsolutePath().normalize();
      if (Files.notExists(archive)) {
        throw CommandException.notFound(archive + " does not exist");
      }
      return importFrom(daemon, archive);
    }
    Path copy = Files.createTempFile("keelson-import", ".tar");
    try {
      Files.copy(System.in, copy, StandardCopyOption.REPLACE_EXISTING);
      return importFrom(daemon, copy);
    } finally {
      Files.deleteIfExists(copy);
    }
  }

  private int importFrom(CriClient daemon, Path archive) {
    ImportImageRequest request =
        ImportImageRequest.newBuilder()
            .setPath(archive.toString())
            .setName(name == null ? "" : name)
            .build();
    ProgressView view = new ProgressView(terminal(), "importing " + path);
    for (String id : view.show(daemon.node().importImage(request))) {
      terminal().out().println(id);
    }
    return ExitCode.OK;
  }
}
