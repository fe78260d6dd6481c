package io.keelson.image.manifest;

import io.keelson.image.reference.Digest;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/** How the blobs of artifacts become files, as ORAS, the tool most of them are made by, does it. */
public final class ArtifactLayer {

  private static final String TITLE = "org.opencontainers.image.title";
  private static final String UNPACK = "io.deis.oras.content.unpack";

  private ArtifactLayer() {}

  /**
   * The path of the file that the blob is; none for an archive that is to be unpacked.
   *
   * <p>An archive is what says so itself, or a layer as images have them that has no name.
   */
  public static Optional<String> path(Descriptor layer) {
    String title = layer.annotations().get(TITLE);
    boolean archive = layer.mediaType().contains(".tar") || layer.mediaType().endsWith("+tar");
    if ("true".equals(layer.annotations().get(UNPACK)) || (title == null && archive)) {
      return Optional.empty();
    }
    return Optional.of(title == null ? layer.digest().hex() : title);
  }

  /**
   * Stands for the unpacked layer, as a diff id does: an artifact has no config that would say one.
   */
  static Digest diffId(Descriptor layer) {
    String form = path(layer).map(path -> "file " + path).orElse("archive");
    return Digest.of((layer.digest() + " as " + form).getBytes(StandardCharsets.UTF_8));
  }
}
