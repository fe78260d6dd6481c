package io.keelson.runtime.cli;

import io.keelson.proto.node.v1.ImageProgress;
import io.keelson.proto.node.v1.ImportImageRequest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;

/**
 * Images on this host, as people write it: {@code FORMAT:PATH}, or a path alone.
 *
 * @param format {@code ""} for what it looks like
 */
record ImageLocation(String format, Path path) {

  /** As the daemon knows them. */
  private static final List<String> FORMATS =
      List.of("oci", "oci-archive", "docker-archive", "aci", "tar", "dir", "host");

  static final String HELP =
      "oci:PATH (an OCI layout, folder or tar), docker-archive:PATH, aci:PATH (Appc), tar:PATH (a"
          + " root file system in a tar or jar), dir:PATH (one in a folder, copied), host:PATH (one"
          + " in a folder that stays where it is)";

  /** The location, if the text begins with a format. */
  static Optional<ImageLocation> of(String text) {
    int colon = text.indexOf(':');
    if (colon < 0 || !FORMATS.contains(text.substring(0, colon))) {
      return Optional.empty();
    }
    String path = text.substring(colon + 1);
    if (path.isEmpty()) {
      throw CommandException.usage(text + " has no path");
    }
    String format = text.substring(0, colon);
    return Optional.of(
        new ImageLocation(format.equals("oci-archive") ? "oci" : format, absolute(path)));
  }

  static ImageLocation ofPath(String path) {
    return of(path).orElseGet(() -> new ImageLocation("", absolute(path)));
  }

  private static Path absolute(String path) {
    Path absolute = Path.of(path).toAbsolutePath().normalize();
    if (Files.notExists(absolute)) {
      throw CommandException.notFound(absolute + " does not exist");
    }
    return absolute;
  }

  /** Has the daemon take the images. */
  Iterator<ImageProgress> importInto(CriClient daemon, String name) {
    return daemon
        .node()
        .importImage(
            ImportImageRequest.newBuilder()
                .setFormat(format)
                .setPath(path.toString())
                .setName(name)
                .build());
  }
}
