package io.keelson.image.source;

import io.keelson.image.archive.Decompression;
import io.keelson.image.archive.ZipTar;
import io.keelson.image.reference.Digest;
import io.keelson.image.request.Cancellation;
import io.keelson.sandbox.error.InvalidRequestException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.util.List;

/**
 * A root file system in a tar, also compressed, or in a jar or another zip. It is read twice: what
 * it unpacks to names the image.
 */
final class RootTar implements Store {

  private final MadeImage made = new MadeImage();

  @Override
  public String format() {
    return "tar";
  }

  @Override
  public List<ImageArchive.Named> images(ImagePlace place) throws IOException {
    if (place.isFolder()) {
      throw new InvalidRequestException(place.path() + " is a folder; say dir: or host:");
    }
    Digest diffId =
        TarStream.digest(
            (out, check) -> {
              try (InputStream in = open(place, place.cancellation())) {
                TarStream.copy(in, out, check);
              }
            },
            place.cancellation());
    return List.of(made.of(place, diffId, new LayerForm.Tar(), made.settings(), List.of()));
  }

  @Override
  public InputStream open(ImagePlace place, LayerBlob layer, Cancellation cancellation)
      throws IOException {
    return open(place, cancellation);
  }

  private static InputStream open(ImagePlace place, Cancellation cancellation) throws IOException {
    return ZipTar.isZip(place.start(4))
        ? TarStream.open((out, check) -> ZipTar.write(place.path(), out, check), cancellation)
        : Decompression.of(Files.newInputStream(place.path()));
  }
}
