package io.keelson.image.source;

import io.keelson.image.reference.Digest;
import io.keelson.image.request.Cancellation;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/**
 * A root file system in a folder that stays where it is, for instance on CVMFS: containers see it
 * through, and write elsewhere. The image is named by the folder's path, not by what it holds.
 */
final class HostFolder implements Store {

  private final MadeImage made = new MadeImage();

  @Override
  public String format() {
    return "host";
  }

  @Override
  public List<ImageArchive.Named> images(ImagePlace place) throws IOException {
    Path real = place.folder().toRealPath();
    Digest diffId = Digest.of(("host folder " + real).getBytes(StandardCharsets.UTF_8));
    return List.of(
        made.of(place, diffId, new LayerForm.HostFolder(real), made.settings(), List.of()));
  }

  @Override
  public InputStream open(ImagePlace place, LayerBlob layer, Cancellation cancellation) {
    throw new IllegalStateException("a host's folder is not copied");
  }
}
