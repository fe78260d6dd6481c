package io.keelson.runtime.cli;

import io.keelson.proto.cri.v1.Image;
import io.keelson.proto.cri.v1.ListImagesRequest;
import io.keelson.proto.node.v1.CheckImagesRequest;
import io.keelson.proto.node.v1.CheckImagesResponse;
import java.util.Comparator;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code keelson images}. */
@Command(name = "images", description = "Lists the images of this node.")
final class ImagesCommand extends ClientCommand {

  @Mixin private final OutputOptions output = new OutputOptions();

  @Option(
      names = {"-q", "--quiet"},
      description = "Only the full ids, one a line.")
  private boolean quiet;

  @Option(
      names = "--check",
      description =
          "Compares the store with its digests instead, and says what to do; the exit code is 1 if"
              + " something is wrong.")
  private boolean check;

  ImagesCommand(Terminal terminal) {
    super(terminal);
  }

  @Override
  int run(CriClient daemon) {
    return check ? check(daemon) : list(daemon);
  }

  private int check(CriClient daemon) {
    CheckImagesResponse report = daemon.node().checkImages(CheckImagesRequest.getDefaultInstance());
    if (output.isJson()) {
      terminal().out().println(OutputOptions.json(report));
    } else {
      for (CheckImagesResponse.Finding finding : report.getFindingsList()) {
        terminal().out().println(finding.getSubject() + ": " + finding.getProblem());
        terminal().out().println("  " + finding.getRemedy());
      }
      terminal()
          .out()
          .printf(
              "%d images, %d layers (%d too new to compare): %s%n",
              report.getImages(),
              report.getLayers(),
              report.getUnsealed(),
              report.getFindingsCount() == 0
                  ? "all is well"
                  : report.getFindingsCount() + " damaged");
    }
    return report.getFindingsCount() == 0 ? ExitCode.OK : ExitCode.FAILED;
  }

  private int list(CriClient daemon) {
    List<Image> images =
        daemon.images().listImages(ListImagesRequest.getDefaultInstance()).getImagesList();
    if (quiet) {
      images.forEach(image -> terminal().out().println(image.getId()));
    } else if (output.isJson()) {
      terminal().out().println(OutputOptions.json(images));
    } else {
      Table table = new Table("IMAGE", "SIZE", "NAME");
      images.stream()
          .sorted(Comparator.comparing(ImagesCommand::firstName))
          .forEach(image -> rows(table, image));
      table.print(terminal().out());
    }
    return ExitCode.OK;
  }

  private static void rows(Table table, Image image) {
    List<String> names =
        image.getRepoTagsCount() > 0 ? image.getRepoTagsList() : List.of(firstName(image));
    for (String name : names) {
      table.row(Units.shortId(image.getId()), Units.size(image.getSize()), name);
    }
  }

  private static String firstName(Image image) {
    if (image.getRepoTagsCount() > 0) {
      return image.getRepoTags(0);
    }
    return image.getRepoDigestsCount() > 0 ? image.getRepoDigests(0) : "";
  }
}
