package io.keelson.runtime.cli;

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
          "A folder with an OCI layout, or a tar of one, of \"docker save\" or of Appc, also"
              + " compressed; - for standard input. Or what it is: "
              + ImageLocation.HELP
              + ".")
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
      return importFrom(daemon, ImageLocation.ofPath(path));
    }
    Path copy = Files.createTempFile("keelson-import", ".tar");
    try {
      Files.copy(System.in, copy, StandardCopyOption.REPLACE_EXISTING);
      return importFrom(daemon, new ImageLocation("", copy));
    } finally {
      Files.deleteIfExists(copy);
    }
  }

  private int importFrom(CriClient daemon, ImageLocation location) {
    ProgressView view = new ProgressView(terminal(), "importing " + path);
    for (String id : view.show(location.importInto(daemon, name == null ? "" : name))) {
      terminal().out().println(id);
    }
    return ExitCode.OK;
  }
}
