package io.keelson.image.source;

import io.keelson.image.Cancellation;
import io.keelson.image.archive.Decompression;
import io.keelson.image.archive.MalformedArchiveException;
import io.keelson.image.archive.TarFiles;
import io.keelson.image.manifest.ManifestParser;
import io.keelson.image.manifest.Platform;
import io.keelson.sandbox.error.InvalidRequestException;
import io.keelson.sandbox.error.NotFoundException;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Images in a file or folder on this host: an OCI layout, or what {@code docker save} writes. Safe
 * for use by many threads.
 */
public final class ImageArchive implements LayerSource, AutoCloseable {

  private final ContentFiles files;
  private final List<Named> images;

  /**
   * An image in the archive.
   *
   * @param names what the archive calls it: full references, may be none
   */
  public record Named(SourceImage image, List<String> names) {
    public Named {
      names = List.copyOf(names);
    }
  }

  private ImageArchive(ContentFiles files, List<Named> images) {
    this.files = files;
    this.images = List.copyOf(images);
  }

  /**
   * Opens an archive and reads what images it has for this node.
   *
   * @param scratch an empty folder where a compressed archive may be laid out; what is in it is the
   *     caller's to delete
   * @throws InvalidRequestException if it is no archive of images
   * @throws NotFoundException if there is no such file, or it has no image for this node
   */
  public static ImageArchive open(
      Path path, Path scratch, ManifestParser parser, Platform host, Cancellation cancellation)
      throws IOException {
    ContentFiles files = files(path, scratch, cancellation);
    try {
      List<Named> images;
      if (files.size(OciLayout.MARKER).isPresent() && files.size(OciLayout.INDEX).isPresent()) {
        images = new OciLayout(files, parser, host).images(path.toString());
      } else if (files.size(DockerArchive.MANIFEST).isPresent()) {
        images = new DockerArchive(files, parser, host).images(path.toString());
      } else {
        throw new InvalidRequestException(
            path
                + " is no image archive: it has neither oci-layout with index.json (OCI layout) nor"
                + " manifest.json (docker-archive)");
      }
      return new ImageArchive(files, images);
    } catch (IOException | RuntimeException e) {
      files.close();
      throw e;
    }
  }

  private static ContentFiles files(Path path, Path scratch, Cancellation cancellation)
      throws IOException {
    if (Files.isDirectory(path)) {
      return ContentFiles.of(path);
    }
    if (!Files.isRegularFile(path)) {
      throw new NotFoundException(
          Files.exists(path) ? path + " is neither file nor folder" : "no file " + path);
    }
    try {
      return ContentFiles.of(TarFiles.open(uncompressed(path, scratch, cancellation)));
    } catch (MalformedArchiveException | EOFException e) {
      throw new InvalidRequestException(path + " is no tar: " + e.getMessage(), e);
    }
  }

  // Layers are read side by side and not in their order, which a compressed file does not allow.
  private static Path uncompressed(Path path, Path scratch, Cancellation cancellation)
      throws IOException {
    try (InputStream raw = Files.newInputStream(path);
        InputStream tar = Decompression.of(raw)) {
      if (!Decompression.isCompressed(tar)) {
        return path;
      }
      Path file = scratch.resolve("archive.tar");
      try (OutputStream out = Files.newOutputStream(file)) {
        byte[] block = new byte[256 * 1024];
        for (int count = tar.read(block); count >= 0; count = tar.read(block)) {
          cancellation.check();
          out.write(block, 0, count);
        }
      }
      return file;
    }
  }

  /** In the archive's order. */
  public List<Named> images() {
    return images;
  }

  @Override
  public InputStream open(LayerBlob layer, Cancellation cancellation) throws IOException {
    return files.open(layer.key()).orElseThrow(() -> ContentFiles.missing(layer.key()));
  }

  @Override
  public void close() throws IOException {
    files.close();
  }
}
